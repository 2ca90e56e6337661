/** @file A saved model that runs beside the network and feeds it: what a run keeps of it. */
import { join } from "node:path";
import { type InputSpec, type NumericInputSpec, vectorSpec } from "../../../data/dataset.js";
import type { TextPooling } from "./external-model.js";
import type { PreprocessingInput } from "./preprocessing.js";

/** A model that is no part of the checkpoint: what it puts out for a picture or a text is an input of the network. */
export interface ExternalPart {
  /** The network's input that it feeds: `image.onnx`, `image.tfjs`. */
  readonly name: string;
  /** The input that it reads: pictures, or texts that a tokenizer cuts. */
  readonly input: string;
  /** Path or address, as it is written. */
  readonly model: string;
  /** sha256 of its file, hex: its name in the store. */
  readonly digest: string;
  /** `tfjs`: a graph model, packed into one file. */
  readonly format: "onnx" | "tfjs";
  readonly output: string;
  /** Of what it puts out for one picture, text or, without pooling, token; a map has its channels last. */
  readonly shape: readonly number[];
  /** Of pictures; empty of texts. */
  readonly preprocessing: PreprocessingInput;
  /** Of texts, where the output has a vector for each token. */
  readonly pooling?: TextPooling;
}

/** What feeds a network besides its data. */
export interface Externals {
  readonly parts: readonly ExternalPart[];
  /** Inputs of the data that only such models read. */
  readonly unread: readonly string[];
}

export const NO_EXTERNALS: Externals = { parts: [], unread: [] };

/** Whether a model puts out a vector for each token of a text. */
export function isPerToken({ pooling }: Pick<ExternalPart, "pooling">): boolean {
  return pooling === "none";
}

/** Numbers that a model puts out for one picture, text, or token where it does so for each. */
export function widthOf({ shape }: Pick<ExternalPart, "shape">): number {
  return shape.reduce((size, axis) => size * axis, 1);
}

/** The network's inputs: the data's that it reads, and what models put out. */
export function networkSpecs(
  specs: Readonly<Record<string, InputSpec>>,
  { parts, unread }: Externals,
): Readonly<Record<string, InputSpec>> {
  const own = Object.entries(specs).filter(([name]) => !unread.includes(name));
  return Object.fromEntries([...own, ...parts.map((part) => [part.name, specOf(part)] as const)]);
}

function specOf(part: ExternalPart): NumericInputSpec {
  return { ...vectorSpec(part.name, widthOf(part)), ...(isPerToken(part) ? { perToken: part.input } : {}) };
}

/** Where a store keeps a model, once for all runs. */
export function storedModel(storeDir: string, { digest, format }: Pick<ExternalPart, "digest" | "format">): string {
  return join(storeDir, "models", `${digest}.${format}`);
}
