/** @file Logits of a batch → what is kept of them: without padding, and of very wide answers their summaries. */
import { isSummarized, type Labels, scoringOf, summarize } from "../../tasks/index.js";
import type { BatchTargets } from "./targets.js";
import type { HeadLayout, PartValues } from "../model/layout.js";
import { hitsOf, lossOfMasked, maskedTask } from "./mask-tokens.js";
import type { Network } from "../model/network.js";
import type { InputBatch } from "../model/input-batch.js";
import { rowLengths } from "../model/token-lines.js";

/** A batch's outputs as they are kept, or travel. */
export interface BatchOutputs {
  /** [rows, layout.width] */
  readonly sample: Float32Array;
  /** Of each task per token, in the order of the graph: [positions of the rows, width of its answers]. */
  readonly tokens: readonly Float32Array[];
  /** Masked tokens that were guessed right. */
  readonly hits: number;
}

/**
 * @param targets labels for what is said about answers beside them; null: there are none
 * @param inputs of the batch, whose padding tells how long its rows are
 */
export function outputsOfBatch(
  network: Network,
  parts: PartValues,
  inputs: InputBatch,
  rows: number,
  targets: Pick<BatchTargets, "labels" | "masked"> | null,
): BatchOutputs {
  const { layout, graph } = network;
  const guessed = maskedTask(graph);
  return {
    sample: parts.sample,
    tokens:
      layout.tokenWidth === 0
        ? []
        : tokenOutputs(layout, parts.token, rowLengths(network.inputs, inputs, rows), targets?.labels ?? null),
    hits: guessed === null || targets === null ? 0 : hitsOf(guessed, parts.masked, targets),
  };
}

/** Sum of the cross entropies of a batch's masked tokens. */
export function guessedLoss(
  { graph }: Network,
  parts: PartValues,
  targets: Pick<BatchTargets, "labels" | "masked">,
): number {
  const guessed = maskedTask(graph);
  return guessed === null ? 0 : lossOfMasked(guessed, parts.masked, targets);
}

/**
 * @param lines [rows × padded length, layout.tokenWidth]
 * @param lengths tokens of each row
 * @param labels of each task of the graph, over the same lines
 */
function tokenOutputs(
  layout: HeadLayout,
  lines: Float32Array,
  lengths: Int32Array,
  labels: readonly Labels[] | null,
): Float32Array[] {
  const stride = layout.tokenWidth;
  const padded = lines.length / stride / Math.max(1, lengths.length);
  const positions = lengths.reduce((sum, length) => sum + length, 0);
  const unlabelled = { answers: new Float32Array(lines.length / stride).fill(Number.NaN), unitScale: null };
  return layout.columns.flatMap(({ task: { spec, index }, part, offset }) => {
    if (part !== "token") return [];
    const width = scoringOf(spec).logitWidth(spec);
    const kept = new Float32Array(positions * width);
    let at = 0;
    lengths.forEach((length, row) => {
      for (let line = row * padded; line < row * padded + length; line++, at += width) {
        if (isSummarized(spec)) {
          summarize(spec, { data: lines, stride, offset }, labels?.[index] ?? unlabelled, line, kept, at);
        } else {
          const from = line * stride + offset;
          kept.set(lines.subarray(from, from + width), at);
        }
      }
    });
    return [kept];
  });
}
