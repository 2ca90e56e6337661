/** @file Labels and loss masks of the rows of a batch. */
import { at, i32At, u8At } from "../../arrays.js";
import { selectLabels } from "../../data/labels/labels.js";
import { answerWidth, type Offsets, type RowMask } from "../../flow/masks.js";
import type { Labels } from "../../tasks/index.js";
import type { HeadLayout } from "../model/layout.js";

/** Labels and loss masks of the rows of one batch, per task in the order of the graph. */
export interface BatchTargets {
  readonly rows: number;
  /** Tokens of each row with its padding; 0 where no task is asked per token. */
  readonly length?: number;
  /** [lines of the task's part, answerWidth]; NaN where missing, and in the padding. */
  readonly labels: readonly Labels[];
  /**
   * Active by ground truth and labelled; 0 in the padding. Of masked language modelling, which has no labels until
   * tokens have been masked: the tokens that may be.
   */
  readonly masks: readonly RowMask[];
  /** Masked tokens as row × length + place, ascending. */
  readonly masked?: Int32Array;
}

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
  const gathered = layout.columns.map(({ task, part }) => {
    const own = at(labels, task.index);
    const mask = at(masks, task.index);
    if (part === "sample") {
      return { labels: selectLabels(own, rows, answerWidth(task.spec)), mask: gatherRows(mask, rows) };
    }
    if (tokens == null) throw new Error("a task per token needs the offsets of the rows' tokens");
    const width = answerWidth(task.spec);
    const answers = new Float32Array(rows.length * tokens.length * width).fill(Number.NaN);
    const padded = new Uint8Array(rows.length * tokens.length);
    copyTokens(own.answers, answers, rows, tokens, width);
    copyTokens(mask, padded, rows, tokens, 1);
    return { labels: { answers, unitScale: null }, mask: padded };
  });
  return {
    rows: rows.length,
    length: tokens?.length ?? 0,
    labels: gathered.map((one) => one.labels),
    masks: gathered.map(({ mask }) => mask),
  };
}

/** Tokens of some rows, each row padded to the length of the batch. */
export function copyTokens<A extends Float32Array | Uint8Array>(
  source: A,
  out: A,
  rows: ArrayLike<number>,
  { offsets, length }: BatchTokens,
  width: number,
): void {
  for (let i = 0; i < rows.length; i++) {
    const row = at(rows, i);
    const [from, to] = [i32At(offsets, row), i32At(offsets, row + 1)];
    out.set(source.subarray(from * width, to * width), i * length * width);
  }
}

function gatherRows(mask: RowMask, rows: ArrayLike<number>): RowMask {
  return Uint8Array.from(rows, (row) => u8At(mask, row));
}
