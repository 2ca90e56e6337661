/** @file What a server and its workers say to each other. */
import { CoolError, type Facts, messageOf } from "../../errors.js";
import type { RowAnswer } from "../model/answer-rows.js";
import type { ModelSource, ServedRow } from "../model/served-model.js";

/** An error as it travels. */
export interface SentError {
  readonly name: string;
  readonly message: string;
  readonly facts: Facts;
}

export type ToWorker =
  | {
      readonly kind: "open";
      readonly source: ModelSource;
      readonly known: readonly string[];
      readonly threads: number;
    }
  | { readonly kind: "answer"; readonly rows: readonly ServedRow[] };

/** The answer to one row, or why there is none. */
export type SentAnswer = RowAnswer | { readonly kind: "failed"; readonly error: SentError };

export type FromWorker =
  | { readonly kind: "ready"; readonly runtime: string }
  | { readonly kind: "unready"; readonly error: SentError }
  | { readonly kind: "answered"; readonly answers: readonly SentAnswer[] };

export function sentError(thrown: unknown): SentError {
  if (thrown instanceof CoolError) return { name: thrown.name, message: thrown.message, facts: thrown.facts };
  return { name: "Error", message: messageOf(thrown), facts: {} };
}
