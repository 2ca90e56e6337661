/** @file What a network said about one split, beside what the labels say: the input of every other analysis. */
import { at } from "../arrays.js";
import { type FlowGraph, isPerPixel, type TaskNode, type TaskSpec } from "../flow/graph.js";
import { type AnswerColumn, activeRows, bothMasks, labelledRows, type Offsets, type RowMask } from "../flow/masks.js";
import { decodeFlow, type Extent } from "../decoding/decode-flow.js";
import type { Split } from "../tasks/evaluation.js";
import {
  behaviourOf,
  isOverlap,
  type KeptAnswers,
  keptAnswers,
  type Labels,
  overlapLoss,
  scoringNumbers,
  scoringOf,
  type Thresholds,
} from "../tasks/index.js";

/** A network's raw outputs on one split; the columns are in the order of the graph's tasks. */
export interface SplitOutputs {
  readonly split: Split;
  /** Name of each row. */
  readonly ids: readonly string[];
  /** Where the tokens of each row lie among those of all rows; needed where a task is asked per token. */
  readonly offsets?: Offsets | null;
  /**
   * Per task what the engine keeps: logits, [rows, logitWidth] or, of a task per token, [tokens, logitWidth]; where the
   * task is summarized, a summary of each.
   */
  readonly outputs: readonly Float32Array[];
  /** Per task, over the same rows. */
  readonly labels: readonly Labels[];
}

/**
 * One task's answers to a split, which rows they count on, and their losses. Of a task per token all arrays are over
 * tokens instead of rows.
 */
export interface ScoredTask {
  readonly task: TaskNode;
  readonly thresholds: Thresholds;
  readonly labels: Labels;
  /** Logits and what they come to, or their summaries. */
  readonly kept: KeptAnswers;
  /** [rows, answerWidth], label units. */
  readonly decoded: AnswerColumn;
  /** Active by the labels. */
  readonly activeTruth: RowMask;
  /** Active by the decoded answers, recursively. */
  readonly activePredicted: RowMask;
  readonly labelled: RowMask;
  /** Active by the labels, and labelled. */
  readonly lossMask: RowMask;
  /** Active by the decoded answers, and labelled. */
  readonly predictedMask: RowMask;
  /** Mean of the row's known loss terms, unweighted; NaN where not labelled. Shape [rows]. */
  readonly perSampleLoss: Float32Array;
}

export interface ScoredSplit {
  readonly split: Split;
  readonly ids: readonly string[];
  /** Where the tokens of each row lie among those of all rows. */
  readonly offsets?: Offsets | null;
  /** In the order of the graph's tasks. */
  readonly tasks: readonly ScoredTask[];
}

/** Activates, decodes and masks a split's outputs. */
export function scoreSplit(graph: FlowGraph, outputs: SplitOutputs, thresholds: readonly Thresholds[]): ScoredSplit {
  const work = scoreSplitSliced(graph, outputs, thresholds);
  for (;;) {
    const { done, value } = work.next();
    if (done === true) return value;
  }
}

/** `scoreSplit` with room for signals between its tasks. */
export function* scoreSplitSliced(
  graph: FlowGraph,
  outputs: SplitOutputs,
  thresholds: readonly Thresholds[],
): Generator<undefined, ScoredSplit, undefined> {
  const extent = { rows: outputs.ids.length, offsets: outputs.offsets ?? null };
  const answers = outputs.labels.map((labels) => labels.answers);
  const active = activeRows(graph, answers, extent.rows, extent.offsets);
  const undecoded: UndecodedTask[] = [];
  for (const [i, task] of graph.tasks.entries()) {
    yield;
    const own = at(outputs.outputs, i);
    const labels = at(outputs.labels, i);
    const activeTruth = at(active, i);
    const labelled = labelledRows(task.spec, labels.answers);
    const kept = keptAnswers(task.spec, own, () => behaviourOf(task.spec).activate(task.spec, own));
    const lossMask = countedRows(task, activeTruth, labelled);
    const rows = activeTruth.length;
    // where nothing is labelled, as where a server answers, no row has a loss
    const perSampleLoss = labelled.includes(1)
      ? perSampleLosses(task, own, labels, rows, lossMask)
      : new Float32Array(rows).fill(Number.NaN);
    undecoded.push({ task, labels, kept, activeTruth, labelled, lossMask, perSampleLoss });
  }
  yield;
  const tasks = decodeTasks(graph, undecoded, thresholds, extent);
  return { split: outputs.split, ids: outputs.ids, offsets: extent.offsets, tasks };
}

/** What is scored one task after the other; see {@link SplitOutputs}. */
interface TaskOutputs extends Pick<SplitOutputs, "offsets" | "labels"> {
  readonly rows: number;
  /** Per task, made when it is asked for. */
  readonly outputs: readonly (() => Float32Array)[];
}

