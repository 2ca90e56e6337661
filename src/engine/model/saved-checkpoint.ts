/** @file The JSON files of a checkpoint, checked when they are read: they may come from anywhere. */
import { lstatSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { type io, util } from "@tensorflow/tfjs-core";
import { z } from "zod";
import { lineOf, shorten, StoreError } from "../../errors.js";
import { topologyProblem } from "./saved-topology.js";
import { problemOf } from "../../platform/document-problem.js";
import type { EpochSoFar, ScheduleState, TrainerPosition } from "./training-state.js";

/** model.json as tfjs writes it, as far as it is read here. */
export interface SavedModel {
  readonly modelTopology: object;
  readonly weightsManifest: readonly {
    readonly weights: io.WeightsManifestEntry[];
    readonly paths?: readonly string[];
  }[];
  readonly format?: string;
}

/** state.json; the optimizer's numbers lie in optimizer.bin, slot after slot, the logits of the epoch in epoch.bin. */
export interface SavedState {
  readonly formatVersion: 1;
  readonly position: TrainerPosition;
  readonly schedule: ScheduleState;
  readonly optimizer: {
    readonly updates: number;
    readonly slots: readonly { readonly name: string; readonly length: number }[];
  };
  readonly epoch?: Omit<EpochSoFar, "logits"> & { readonly length: number };
}

const count = z.number().int().min(0);

const model = z.looseObject({
  modelTopology: z.looseObject({}),
  weightsManifest: z.array(
    z.looseObject({
      weights: z.array(
        z.looseObject({
          name: z.string(),
          shape: z.array(count),
          dtype: z.enum(["float32", "int32", "bool"]),
        }),
      ),
      paths: z.array(z.string()).optional(),
    }),
  ),
  format: z.string().optional(),
});

const state = z.looseObject({
  formatVersion: z.literal(1),
  position: z.looseObject({ epoch: z.number().int().min(1), batch: count, step: count }),
  schedule: z.looseObject({
    learningRate: z.number().min(0),
    best: z.looseObject({ loss: z.number().nullable(), epoch: count }).nullable(),
    epochsSinceBest: count,
    epochsOnPlateau: count,
  }),
  optimizer: z.looseObject({
    updates: count,
    slots: z.array(z.looseObject({ name: z.string(), length: count })),
  }),
  epoch: z
    .looseObject({
      gradientNormSum: z.number(),
      length: count,
      conflicts: z.record(z.string(), z.tuple([count, count])).optional(),
    })
    .optional(),
});

/** @throws Error that names the file and the key */
export function readSavedModel(file: string): SavedModel {
  const value = readDocument(file);
  if (value.format === "graph-model") {
    throw new StoreError("it is a graph model, whose layers are gone; save a LayersModel", { file });
  }
  const saved = checked<SavedModel>(model, value, file);
  if ("node" in saved.modelTopology) {
    const format =
      saved.format === undefined ? "does not say its format" : `says that its format is "${shorten(saved.format)}"`;
    throw new StoreError(`it holds the nodes of a graph, but ${format}; a graph model says "graph-model"`, { file });
  }
  const problem = topologyProblem(saved.modelTopology);
  if (problem !== null) throw new StoreError(`its layers do not fit together: ${problem}`, { file });
  return saved;
}

/** @throws Error that names the file and the key */
export function readSavedState(file: string): SavedState {
  return checked<SavedState>(state, readDocument(file), file);
}

function readDocument(file: string): Readonly<Record<string, unknown>> {
  const value: unknown = JSON.parse(readFileSync(file, "utf8"));
  if (typeof value === "object" && value !== null) return { ...value };
  throw new StoreError(`${basename(file)} does not hold an object`, { file });
}

function checked<T>(schema: z.ZodType, value: unknown, file: string): T {
  const found = problemOf(schema, value);
  if (found === null) return value as T;
  const where = found.key === "" ? basename(file) : `"${found.key}" in ${basename(file)}`;
  throw new StoreError(`${where} is wrong: ${found.problem}`, { file, key: found.key });
}

/** Bytes of all weights together. */
function byteLength(weights: readonly io.WeightsManifestEntry[]): number {
  return weights.reduce((sum, { shape, dtype }) => sum + util.sizeFromShape(shape) * util.bytesPerElement(dtype), 0);
}

/**
 * The weights of a model, from the files that it names beside itself.
 * @throws Error where it names others, or they do not have as many bytes as its weights
 */
export function readWeightData(modelFile: string, { weightsManifest }: SavedModel): ArrayBuffer {
  const entries = weightsManifest.flatMap(({ weights }) => weights);
  // quantized weights take fewer bytes, and tfjs itself counts them
  const expected = entries.some(({ quantization }) => quantization !== undefined) ? null : byteLength(entries);
  const names = weightsManifest.flatMap(({ paths }) => paths ?? ["weights.bin"]);
  const files = names.map((name) => {
    const file = join(dirname(modelFile), name);
    const isBeside = basename(name) === name && lstatSync(file, { throwIfNoEntry: false })?.isFile() === true;
    if (!isBeside) throw new StoreError(`${JSON.stringify(name)} is no file beside ${basename(modelFile)}`, { file });
    return file;
  });
  const found = files.reduce((sum, file) => sum + lstatSync(file).size, 0);
  if (expected !== null && found !== expected) {
    throw new StoreError(`${names.join(", ")} has ${found} bytes instead of ${expected}`, { files, found, expected });
  }
  const bytes = Buffer.concat(files.map((file) => readFileSync(file)));
  const data = new ArrayBuffer(bytes.byteLength);
  new Uint8Array(data).set(bytes);
  return data;
}

/** Why reading a model has failed; what tfjs trips over in a damaged one says nothing to a person. */
export function reasonOf(error: unknown): string {
  if (error instanceof StoreError) return error.message;
  const message = lineOf(error);
  const isInternal = error instanceof TypeError || error instanceof RangeError || /undefined|\[object/.test(message);
  return isInternal ? "its layers are not as tfjs writes them" : message;
}
