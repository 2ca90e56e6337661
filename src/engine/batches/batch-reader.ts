/** @file Rows of a dataset → inputs and targets of a batch, augmented and masked. */
import type { Dataset, InputSource } from "../../data/dataset.js";
import { selectEntries } from "../../data/labels/select-labels.js";
import type { RowMask } from "../../flow/masks.js";
import type { BatchAugmenter } from "./augment.js";
import type { ShardPlace } from "./shards.js";
import { type BatchTargets, type BatchTokens, gatherTargets } from "./targets.js";
import type { BatchMasker } from "./mask-tokens.js";
import type { NetworkForm } from "../model/layout.js";
import type { Network } from "../model/network.js";
import type { InputBatch } from "../model/input-batch.js";
import { isSequence, paddedLength, tokenInputOf } from "../model/padded-tokens.js";

export interface Batch {
  readonly rows: Int32Array;
  readonly inputs: InputBatch;
  readonly targets: BatchTargets;
  /** The rows that the inputs are of; undefined: all. */
  readonly place?: ShardPlace | undefined;
}

/** What training reads of a dataset. */
export type TrainingData = Pick<Dataset, "inputs" | "labels" | "offsets" | "weights">;

export interface BatchChanges {
  readonly epoch: number;
  readonly augment?: BatchAugmenter | undefined;
  readonly mask?: BatchMasker | undefined;
  /** The rows whose inputs are needed, where nothing is changed that the others have a part in. */
  readonly ownRows?: ((rows: number) => ShardPlace) | undefined;
}

/** @param masks loss mask of each task over all rows of the dataset */
export function createBatchReader(
  network: Network,
  dataset: TrainingData,
  masks: readonly RowMask[],
  { epoch, augment, mask, ownRows }: BatchChanges,
): (rows: Int32Array) => Promise<Batch> {
  // tokens are as wide as the longest of the batch
  const isAlone = augment === undefined && mask === undefined && !Object.values(network.inputs).some(isSequence);
  return async (rows) => {
    if (ownRows !== undefined && isAlone) return readOwn(network, dataset, masks, rows, ownRows(rows.length));
    const inputs = readInputs(network, dataset, rows);
    const tokens = batchTokens(network, dataset, inputs, rows.length);
    const plain = plainTargets(network, dataset, masks, rows, tokens);
    const seen = augment === undefined ? { inputs, targets: plain } : await augment(epoch, rows, inputs, plain);
    const targets = mask?.(epoch, rows, seen.inputs, seen.targets) ?? seen.targets;
    return { rows, inputs: seen.inputs, targets };
  };
}

/** The targets of a whole batch, and the inputs of some of its rows. */
function readOwn(
  network: Network,
  dataset: TrainingData,
  masks: readonly RowMask[],
  rows: Int32Array,
  place: ShardPlace,
): Batch {
  // a row that stands in for none, where there are none
  const own = place.rows === 0 ? rows.subarray(0, 1) : rows.subarray(place.before, place.before + place.rows);
  const targets = plainTargets(network, dataset, masks, rows, null);
  return { rows, inputs: readInputs(network, dataset, own), targets, place };
}

function plainTargets(
  { layout }: Network,
  { labels, weights = null }: TrainingData,
  masks: readonly RowMask[],
  rows: Int32Array,
  tokens: BatchTokens | null,
): BatchTargets {
  const gathered = gatherTargets(layout, labels, masks, rows, tokens);
  return weights === null ? gathered : { ...gathered, weights: selectEntries(weights, rows, 1, null) };
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

/** Inputs of some rows of a dataset, and the ids of texts whose tokens they have vectors for. */
export function readInputs(
  network: Pick<NetworkForm, "inputs">,
  dataset: Pick<Dataset, "inputs">,
  rows: ArrayLike<number>,
): InputBatch {
  const counted = tokenInputOf(network.inputs);
  const names = new Set([...Object.keys(network.inputs), ...(counted === null ? [] : [counted])]);
  return Object.fromEntries([...names].map((name) => [name, (dataset.inputs[name] as InputSource).read(rows)]));
}