/** A task's answers where its gates are those of the labels. */
export type ScoredByTruth = Pick<ScoredTask, "task" | "labels" | "kept" | "decoded" | "lossMask" | "perSampleLoss">;

/**
 * Tasks with the gates of the labels, one after the other, so that no more than one of them is in memory with all that
 * follows from its logits. Those that the network does not answer are left out.
 */
export function* scoreByTruth(
  graph: FlowGraph,
  { rows, offsets, labels: all, outputs }: TaskOutputs,
  thresholds: readonly Thresholds[],
): Generator<ScoredByTruth, void, undefined> {
  const active = activeRows(
    graph,
    all.map(({ answers }) => answers),
    rows,
    offsets,
  );
  for (const [i, task] of graph.tasks.entries()) {
    const { spec } = task;
    if (behaviourOf(spec).answeredBy !== "network") continue;
    const own = at(outputs, i)();
    const labels = at(all, i);
    const kept = keptAnswers(spec, own, () => behaviourOf(spec).activate(spec, own));
    const { activated } = scoringNumbers(kept);
    const decoded = scoringOf(spec).decode(spec, activated, at(thresholds, i), labels.unitScale);
    const lossMask = countedRows(task, at(active, i), labelledRows(spec, labels.answers));
    const perSampleLoss = perSampleLosses(task, own, labels, lossMask.length);
    yield { task, labels, kept, decoded, lossMask, perSampleLoss };
  }
}

/** The same split decided by other thresholds; activations and losses are kept. */
export function withThresholds(graph: FlowGraph, scored: ScoredSplit, thresholds: readonly Thresholds[]): ScoredSplit {
  const extent = { rows: scored.ids.length, offsets: scored.offsets ?? null };
  return { ...scored, tasks: decodeTasks(graph, scored.tasks, thresholds, extent) };
}

type UndecodedTask = Omit<ScoredTask, "thresholds" | "decoded" | "activePredicted" | "predictedMask">;

function decodeTasks(
  graph: FlowGraph,
  tasks: readonly UndecodedTask[],
  thresholds: readonly Thresholds[],
  extent: Extent,
): ScoredTask[] {
  const scores = tasks.map(({ kept, labels }, i) => ({
    activated: scoringNumbers(kept).activated,
    thresholds: at(thresholds, i),
    unitScale: labels.unitScale,
    known: labels.answers,
  }));
  const { decoded, active } = decodeFlow(graph, scores, extent, scoringOf);
  return tasks.map(({ task, labels, kept, activeTruth, labelled, lossMask, perSampleLoss }, i) => {
    const activePredicted = at(active, i);
    const predictedMask = countedRows(task, activePredicted, labelled);
    const answered = { thresholds: at(thresholds, i), decoded: at(decoded, i), activePredicted, predictedMask };
    return { task, labels, kept, activeTruth, labelled, lossMask, perSampleLoss, ...answered };
  });
}

/** Rows on which the network's answer counts: none where it is the table that answers, or only training that asks. */
function countedRows({ spec }: TaskNode, active: RowMask, labelled: RowMask): RowMask {
  return scoringOf(spec).answeredBy === "network" ? bothMasks(active, labelled) : new Uint8Array(active.length);
}

/** Pixels of the picture that a loss of whole pictures is of. */
function pictureSize(spec: TaskSpec): number | null {
  return isPerPixel(spec) ? spec.size[0] * spec.size[1] : null;
}

/**
 * Mean of each row's known loss terms; NaN where it has none.
 * @param counted entries that a loss of whole pictures is made of; default: all that are labelled
 */
export function perSampleLosses(
  { spec }: Pick<TaskNode, "spec">,
  outputs: Float32Array,
  labels: Labels,
  rows: number,
  counted: RowMask = labelledRows(spec, labels.answers),
): Float32Array {
  const behaviour = scoringOf(spec);
  const view = { data: outputs, stride: behaviour.logitWidth(spec), offset: 0 };
  const losses = new Float32Array(rows);
  if (behaviour.answeredBy !== "network") return losses.fill(Number.NaN);
  const pixels = isOverlap(spec) ? pictureSize(spec) : null;
  if (isOverlap(spec) && pixels !== null) {
    // every pixel has the loss of its picture
    for (let from = 0; from < rows; from += pixels) {
      const to = Math.min(from + pixels, rows);
      losses.fill(overlapLoss(spec, view, { answers: labels.answers, mask: counted, from, to }, null), from, to);
    }
    return losses.map((loss, pixel) => (Number.isNaN(labels.answers[pixel]) ? Number.NaN : loss));
  }
  for (let row = 0; row < rows; row++) {
    // a row without terms is 0 / 0 = NaN: it has no loss
    losses[row] = behaviour.lossSum(spec, view, labels, row, null) / behaviour.lossTerms(spec, labels, row);
  }
  return losses;
}
