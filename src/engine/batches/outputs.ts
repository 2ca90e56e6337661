/** @file Logits of a batch → what is kept of them: without padding, and of very wide answers their summaries. */
import { isSummarized, type Labels, scoringOf, summarize } from "../../tasks/index.js";
import type { BatchTargets } from "./targets.js";
import type { HeadLayout, LogitValues, NetworkForm } from "../model/layout.js";
import { hitsOf, lossOfMasked, maskedTask } from "./mask-tokens.js";
import type { InputBatch } from "../model/input-batch.js";
import { rowLengths } from "../model/padded-tokens.js";

/** A batch's outputs as they are kept, or travel. */
export interface BatchOutputs {
  /** [rows, layout.width] */
  readonly sample: Float32Array;
  /** Of each task per token, in the order of the graph: [tokens of the rows, width of its answers]. */
  readonly tokens: readonly Float32Array[];
  /** Masked tokens that were guessed right. */
  readonly hits: number;
}

/**
 * @param targets labels for what is said about answers beside them; null: there are none
 * @param inputs of the batch, whose padding tells how long its rows are
 */
export function outputsOfBatch(
  network: NetworkForm,
  logits: LogitValues,
  inputs: InputBatch,
  rows: number,
  targets: Pick<BatchTargets, "labels" | "masked"> | null,
): BatchOutputs {
  const { layout, graph } = network;
  const guessed = maskedTask(graph);
  return {
    sample: logits.sample,
    tokens:
      layout.tokenWidth === 0
        ? []
        : tokenOutputs(layout, logits.token, rowLengths(network, inputs, rows), targets?.labels ?? null),
    hits: guessed === null || targets === null ? 0 : hitsOf(guessed, logits.masked, targets),
  };
}

/** Sum of the cross entropies of a batch's masked tokens. */
export function guessedLoss(
  { graph }: NetworkForm,
  logits: LogitValues,
  targets: Pick<BatchTargets, "labels" | "masked">,
): number {
  const guessed = maskedTask(graph);
  return guessed === null ? 0 : lossOfMasked(guessed, logits.masked, targets);
}

/**
 * @param logits [rows × padded length, layout.tokenWidth]
 * @param lengths tokens of each row
 * @param labels of each task of the graph, over the same rows
 */
function tokenOutputs(
  layout: HeadLayout,
  logits: Float32Array,
  lengths: Int32Array,
  labels: readonly Labels[] | null,
): Float32Array[] {
  const stride = layout.tokenWidth;
  const padded = logits.length / stride / Math.max(1, lengths.length);
  const tokens = lengths.reduce((sum, length) => sum + length, 0);
  const unlabelled = { answers: new Float32Array(logits.length / stride).fill(Number.NaN), unitScale: null };
  return layout.columns.flatMap(({ task: { spec, index }, axis, offset }) => {
    if (axis !== "token") return [];
    const width = scoringOf(spec).logitWidth(spec);
    const kept = new Float32Array(tokens * width);
    let at = 0;
    lengths.forEach((length, row) => {
      for (let token = row * padded; token < row * padded + length; token++, at += width) {
        if (isSummarized(spec)) {
          summarize(spec, { data: logits, stride, offset }, labels?.[index] ?? unlabelled, token, kept, at);
        } else {
          const from = token * stride + offset;
          kept.set(logits.subarray(from, from + width), at);
        }
      }
    });
    return [kept];
  });
}
