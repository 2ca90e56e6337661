/** @file Checkpoints: a plain tfjs LayersModel on disk, with what training needs to go on beside it. */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import type { InputSpec } from "../../data/dataset.js";
import { StoreError } from "../../errors.js";
import type { FlowGraph } from "../../flow/graph.js";
import { readSavedModel, readSavedState, readWeightData, reasonOf, type SavedState } from "./saved-checkpoint.js";
import { Network, type NetworkOptions } from "./network.js";
import type { OptimizerState } from "./training-state.js";
import type { ScheduleState } from "./training-state.js";
import type { EpochSoFar, TrainerSnapshot } from "./training-state.js";

/** Everything beside the weights that a resumed run needs. */
export interface TrainingState extends TrainerSnapshot {
  readonly schedule: ScheduleState;
}

/** model.json, weights.bin; the others where training may go on from here. */
const MODEL = "model.json";
const WEIGHTS = "weights.bin";
const STATE = "state.json";
const OPTIMIZER = "optimizer.bin";
const EPOCH = "epoch.bin";

const BYTES_PER_FLOAT = 4;

/**
 * Writes a checkpoint folder. The folder is complete or not there: it is written beside its place and renamed,
 * and the one it replaces is removed last.
 */
export async function saveCheckpoint(dir: string, network: Network, state?: TrainingState): Promise<void> {
  // one name, so that what a killed process left behind is written over
  const writing = `${dir}.writing`;
  try {
    rmSync(writing, { recursive: true, force: true });
    mkdirSync(writing, { recursive: true });
    await network.model.save(tf.io.withSaveHandler(async (artifacts) => writeModel(writing, artifacts)));
    if (state !== undefined) writeState(writing, state);
    replaceFolder(writing, dir);
  } catch (error) {
    removeIfPossible(writing);
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw new StoreError(
      `The checkpoint ${dir} cannot be written: ${code === "ENOSPC" ? "the disk is full" : (error as Error).message}. The checkpoint before it is kept. Free some space or mend the folder, then go on with --resume.`,
      { dir, code },
      { cause: error },
    );
  }
}

function writeModel(dir: string, artifacts: tf.io.ModelArtifacts): tf.io.SaveResult {
  const weights = Buffer.concat(
    [artifacts.weightData ?? new ArrayBuffer(0)].flat().map((part) => Buffer.from(part as ArrayBuffer)),
  );
  const model = {
    modelTopology: artifacts.modelTopology,
    format: "layers-model",
    generatedBy: artifacts.generatedBy,
    convertedBy: null,
    weightsManifest: [{ paths: [WEIGHTS], weights: artifacts.weightSpecs }],
  };
  writeFileSync(join(dir, WEIGHTS), weights, { flush: true });
  writeFileSync(join(dir, MODEL), JSON.stringify(model), { flush: true });
  return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: "JSON" } };
}

function writeState(dir: string, { optimizer, epoch, ...rest }: TrainingState): void {
  const slots = Object.entries(optimizer.slots);
  writeFileSync(join(dir, OPTIMIZER), Buffer.concat(slots.map(([, values]) => bytesOf(values))), { flush: true });
  const layout = slots.map(([name, values]) => ({ name, length: values.length }));
  const saved: SavedState = { formatVersion: 1, ...rest, optimizer: { updates: optimizer.updates, slots: layout } };
  const state = epoch === undefined ? saved : { ...saved, epoch: writeEpoch(dir, epoch) };
  writeFileSync(join(dir, STATE), JSON.stringify(state, null, 2), { flush: true });
}

function writeEpoch(dir: string, { logits, ...numbers }: EpochSoFar): SavedState["epoch"] {
  writeFileSync(join(dir, EPOCH), bytesOf(logits), { flush: true });
  return { ...numbers, length: logits.length };
}

function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

function removeIfPossible(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true });
  } catch {
    // what made writing fail may make this fail too, and is the one to tell
  }
}

/** At every moment `to` or its `.old` is complete. */
function replaceFolder(from: string, to: string): void {
  const old = oldFolder(to);
  // without `to`, the old folder is the only checkpoint there is
  if (existsSync(to)) {
    rmSync(old, { recursive: true, force: true });
    renameSync(to, old);
  }
  renameSync(from, to);
  rmSync(old, { recursive: true, force: true });
}

/** Where the previous checkpoint waits while it is being replaced. */
function oldFolder(dir: string): string {
  return `${dir}.old`;
}

