/** @file What the page and its worker say to each other. */
import type { ExplanationNode } from "../analysis/explanation/explanation.js";
import type { PredictorDocument } from "../predictor/document.js";
import type { InputValue } from "../predictor/inputs.js";

/** Where networks are computed. */
export type Device = "webgpu" | "wasm";

/** Value of an input as the page has it: a picture is still a file. */
export type GivenValue = Blob | Exclude<InputValue, object> | readonly number[];

/** One row, by name of input, and answers of known tasks by path. */
export type GivenRow = Readonly<Record<string, GivenValue>>;

export type ToWorker =
  | {
      readonly kind: "open";
      /** Folder of the export, with a slash at its end. */
      readonly folder: string;
      /** null: WebGPU where the browser has a GPU, else WebAssembly. */
      readonly device: Device | null;
    }
  | {
      readonly kind: "ask";
      readonly id: number;
      /** What the row is called. */
      readonly name: string;
      readonly row: GivenRow;
    };

export type FromWorker =
  | { readonly kind: "opened"; readonly opened: Opened }
  | { readonly kind: "answered"; readonly id: number; readonly answered: Answered }
  | { readonly kind: "failed"; readonly id: number | null; readonly message: string };

/** An export that answers. */
export interface Opened {
  readonly document: PredictorDocument;
  /** Parsed model-card.json. */
  readonly card: unknown;
  readonly device: Device;
  /** Why it is not the GPU; null where it is, or nobody asked for it. */
  readonly instead: string | null;
  /** From the first byte that was asked for to a network that has answered once. */
  readonly milliseconds: number;
}

/** Answers to one row. */
export interface Answered {
  readonly tree: readonly ExplanationNode[];
  /** As `cool explain` prints it. */
  readonly text: string;
  /** As `cool explain --json` prints it. */
  readonly json: string;
  readonly notAsked: readonly NotAsked[];
  readonly figures: readonly ShownFigure[];
  readonly times: Times;
}

/** A task whose precondition does not hold. */
export interface NotAsked {
  readonly path: string;
  readonly condition: string;
}

/** A box or a point on the picture, in fractions of its width and height. */
export interface ShownFigure {
  readonly label: string;
  readonly x: number;
  readonly y: number;
  /** Of a point null. */
  readonly size: { readonly width: number; readonly height: number } | null;
}

/** Milliseconds. */
export interface Times {
  /** From files to pixels. */
  readonly decoding: number;
  /** From pixels to logits. */
  readonly network: number;
  readonly total: number;
}
