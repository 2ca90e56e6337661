/** @file Intervals of what a user gets, over the rows that should be asked or are. */
import { f64At, i32At, u8At } from "../../arrays.js";
import type { EndToEndForm } from "../../tasks/end-to-end.js";
import { behaviourOf } from "../../tasks/index.js";
import { lazily } from "../../tasks/metrics/table.js";
import { DUE, GIVEN, LEFT_OUT, type Outcomes } from "../end-to-end.js";
import { bytes, integers } from "../scratch.js";
import type { ScoredTask } from "../score.js";
import type { IntervalsByName } from "./forms.js";
import { intervalOfMean, valuesAt } from "./numbers.js";
import { averageIntervals, type MeasuredQuestion, measured, type Question, questionIntervals } from "./questions.js";
import { shareInterval, wilson } from "./shares.js";
import type { Interval, Units } from "./spread.js";

type Form = EndToEndForm<ScoredTask["task"]["spec"]>;

const RIGHTLY_ASKED = DUE | GIVEN;

/** Intervals of the end-to-end metrics of one task. */
export function endToEndIntervals(task: ScoredTask, outcomes: Outcomes, units: Units): IntervalsByName {
  const { spec } = task.task;
  const form = behaviourOf(spec).endToEnd;
  const { fates, right } = outcomes;
  // of a task below gates most rows are neither due nor given: they are passed over once
  const rows = lazily(() => countedRows(fates));
  const counts = lazily(() => countsOf(outcomes, rows()));
  /** Of rows alone the counts say all; of groups, and of answers that are right in part, each row counts. */
  const shareOf = (bits: number, value: (row: number) => number, of: number, counted: number): Interval | null => {
    if (of === 0) return null;
    if (units.of === null && counts().isDecision) return wilson(counted / of, of);
    const entries = rows().filter((row) => (u8At(fates, row) & bits) !== 0);
    return shareInterval({ entries, units, value: (i) => value(i32At(entries, i)) });
  };
  const both = (row: number): number => Number(u8At(fates, row) === RIGHTLY_ASKED);
  const byTarget = form === null ? () => undefined : targetIntervals(task, form, fates, rows(), units);
  return (name) => {
    const { due, given, both: rightlyAsked, right: sum } = counts();
    if (name === "asked_precision") return shareOf(GIVEN, both, given, rightlyAsked);
    if (name === "asked_recall") return shareOf(DUE, both, due, rightlyAsked);
    if (form === null) return undefined;
    if (name === form.rightness) {
      return shareOf(DUE | GIVEN, (row) => f64At(right, row), due + given - rightlyAsked, sum);
    }
    const { error } = form;
    if (name === "mean_absolute_error" && error !== null) {
      const entries = rows().filter((row) => u8At(fates, row) === RIGHTLY_ASKED);
      const answered = { spec, decoded: task.decoded, labels: task.labels };
      return intervalOfMean({ entries, units, values: valuesAt(entries, (row) => error(answered, row)) });
    }
    return byTarget(name);
  };
}

/** Rows that are due or given, in their order. */
function countedRows(fates: Uint8Array): Int32Array {
  const rows = integers(fates.length);
  let count = 0;
  for (let row = 0; row < fates.length; row++) {
    const fate = u8At(fates, row);
    if (fate !== 0 && fate !== LEFT_OUT) rows[count++] = row;
  }
  return rows.subarray(0, count);
}

function countsOf({ fates, right }: Outcomes, rows: Int32Array) {
  const counts = { due: 0, given: 0, both: 0, right: 0, isDecision: true };
  for (let i = 0; i < rows.length; i++) {
    const row = i32At(rows, i);
    const fate = u8At(fates, row);
    if ((fate & DUE) !== 0) counts.due++;
    if ((fate & GIVEN) !== 0) counts.given++;
    if (fate !== RIGHTLY_ASKED) continue;
    const own = f64At(right, row);
    counts.both++;
    counts.right += own;
    if (own !== 0 && own !== 1) counts.isDecision = false;
  }
  return counts;
}

/** Precision, recall and F1 of classes and labels, each a question of its own: "not asked" says no to all of them. */
function targetIntervals(
  task: ScoredTask,
  form: Form,
  fates: Uint8Array,
  rows: Int32Array,
  units: Units,
): IntervalsByName {
  const { spec } = task.task;
  const targets = form.targets(spec);
  const questions = targets.map((_, i) => measured(targetQuestion(task, form, fates, rows, i, units)));
  const occurs = ({ question: { truths, decisions } }: MeasuredQuestion): boolean =>
    truths.includes(1) || decisions.includes(1);
  const average = averageIntervals(questions.filter(occurs), fates.length, units);
  const single = questions.map(questionIntervals);
  return (name) => {
    const cut = name.indexOf("/");
    if (cut >= 0) return single[targets.indexOf(name.slice(cut + 1))]?.(name.slice(0, cut));
    return questions.length === 1 ? single[0]?.(name) : average(name);
  };
}

/** One class or label over the rows that are due or given, and whose label for it is known. */
function targetQuestion(
  { task: { spec }, labels, decoded }: ScoredTask,
  form: Form,
  fates: Uint8Array,
  rows: Int32Array,
  target: number,
  units: Units,
): Question {
  const entries = integers(rows.length);
  const truths = bytes(rows.length);
  const decisions = bytes(rows.length);
  let count = 0;
  for (let i = 0; i < rows.length; i++) {
    const row = i32At(rows, i);
    const fate = u8At(fates, row);
    const truth = (fate & DUE) === 0 ? false : form.says(spec, labels.answers, row, target);
    if (truth === undefined) continue;
    entries[count] = row;
    truths[count] = truth ? 1 : 0;
    decisions[count] = (fate & GIVEN) !== 0 && form.says(spec, decoded, row, target) === true ? 1 : 0;
    count++;
  }
  return {
    entries: entries.subarray(0, count),
    truths: truths.subarray(0, count),
    decisions: decisions.subarray(0, count),
    scores: null,
    units,
  };
}