/** The checkpoint, or the one before it if the process died between the two renames. */
export function findCheckpoint(dir: string): string | undefined {
  return [dir, oldFolder(dir)].find((candidate) => existsSync(join(candidate, MODEL)));
}

/** Whether there is a checkpoint to read. */
export function hasCheckpoint(dir: string): boolean {
  return findCheckpoint(dir) !== undefined;
}

function readableFolder(dir: string): string {
  const found = findCheckpoint(dir);
  if (found !== undefined) return found;
  throw new StoreError(`There is no checkpoint in ${dirname(dir)}. The run ended before its first one; run it again.`, {
    dir,
  });
}

/**
 * Opens the network of a checkpoint. The caller disposes it.
 * @throws StoreError where the checkpoint is missing or damaged, or is that of another graph
 */
export async function loadNetwork(
  dir: string,
  graph: FlowGraph,
  inputs: Readonly<Record<string, InputSpec>>,
  options: NetworkOptions = {},
): Promise<Network> {
  const folder = readableFolder(dir);
  try {
    const saved = readSavedModel(join(folder, MODEL));
    const { modelTopology } = saved;
    const weightSpecs = saved.weightsManifest.flatMap(({ weights }) => weights);
    const weightData = readWeightData(join(folder, MODEL), saved);
    const model = await tfl.loadLayersModel(tf.io.fromMemory({ modelTopology, weightSpecs, weightData }));
    assertGiving(model);
    return Network.fromModel(graph, inputs, model, options);
  } catch (error) {
    throw damaged(folder, error);
  }
}

const TYPES: readonly unknown[] = ["float32", "int32", "bool"];

/**
 * @throws StoreError where the model, or one within it, has no output, or takes or gives what is no type of numbers: tfjs
 * would notice when it is asked
 */
function assertGiving(model: tfl.LayersModel): void {
  const { inputs, outputs, name, layers } = model;
  if (!Array.isArray(outputs) || outputs.length === 0) throw new StoreError(`the model "${name}" gives nothing`);
  const untyped = [...(inputs ?? []), ...outputs].find(({ dtype }) => !TYPES.includes(dtype));
  if (untyped !== undefined) {
    throw new StoreError(`"${untyped.name}" of the model "${name}" is of no type of numbers: ${String(untyped.dtype)}`);
  }
  for (const layer of layers) if ("layers" in layer) assertGiving(layer as tfl.LayersModel);
}

/**
 * Training state of a checkpoint.
 * @throws StoreError where it is missing or damaged
 */
export function loadTrainingState(dir: string): TrainingState {
  const folder = readableFolder(dir);
  if (!existsSync(join(folder, STATE))) {
    throw new StoreError(`The checkpoint ${dir} holds weights only; training cannot go on from it.`, { dir });
  }
  try {
    const { position, schedule, optimizer, epoch } = readSavedState(join(folder, STATE));
    const parameters = optimizer.slots.reduce((sum, { length }) => sum + length, 0);
    const values = new Float32Array(readBytes(join(folder, OPTIMIZER), parameters * BYTES_PER_FLOAT));
    const state = {
      position,
      schedule,
      optimizer: { updates: optimizer.updates, slots: splitSlots(optimizer, values) },
    };
    return epoch === undefined ? state : { ...state, epoch: readEpoch(folder, epoch) };
  } catch (error) {
    throw damaged(folder, error);
  }
}

function readEpoch(folder: string, { length, ...numbers }: NonNullable<SavedState["epoch"]>): EpochSoFar {
  const logits = new Float32Array(readBytes(join(folder, EPOCH), length * BYTES_PER_FLOAT));
  return { ...numbers, logits };
}

function splitSlots({ slots }: SavedState["optimizer"], values: Float32Array): OptimizerState["slots"] {
  let at = 0;
  return Object.fromEntries(
    slots.map(({ name, length }) => {
      at += length;
      return [name, values.slice(at - length, at)];
    }),
  );
}

/** A whole file in a buffer of its own; a shorter or longer one than expected is damaged. */
function readBytes(file: string, expected: number): ArrayBuffer {
  const bytes = readFileSync(file);
  if (bytes.byteLength !== expected) throw new Error(`${file} has ${bytes.byteLength} bytes instead of ${expected}`);
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
}

/** Whatever reading a checkpoint runs into, as an error that names the folder. */
function damaged(folder: string, error: unknown): StoreError {
  const reason = reasonOf(error);
  return new StoreError(
    `The checkpoint ${folder} cannot be read: ${reason}. Take a copy of the folder from a backup, or start a new run.`,
    { dir: folder, reason },
    { cause: error },
  );
}
