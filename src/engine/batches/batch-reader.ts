/** @file Rows of a dataset → inputs and targets of a batch, augmented and masked. */
import type { Dataset, InputSource } from "../../data/dataset.js";
import { selectEntries } from "../../data/labels/select-labels.js";
import type { RowMask } from "../../flow/masks.js";
import type { BatchAugmenter } from "./augment.js";
import { type BatchTargets, type BatchTokens, gatherTargets } from "./targets.js";
import type { BatchMasker } from "./mask-tokens.js";
import type { NetworkForm } from "../model/layout.js";
import type { Network } from "../model/network.js";
import type { InputBatch } from "../model/input-batch.js";
import { paddedLength } from "../model/padded-tokens.js";

export interface Batch {
  readonly rows: Int32Array;
  readonly inputs: InputBatch;
  readonly targets: BatchTargets;
}

/** What training reads of a dataset. */
export type TrainingData = Pick<Dataset, "inputs" | "labels" | "offsets" | "weights">;

export interface BatchChanges {
  readonly epoch: number;
  readonly augment?: BatchAugmenter | undefined;
  readonly mask?: BatchMasker | undefined;
}

/** @param masks loss mask of each task over all rows of the dataset */
export function createBatchReader(
  network: Network,
  dataset: TrainingData,
  masks: readonly RowMask[],
  { epoch, augment, mask }: BatchChanges,
): (rows: Int32Array) => Promise<Batch> {
  return async (rows) => {
    const inputs = readInputs(network, dataset, rows);
    const tokens = batchTokens(network, dataset, inputs, rows.length);
    const gathered = gatherTargets(network.layout, dataset.labels, masks, rows, tokens);
    const { weights = null } = dataset;
    const plain = weights === null ? gathered : { ...gathered, weights: selectEntries(weights, rows, 1, null) };
    const seen = augment === undefined ? { inputs, targets: plain } : await augment(epoch, rows, inputs, plain);
    const targets = mask?.(epoch, rows, seen.inputs, seen.targets) ?? seen.targets;
    return { rows, inputs: seen.inputs, targets };
  };
}

/** Where the tokens of a batch lie; null where no task is asked per token. */
export function batchTokens(
  network: Network,
  { offsets }: Pick<Dataset, "offsets">,
  batch: InputBatch,
  rows: number,
): BatchTokens | null {
  const { layout } = network;
  if (offsets == null || layout.tokenWidth + layout.maskedWidth === 0) return null;
  return { offsets, length: paddedLength(network, batch, rows) };
}

/** Inputs of some rows of a dataset. */
export function readInputs(
  network: Pick<NetworkForm, "inputs">,
  dataset: Pick<Dataset, "inputs">,
  rows: ArrayLike<number>,
): InputBatch {
  return Object.fromEntries(
    Object.keys(network.inputs).map((name) => [name, (dataset.inputs[name] as InputSource).read(rows)]),
  );
}
