/** @file Labels and loss masks of the rows of a batch. */
import { at, f32At, i32At } from "../../arrays.js";
import { selectEntries, selectLabels } from "../../data/labels/select-labels.js";
import { answerWidth, neededOffsets, type Offsets, type RowMask } from "../../flow/masks.js";
import type { Labels } from "../../tasks/index.js";
import type { HeadLayout, LogitAxis } from "../model/layout.js";

/** Labels and loss masks of the rows of one batch, per task in the order of the graph. */
export interface BatchTargets {
  readonly rows: number;
  /** Tokens of each row with its padding; 0 where no task is asked per token. */
  readonly length?: number;
  /** [rows of the task's matrix, answerWidth]; NaN where missing, and in the padding. */
  readonly labels: readonly Labels[];
  /**
   * Active by ground truth and labelled; 0 in the padding. Of masked language modelling, which has no labels until
   * tokens have been masked: the tokens that may be.
   */
  readonly masks: readonly RowMask[];
  /** How much each row counts, [rows]; left out where all count alike. */
  readonly weights?: Float32Array | undefined;
  /** Masked tokens as row × length + position, ascending. */
  readonly masked?: Int32Array;
  /** What the other picture of each row says; left out where each is one picture. */
  readonly mixed?: MixedTargets;
}

/** Of a batch whose pictures are mixtures of two: labels, masks and weights of the second, row by row. */
export interface MixedTargets extends Pick<BatchTargets, "labels" | "masks" | "weights"> {
  /** Part of each picture that is the row's own; the rest is the other's. */
  readonly share: number;
}

/** Labels that losses are made of, and how much an entry of them counts. */
export interface Voice extends Pick<BatchTargets, "labels" | "masks"> {
  weightOf(axis: LogitAxis): (entry: number) => number;
}

/** Those of a batch: one, or that of its own pictures and that of the others, by their shares. */
export function voicesOf(targets: BatchTargets): readonly Voice[] {
  const { labels, masks, mixed } = targets;
  if (mixed === undefined) return [{ labels, masks, weightOf: (axis) => entryWeights(targets, axis) }];
  const { share, weights, ...other } = mixed;
  const shared = (own: Pick<BatchTargets, "weights">, part: number) => (axis: LogitAxis) => {
    const weightOf = entryWeights({ ...targets, weights: own.weights }, axis);
    return (entry: number) => part * weightOf(entry);
  };
  return [
    { labels, masks, weightOf: shared(targets, share) },
    { labels: other.labels, masks: other.masks, weightOf: shared({ weights }, 1 - share) },
  ];
}

/** How much an entry of a matrix counts: as much as its row. */
export function entryWeights(
  { weights, length = 0, masked }: Pick<BatchTargets, "weights" | "length" | "masked">,
  axis: LogitAxis,
): (entry: number) => number {
  if (weights === undefined) return () => 1;
  switch (axis) {
    case "sample":
      return (row) => f32At(weights, row);
    case "token":
      return (token) => f32At(weights, Math.floor(token / length));
    case "masked":
      return (entry) => f32At(weights, Math.floor(i32At(masked ?? NONE, entry) / length));
    default:
      return axis satisfies never;
  }
}

const NONE = new Int32Array(0);

/** Where the tokens of a dataset's rows lie, and how long the padded rows of a batch are. */
export interface BatchTokens {
  readonly offsets: Offsets;
  readonly length: number;
}

/**
 * Labels and masks of some rows of a dataset, copied into batch order.
 * @param tokens needed where a task is asked per token
 */
export function gatherTargets(
  layout: HeadLayout,
  labels: readonly Labels[],
  masks: readonly RowMask[],
  rows: ArrayLike<number>,
  tokens?: BatchTokens | null,
): BatchTargets {
  const gathered = layout.columns.map(({ task: { spec, index }, axis }): { labels: Labels; mask: RowMask } => {
    const own = at(labels, index);
    const mask = at(masks, index);
    if (axis === "sample") {
      return { labels: selectLabels(spec, own, rows), mask: selectEntries(mask, rows, 1, null) };
    }
    const padded = { offsets: neededOffsets(tokens?.offsets), length: tokens?.length ?? 0 };
    const answers = padTokens(own.answers, rows, padded, answerWidth(spec), Number.NaN);
    return { labels: { answers, unitScale: null }, mask: padTokens(mask, rows, padded, 1, 0) };
  });
  return {
    rows: rows.length,
    length: tokens?.length ?? 0,
    labels: gathered.map((one) => one.labels),
    masks: gathered.map(({ mask }) => mask),
  };
}

/**
 * Entries of the tokens of some rows, each row padded to the length of the batch.
 * @param entries [tokens of all rows, width]
 * @returns [rows × length, width]
 */
export function padTokens<A extends Float32Array | Uint8Array>(
  entries: A,
  rows: ArrayLike<number>,
  { offsets, length }: BatchTokens,
  width: number,
  padding: number,
): A {
  const padded = new (entries.constructor as new (length: number) => A)(rows.length * length * width);
  padded.fill(padding);
  for (let i = 0; i < rows.length; i++) {
    const row = at(rows, i);
    const [from, to] = [i32At(offsets, row), i32At(offsets, row + 1)];
    padded.set(entries.subarray(from * width, to * width), i * length * width);
  }
  return padded;
}
