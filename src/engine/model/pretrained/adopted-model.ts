/** @file A model that another program has trained, in the place of a run's layers: what the run keeps of it. */
import { existsSync } from "node:fs";
import { StoreError } from "../../../errors.js";
import { modelDigest } from "./external-model.js";
import { storedModel } from "./external-part.js";
import type { PreprocessingInput } from "./preprocessing.js";

/** An ONNX model that answers a flow's tasks. */
export interface AdoptedModel {
  /** Its file, as it was named. */
  readonly model: string;
  /** sha256 of its file, hex: its name in the store. */
  readonly digest: string;
  readonly format: "onnx";
  /** What wrote it, such as `pytorch 2.5.1`; null where it does not tell. */
  readonly producer: string | null;
  /** Version of its standard operators; null where it does not tell. */
  readonly opset: number | null;
  /** Names of its inputs by declared input, where they differ. */
  readonly inputs: Readonly<Record<string, string>>;
  /** Names of its outputs by path of task, where they are not `<path>/logits`. */
  readonly outputs: Readonly<Record<string, string>>;
  /** What becomes of pixels where it takes them as floats. */
  readonly preprocessing: PreprocessingInput;
}

/**
 * File of a run's model in its store.
 * @throws StoreError where it is not there, or its content is another
 */
export function adoptedFile(storeDir: string, adopted: AdoptedModel): string {
  const file = storedModel(storeDir, adopted);
  const { model, digest } = adopted;
  if (!existsSync(file)) {
    throw new StoreError(
      `The model ${model}, which answers in this run, is not in its store: ${file}. Copy it there from the store that it was adopted in.`,
      { model, file },
    );
  }
  if (modelDigest(file, model) === digest) return file;
  throw new StoreError(
    `The model ${model}, which answers in this run, has been changed: ${file}. Put back the file of that digest.`,
    { model, file, digest },
  );
}

/** In words: `net.onnx (pytorch 2.5.1, opset 17, sha256 0123456789ab)`. */
export function describeAdopted({ model, producer, opset, digest }: AdoptedModel): string {
  const facts = [producer, opset === null ? null : `opset ${opset}`, `sha256 ${digest.slice(0, 12)}`];
  return `${model} (${facts.filter((fact) => fact !== null).join(", ")})`;
}
