/** @file What a server and its workers say to each other. */
import { CoolError, type Facts, messageOf } from "../../errors.js";
import type { AskedAnswers } from "../model/asked-answers.js";
import type { ModelSource, ServedModel, ServedRow, UnreadRow } from "../model/served-model.js";

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
      /** As they are declared. */
      readonly inputs: ServedModel["inputs"];
      readonly tokenizers: ServedModel["tokenizers"];
      readonly known: readonly string[];
      /** Of one picture. */
      readonly maxPixels: number;
      readonly threads: number;
    }
  | { readonly kind: "answer"; readonly rows: readonly WorkerRow[] };

/** A row, and who reads it. */
export type WorkerRow = ServedRow | UnreadRow;

/** The answer to one row, as the JSON that is sent back, or why there is none. */
export type SentAnswer =
  | { readonly kind: "answers"; readonly json: string; readonly asked: AskedAnswers }
  | { readonly kind: "tree"; readonly json: string; readonly printed: string; readonly asked: AskedAnswers }
  /** What was sent is not what the model reads. */
  | { readonly kind: "refused"; readonly problem: SentProblem }
  | { readonly kind: "failed"; readonly error: SentError };

/** A problem as it travels. */
export interface SentProblem {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly facts: Facts;
}

export type FromWorker =
  | { readonly kind: "ready"; readonly runtime: string }
  | { readonly kind: "unready"; readonly error: SentError }
  | { readonly kind: "answered"; readonly answers: readonly SentAnswer[] };

export function sentError(thrown: unknown): SentError {
  if (thrown instanceof CoolError) return { name: thrown.name, message: thrown.message, facts: thrown.facts };
  return { name: "Error", message: messageOf(thrown), facts: {} };
}

/** Buffers of pictures that go to a worker without being copied, each once. */
export function givenAway(message: ToWorker): ArrayBuffer[] {
  if (message.kind !== "answer") return [];
  const buffers = message.rows.flatMap((row) => ("sent" in row ? [...row.sent.values.values()] : []));
  const whole = buffers.flatMap((value) =>
    value instanceof Uint8Array && value.buffer instanceof ArrayBuffer && value.length === value.buffer.byteLength
      ? [value.buffer]
      : [],
  );
  return [...new Set(whole)];
}
