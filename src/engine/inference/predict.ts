/** @file Logits of many rows, task by task. */
import { at, f32At, i32At } from "../../arrays.js";
import type { Offsets } from "../../flow/masks.js";
import { isSummarized, type Labels } from "../../tasks/index.js";
import { joinEach } from "../batches/arrays.js";
import { padTokens } from "../batches/targets.js";
import type { InputBatch } from "../model/input-batch.js";
import type { HeadLayout, NetworkForm } from "../model/layout.js";
import type { Network } from "../model/network.js";
import { paddedLength, rowLengths } from "../model/padded-tokens.js";
import { type AnswerOptions, answerBatches, type BatchLabels } from "./answer-batches.js";

export interface PredictOptions extends AnswerOptions {
  /** Labels of all rows, for what is said about answers beside them. */
  readonly labelled?: { readonly labels: readonly Labels[]; readonly offsets?: Offsets | null };
}

/**
 * Logits of each task, in the order of the graph, [rows, task's width]; of a task per token [tokens of these rows,
 * width of its answers], without padding; of masked language modelling none. Where rows have token inputs, a batch has
 * rows of one length alone, so that nothing is padded and no answer depends on which other rows are asked.
 * @param network with an answerer among the options its form is enough
 * @param read inputs of some of the rows
 */
export async function predictLogits(
  network: Network | NetworkForm,
  rows: Int32Array,
  read: (rows: Int32Array) => InputBatch,
  options: PredictOptions = {},
): Promise<Float32Array[]> {
  const { width, tokenWidth } = network.layout;
  const { labelled } = options;
  const merged = new Float32Array(rows.length * width);
  // of each row, of each task per token
  const tokens: (readonly Float32Array[])[] = [];
  const lengths: Int32Array[] = [];
  const readBatch = (batch: Int32Array, index: number) => {
    const inputs = read(batch);
    if (tokenWidth > 0) lengths[index] = rowLengths(network, inputs, batch.length);
    return { inputs, labels: labelled === undefined ? null : labelsOf(network, labelled, batch, inputs) };
  };
  await answerBatches(network, rows, readBatch, options, (answers, index, indices) => {
    indices.forEach((row, i) => {
      merged.set(answers.sample.subarray(i * width, (i + 1) * width), row * width);
    });
    const perRow = lengths[index];
    if (perRow !== undefined) tokensOfRows(answers.tokens, perRow, indices, tokens);
  });
  return splitTasks(network.layout, merged, joinEach(tokens));
}

/**
 * Cuts what a batch says of its tokens into rows.
 * @param outputs of each task per token, [tokens of the rows, width of its answers]
 * @param indices where the rows of the batch stand in `out`
 */
function tokensOfRows(
  outputs: readonly Float32Array[],
  lengths: Int32Array,
  indices: Int32Array,
  out: (readonly Float32Array[])[],
): void {
  const tokens = lengths.reduce((sum, length) => sum + length, 0);
  let from = 0;
  lengths.forEach((length, i) => {
    const [first, end] = [from, from + length];
    out[i32At(indices, i)] = outputs.map((values) => {
      const width = tokens === 0 ? 0 : values.length / tokens;
      return values.subarray(first * width, end * width);
    });
    from = end;
  });
}

/** Labels of the tasks whose answers are kept as what is said of them beside their labels; null where there are none. */
function labelsOf(
  network: NetworkForm,
  { labels, offsets }: NonNullable<PredictOptions["labelled"]>,
  rows: Int32Array,
  inputs: InputBatch,
): BatchLabels | null {
  const { layout } = network;
  if (offsets == null || !layout.columns.some(({ task }) => isSummarized(task.spec))) return null;
  const length = paddedLength(network, inputs, rows.length);
  return {
    labels: layout.columns.map(({ task: { spec, index } }) => {
      if (!isSummarized(spec)) return { answers: NONE, unitScale: null };
      const answers = padTokens(at(labels, index).answers, rows, { offsets, length }, 1, Number.NaN);
      return { answers, unitScale: null };
    }),
  };
}

const NONE = new Float32Array(0);

/**
 * Merged matrix and outputs per token → one array per task, [rows, width] or [tokens, width].
 * @param merged [rows, layout.width]
 * @param tokens of each task per token, in the order of the graph
 */
export function splitTasks(
  layout: HeadLayout,
  merged: Float32Array,
  tokens: readonly Float32Array[] = [],
): Float32Array[] {
  return taskLogits(layout, merged, tokens).map((own) => own());
}

/** The same, each copied when it is asked for: of many rows all of them take as much as what they are copied from. */
export function taskLogits(
  layout: HeadLayout,
  merged: Float32Array,
  tokens: readonly Float32Array[] = [],
): (() => Float32Array)[] {
  const perToken = [...tokens];
  return layout.columns.map(({ axis, offset, width }) => {
    if (axis === "masked") return () => NONE;
    if (axis !== "token") return () => columnsOf(merged, layout.width, offset, width);
    const own = perToken.shift() ?? NONE;
    return () => own;
  });
}

/** Some columns of a matrix. @param stride how many it has */
export function columnsOf(matrix: Float32Array, stride: number, offset: number, width: number): Float32Array {
  const rows = stride === 0 ? 0 : matrix.length / stride;
  const columns = new Float32Array(rows * width);
  if (width === 1) {
    for (let row = 0; row < rows; row++) columns[row] = f32At(matrix, row * stride + offset);
    return columns;
  }
  for (let row = 0; row < rows; row++) {
    const from = row * stride + offset;
    columns.set(matrix.subarray(from, from + width), row * width);
  }
  return columns;
}
