/** @file Checkpoints: a plain tfjs LayersModel on disk, with what training needs to go on beside it. */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import type { InputSpec } from "../data/dataset.js";
import { StoreError } from "../errors.js";
import type { FlowGraph } from "../flow/graph.js";
import { Network } from "./network.js";
import type { OptimizerState } from "./optimizer.js";
import type { ScheduleState } from "./schedule.js";
import type { TrainerPosition } from "./trainer.js";

/** Everything beside the weights that a resumed run needs. */
export interface TrainingState {
  readonly position: TrainerPosition;
  readonly schedule: ScheduleState;
  readonly optimizer: OptimizerState;
}

/** model.json, weights.bin; state.json and optimizer.bin where training may go on from here. */
const MODEL = "model.json";
const WEIGHTS = "weights.bin";
const STATE = "state.json";
const OPTIMIZER = "optimizer.bin";

/**
 * Writes a checkpoint folder. The folder is complete or not there: it is written beside its place and renamed,
 * and the one it replaces is removed last.
 */
export async function saveCheckpoint(dir: string, network: Network, state?: TrainingState): Promise<void> {
  const writing = `${dir}.writing-${process.pid}`;
  try {
    rmSync(writing, { recursive: true, force: true });
    mkdirSync(writing, { recursive: true });
    await network.model.save(tf.io.withSaveHandler(async (artifacts) => writeModel(writing, artifacts)));
    if (state !== undefined) writeState(writing, state);
    replaceFolder(writing, dir);
  } catch (error) {
    rmSync(writing, { recursive: true, force: true });
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw new StoreError(
      `The checkpoint ${dir} cannot be written: ${code === "ENOSPC" ? "the disk is full" : (error as Error).message}. The checkpoint before it is kept. Free some space or choose another place with --store, then go on with --resume.`,
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

function writeState(dir: string, { optimizer, ...rest }: TrainingState): void {
  const slots = Object.entries(optimizer.slots);
  writeFileSync(join(dir, OPTIMIZER), Buffer.concat(slots.map(([, values]) => bytesOf(values))), { flush: true });
  const layout = slots.map(([name, values]) => ({ name, length: values.length }));
  const state = { formatVersion: 1, ...rest, optimizer: { updates: optimizer.updates, slots: layout } };
  writeFileSync(join(dir, STATE), JSON.stringify(state, null, 2), { flush: true });
}

function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

function replaceFolder(from: string, to: string): void {
  const old = oldFolder(to);
  rmSync(old, { recursive: true, force: true });
  if (existsSync(to)) renameSync(to, old);
  renameSync(from, to);
  rmSync(old, { recursive: true, force: true });
}

/** Where the previous checkpoint waits while it is being replaced. */
function oldFolder(dir: string): string {
  return `${dir}.old`;
}

/** The folder to read: the checkpoint, or the one before it if the process died between the two renames. */
function readableFolder(dir: string): string {
  const found = [dir, oldFolder(dir)].find((candidate) => existsSync(join(candidate, MODEL)));
  if (found === undefined) {
    throw new StoreError(
      `There is no checkpoint in ${dirname(dir)}. The run ended before its first one; run it again.`,
      {
        dir,
      },
    );
  }
  return found;
}

/** Opens the network of a checkpoint. The caller disposes it. */
export async function loadNetwork(
  dir: string,
  graph: FlowGraph,
  inputs: Readonly<Record<string, InputSpec>>,
): Promise<Network> {
  const folder = readableFolder(dir);
  const { modelTopology, weightsManifest } = readJson(join(folder, MODEL)) as {
    readonly modelTopology: object;
    readonly weightsManifest: readonly { readonly weights: tf.io.WeightsManifestEntry[] }[];
  };
  const weights = readFileSync(join(folder, WEIGHTS));
  const weightSpecs = weightsManifest.flatMap((group) => group.weights);
  const weightData = weights.buffer.slice(weights.byteOffset, weights.byteOffset + weights.byteLength) as ArrayBuffer;
  const model = await tfl.loadLayersModel(tf.io.fromMemory({ modelTopology, weightSpecs, weightData }));
  return Network.fromModel(graph, inputs, model);
}

/** Training state of a checkpoint. */
export function loadTrainingState(dir: string): TrainingState {
  const folder = readableFolder(dir);
  if (!existsSync(join(folder, STATE))) {
    throw new StoreError(`The checkpoint ${dir} holds weights only; training cannot go on from it.`, { dir });
  }
  const { position, schedule, optimizer } = readJson(join(folder, STATE)) as {
    readonly position: TrainerPosition;
    readonly schedule: ScheduleState;
    readonly optimizer: { readonly updates: number; readonly slots: readonly { name: string; length: number }[] };
  };
  const file = readFileSync(join(folder, OPTIMIZER));
  const values = new Float32Array(file.buffer.slice(file.byteOffset, file.byteOffset + file.byteLength));
  let at = 0;
  const slots = Object.fromEntries(
    optimizer.slots.map(({ name, length }) => {
      at += length;
      return [name, values.slice(at - length, at)];
    }),
  );
  return { position, schedule, optimizer: { updates: optimizer.updates, slots } };
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new StoreError(`${file} cannot be read: ${(error as Error).message}. The run's folder is damaged.`, { file });
  }
}
