/** @file What a process that works on a study tells on its way. */

export type StudyEvent =
  | { readonly kind: "begun"; readonly number: number }
  | {
      readonly kind: "step";
      readonly number: number;
      readonly epoch: number;
      readonly epochs: number;
      /** Of the epoch. */
      readonly share: number;
    }
  | { readonly kind: "ended"; readonly number: number };
