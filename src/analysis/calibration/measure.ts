/** @file How far probabilities are from what comes true, before and after calibration. */
import { at, f32At, u8At } from "../../arrays.js";
import { calibrationForm } from "../../decoding/calibration.js";
import type { FlowGraph, TaskSpec } from "../../flow/graph.js";
import type { Split } from "../../tasks/evaluation.js";
import { allLogits, behaviourOf, isSummarized } from "../../tasks/index.js";
import { negativeLogLikelihood } from "../../tasks/metrics/log-loss.js";
import type { ScoredSplit, ScoredTask } from "../score.js";
import { withCalibration } from "./apply.js";
import { choiceRows, eventsOf, gather } from "./events.js";
import type { Calibrations } from "./fit.js";
import { binned, equalMassBins, errorOf } from "./reliability.js";

/** Number by which calibration is judged; less is better. */
export const CALIBRATION_METRICS = ["ece", "ece_adaptive", "brier", "log_loss"] as const;
export type CalibrationMetric = (typeof CALIBRATION_METRICS)[number];

/** One number of one task, of the network's own scores and of calibrated ones; null without answers. */
export interface CalibrationRow {
  readonly split: Split;
  readonly task_path: string;
  readonly metric_name: CalibrationMetric;
  readonly raw: number | null;
  readonly calibrated: number | null;
  /**
   * Labelled answers: events of a multilabel or ordinal, rows (tokens) of every other task. Where one of them is NaN no
   * number is defined (docs/architecture.md#answers-that-are-nan).
   */
  readonly num_samples: number;
}

/**
 * Of every task that has probabilities, over the rows of its loss mask: the expected calibration error over 10 bins of
 * equal width (Guo et al. 2017) and of equal mass (Nguyen & O'Connor, "Posterior calibration and exploratory analysis
 * for natural language processing models", EMNLP 2015), of a classification that of its answer; the Brier score, of a
 * classification summed over its classes (Brier 1950); and the log loss.
 */
export function measureCalibration(
  graph: FlowGraph,
  scored: ScoredSplit,
  calibrations: Calibrations,
): CalibrationRow[] {
  const after = withCalibration(scored, calibrations);
  return graph.tasks.flatMap(({ index, path, spec }): CalibrationRow[] => {
    if (calibrationForm<TaskSpec>(spec) === null || isSummarized(spec)) return [];
    const [old, renewed] = [judged(at(scored.tasks, index)), judged(at(after.tasks, index))];
    return CALIBRATION_METRICS.map((metric_name) => ({
      ...{ split: scored.split, task_path: path, metric_name, num_samples: old.count },
      raw: defined(old[metric_name]),
      calibrated: defined(renewed[metric_name]),
    }));
  });
}

type Judged = Readonly<Record<CalibrationMetric | "count", number>>;

function defined(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}

function judged(scored: ScoredTask): Judged {
  const { spec } = scored.task;
  const classes = behaviourOf(spec).choices(spec)?.length;
  return classes === undefined ? judgedEvents(scored) : judgedChoices(scored, classes);
}

function undefinedOver(count: number): Judged {
  return { count, ece: Number.NaN, ece_adaptive: Number.NaN, brier: Number.NaN, log_loss: Number.NaN };
}

function judgedEvents(scored: ScoredTask): Judged {
  const { indices, truths, unanswered } = eventsOf(scored, 0, 1);
  if (unanswered > 0) return undefinedOver(indices.length + unanswered);
  const scores = gather(allLogits(scored.kept).activated, indices);
  let [brier, loss] = [0, 0];
  scores.forEach((score, i) => {
    const truth = u8At(truths, i);
    brier += (score - truth) ** 2;
    loss += negativeLogLikelihood(truth === 1 ? score : 1 - score);
  });
  return { ...reliability(scores, truths), brier: brier / scores.length, log_loss: loss / scores.length };
}

function judgedChoices(scored: ScoredTask, classes: number): Judged {
  const { rows, unanswered } = choiceRows(scored, classes);
  if (unanswered > 0) return undefinedOver(rows.length + unanswered);
  const { activated } = allLogits(scored.kept);
  let [brier, loss] = [0, 0];
  const scores = new Float32Array(rows.length);
  const truths = new Uint8Array(rows.length);
  rows.forEach((row, i) => {
    const label = f32At(scored.labels.answers, row);
    for (let c = 0; c < classes; c++) brier += (f32At(activated, row * classes + c) - Number(c === label)) ** 2;
    loss += negativeLogLikelihood(f32At(activated, row * classes + label));
    const decoded = f32At(scored.decoded, row);
    scores[i] = f32At(activated, row * classes + decoded);
    truths[i] = Number(decoded === label);
  });
  return { ...reliability(scores, truths), brier: brier / rows.length, log_loss: loss / rows.length };
}

function reliability(scores: Float32Array, truths: Uint8Array): Pick<Judged, "ece" | "ece_adaptive" | "count"> {
  const answers = [{ name: null, labels: truths, scores }];
  return {
    ece: binned(answers).expectedCalibrationError ?? Number.NaN,
    ece_adaptive: errorOf(equalMassBins(scores, truths)) ?? Number.NaN,
    count: scores.length,
  };
}
