/** @file A column of labels as mining sees it: what each row answers, and where it is empty. */

/** What a column's answers can be asked by a condition. */
export type GateForm =
  | { readonly kind: "binary" }
  | { readonly kind: "classes"; readonly names: readonly string[] }
  | { readonly kind: "labels"; readonly names: readonly string[] }
  | { readonly kind: "number" }
  /** Not asked by conditions. */
  | { readonly kind: "none" };

/** The labels of one task over all rows. */
export interface LabelColumn {
  readonly name: string;
  readonly form: GateForm;
  /**
   * By row: binary 0 or 1, the index of a class, or a number; for `labels` a bit per label; NaN where the cell is empty.
   */
  readonly values: Float64Array;
}

/** Labels of one cell as bits; up to 30 of them are asked by conditions. */
export const MAX_LABELS = 30;
