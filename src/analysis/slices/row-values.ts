/** @file How well each row is answered, one number per task: what slices are ranked by. */
import { at, f32At, f64At, i32At, u8At } from "../../arrays.js";
import { askedByLabels } from "../../flow/asked.js";
import { isPerElement, type FlowGraph } from "../../flow/graph.js";
import { neededOffsets, rowOfEachToken } from "../../flow/masks.js";
import type { EvaluatedGates } from "../../tasks/evaluation.js";
import { behaviourOf } from "../../tasks/index.js";
import { DEFAULT_TOLERANCE, DUE, GIVEN, LEFT_OUT, outcomesOf } from "../end-to-end.js";
import type { ScoredSplit, ScoredTask } from "../score.js";

/** One task over the rows of a split. */
export interface RowValues {
  readonly task_path: string;
  /** What the values are: `accuracy`, `absolute_error`, … */
  readonly measure: string;
  readonly higherIsBetter: boolean;
  /** Whether each value is 0 or 1. */
  readonly isDecision: boolean;
  /** [rows]; NaN where the row does not count. Of a task per token the mean over the row's tokens. */
  readonly values: Float64Array;
  /** Answers that count and are none, so that their mean is none, either. */
  readonly unanswered: number;
}

/**
 * Of every task that is judged answer by answer.
 * @param tolerance of numbers, end to end
 */
export function rowValues(
  graph: FlowGraph,
  scored: ScoredSplit,
  gates: EvaluatedGates,
  tolerance: number = DEFAULT_TOLERANCE,
): RowValues[] {
  const answers = scored.tasks.map(({ labels }) => labels.answers);
  const statuses = gates === "end_to_end" ? askedByLabels(graph, answers, scored.ids.length, scored.offsets) : null;
  return scored.tasks.flatMap((task): RowValues[] => {
    const { spec, path, index } = task.task;
    const { answeredBy, endToEnd, judgement } = behaviourOf(spec);
    if (answeredBy !== "network") return [];
    const over = (measure: string, higherIsBetter: boolean, entries: Float64Array, unanswered = 0): RowValues => {
      const values = isPerElement(spec) ? meansOfRows(entries, scored) : entries;
      const isDecision = values.every((value) => Number.isNaN(value) || value === 0 || value === 1);
      return { task_path: path, measure, higherIsBetter, isDecision, values, unanswered };
    };
    if (statuses !== null) {
      if (endToEnd === null) return [];
      const { fates, right } = outcomesOf(task, at(statuses, index), endToEnd, tolerance);
      const counts = (fate: number): boolean => fate !== LEFT_OUT && (fate & (DUE | GIVEN)) !== 0;
      return [
        over(
          endToEnd.rightness,
          true,
          right.map((own, i) => (counts(u8At(fates, i)) ? own : Number.NaN)),
        ),
      ];
    }
    if (judgement === null) return [];
    const mask = gates === "truth" ? task.lossMask : task.predictedMask;
    const values = judged(task, mask);
    const unanswered = values.reduce((sum, value, i) => sum + Number(mask[i] === 1 && Number.isNaN(value)), 0);
    return [over(judgement.name, judgement.higherIsBetter, values, unanswered)];
  });
}

function judged(task: ScoredTask, mask: Uint8Array): Float64Array {
  const { judgement } = behaviourOf(task.task.spec);
  const scored = { spec: task.task.spec, decoded: task.decoded, labels: task.labels };
  const values = new Float64Array(mask.length).fill(Number.NaN);
  for (let entry = 0; entry < mask.length; entry++) {
    if (mask[entry] === 0) continue;
    values[entry] = judgement?.valueAt(scored, entry, f32At(task.perSampleLoss, entry)) ?? Number.NaN;
  }
  return values;
}

function meansOfRows(entries: Float64Array, { ids, offsets }: ScoredSplit): Float64Array {
  const rowOf = rowOfEachToken(neededOffsets(offsets));
  const [sums, counts] = [new Float64Array(ids.length), new Float64Array(ids.length)];
  for (let entry = 0; entry < entries.length; entry++) {
    const value = f64At(entries, entry);
    if (Number.isNaN(value)) continue;
    const row = i32At(rowOf, entry);
    sums[row] = f64At(sums, row) + value;
    counts[row] = f64At(counts, row) + 1;
  }
  return sums.map((sum, row) => sum / f64At(counts, row));
}
