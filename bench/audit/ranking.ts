/** @file Rankings of suspicious labels beside each other: with the flow, and task by task without it. */
import { at } from "../../src/arrays.js";
import { confidentJoint } from "../../src/analysis/audit/confident-learning.js";
import { answerForm, choiceProbabilities, numbersOf, questionProbabilities } from "../../src/analysis/audit/forms.js";
import { errorCost, errorScale } from "../../src/analysis/audit/residuals.js";
import type { ScoredSplit, ScoredTask } from "../../src/analysis/score.js";

/** A filled cell and how suspicious it is; more is more. */
export interface RankedCell {
  readonly row: number;
  readonly task: number;
  readonly score: number;
}

/** How a task by itself is ranked. */
export type Baseline =
  /** Labels that confident learning counts as another, by self-confidence, then the others; numbers are no business of it. */
  | "issues first"
  /** 1 − the probability of the label. */
  | "self-confidence"
  /** The largest probability of another value − that of the label. */
  | "margin";

/**
 * Confident learning of each task by itself over all its labelled rows, asked or not. Numbers have no classes; with
 * `numbers` they are ranked by their error on a robust scale, as the probability of a larger one.
 */
export function withoutFlow(scored: ScoredSplit, baseline: Baseline, numbers: boolean): RankedCell[] {
  return scored.tasks.flatMap((task, index) => {
    const rows = [...task.labelled.keys()].filter((row) => task.labelled[row] === 1);
    const scores = scoresOf(task, rows, baseline, numbers);
    return rows.map((row, i) => ({ row, task: index, score: at(scores, i) }));
  });
}

function scoresOf(task: ScoredTask, rows: readonly number[], baseline: Baseline, numbers: boolean): number[] {
  const form = answerForm(task.task.spec);
  const { answers, unitScale } = task.labels;
  if (form === null) return rows.map(() => 0);
  if (form.kind === "numbers") {
    if (!numbers) return rows.map(() => Number.NEGATIVE_INFINITY);
    const { spec } = task.task;
    const labels = rows.map((row) => at(numbersOf(spec, answers, unitScale, row), 0));
    const errors = rows.map((row, i) => at(labels, i) - at(numbersOf(spec, task.decoded, unitScale, row), 0));
    const scale = errorScale(errors, Math.max(...labels) - Math.min(...labels));
    return errors.map((error) => 1 - Math.exp(-errorCost(error, scale)));
  }
  if (form.kind === "choice") {
    const probabilities = rows.map((row) => choiceProbabilities(task, form.values, row));
    return classScores(
      probabilities,
      rows.map((row) => at(answers, row)),
      form.values,
      baseline,
    );
  }
  const perQuestion = Array.from({ length: form.width }, (_, question) =>
    classScores(
      rows.map((row) => {
        const yes = at(questionProbabilities(task, form.width, row), question);
        return [1 - yes, yes];
      }),
      rows.map((row) => at(answers, row * form.width + question)),
      2,
      baseline,
    ),
  );
  return rows.map((_, i) => Math.max(...perQuestion.map((scores) => at(scores, i))));
}

function classScores(
  probabilities: readonly (readonly number[])[],
  labels: readonly number[],
  values: number,
  baseline: Baseline,
): number[] {
  const { isIssue } = confidentJoint((row, value) => at(at(probabilities, row), value), labels, values);
  return labels.map((label, i) => {
    const own = at(at(probabilities, i), label);
    if (baseline === "margin") {
      return Math.max(...at(probabilities, i).filter((_, value) => value !== label)) - own;
    }
    return 1 - own + (baseline === "issues first" && isIssue[i] === 1 ? 1 : 0);
  });
}

/** Average precision: the mean, over the wrong cells, of the precision at each one's rank; ties in the middle. */
export function averagePrecision(cells: readonly RankedCell[], isWrong: (cell: RankedCell) => boolean): number {
  const sorted = [...cells].sort((a, b) => b.score - a.score);
  const wrong = sorted.filter(isWrong).length;
  let [found, sum, seen] = [0, 0, 0];
  for (let i = 0; i < sorted.length; ) {
    let end = i;
    while (end < sorted.length && at(sorted, end).score === at(sorted, i).score) end++;
    const own = sorted.slice(i, end).filter(isWrong).length;
    found += own;
    seen = end;
    // a step of the curve, as in scikit-learn
    sum += own * (found / seen);
    i = end;
  }
  return sum / wrong;
}
