/** @file What is served, as plain data that a worker can open it by. */
import type { InputSpec } from "../../data/dataset.js";
import type { FlowGraph } from "../../flow/graph.js";
import type { ReadRow } from "../../predictor/feeds.js";
import type { TokenizerFiles } from "./texts.js";

/** Where a model comes from. */
export type ModelSource =
  | {
      readonly kind: "run";
      /** Folder of its store. */
      readonly store: string;
      readonly run: string;
      /** Folder whose code tasks of a project's own need; undefined: the nearest one. */
      readonly project: string | undefined;
    }
  | {
      readonly kind: "export";
      /** Folder, or file that ends with .onnx. */
      readonly path: string;
      readonly project: string | undefined;
    };

/** A model that can be served. */
export interface ServedModel {
  readonly source: ModelSource;
  readonly run: { readonly id: string; readonly name: string };
  /** In a few words: "run 2026-… (long)". */
  readonly title: string;
  readonly graph: FlowGraph;
  /** Complete: with statistics and vocabularies. */
  readonly inputs: Readonly<Record<string, InputSpec>>;
  readonly tokenizers: TokenizerFiles;
  /** In what its copies live, and whether one of them uses every core. */
  readonly copies: { readonly transport: "threads" | "processes"; readonly isAlone: boolean };
}

/** One row as it was sent: values by the name of their input, of its column, or of a known task. */
export interface SentRow {
  readonly name: string;
  readonly values: ReadonlyMap<string, unknown>;
}

/** One row that the worker which answers it has to read. */
export interface UnreadRow {
  readonly sent: SentRow;
  /** From 1, for messages. */
  readonly number: number;
  readonly wants: ServedRow["wants"];
}

/** One row, read and ready for the network. */
export interface ServedRow extends ReadRow {
  /** The name that its answer has. */
  readonly name: string;
  /** That its tokens were cut of; undefined: they came as tokens or ids. */
  readonly text?: string | undefined;
  readonly wants: "answers" | "tree";
}
