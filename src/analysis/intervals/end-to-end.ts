/** @file Intervals of what a user gets, over the rows that should be asked or are. */
import { f64At, u8At } from "../../arrays.js";
import { ASKED, UNDECIDED } from "../../flow/asked.js";
import type { EndToEndForm } from "../../tasks/end-to-end.js";
import { behaviourOf } from "../../tasks/index.js";
import type { ScoredTask } from "../score.js";
import type { IntervalsByName } from "./forms.js";
import { intervalOfMean, placesWhere, valuesAt } from "./numbers.js";
import { averageIntervals, type Question, questionIntervals } from "./questions.js";
import { shareInterval } from "./shares.js";
import type { Interval, Units } from "./spread.js";

type Form = EndToEndForm<ScoredTask["task"]["spec"]>;

// bits of what became of a question
const DUE = 1;
const GIVEN = 2;

/** What became of a task's questions, column by column. */
export interface OutcomeColumns {
  /** Where it can be told. */
  readonly known: Uint8Array;
  /** {@link DUE} and {@link GIVEN}, as bits. */
  readonly status: Uint8Array;
  /** Share of the answer that is right; 0 where none is due or given. */
  readonly right: Float64Array;
}

/** @param statuses which questions the labels say are asked, see `askedByLabels` */
export function outcomeColumns(task: ScoredTask, statuses: Uint8Array, tolerance: number): OutcomeColumns {
  const { spec } = task.task;
  const form = behaviourOf(spec).endToEnd;
  const answered = { spec, decoded: task.decoded, labels: task.labels };
  const known = new Uint8Array(statuses.length);
  const status = new Uint8Array(statuses.length);
  const right = new Float64Array(statuses.length);
  for (let row = 0; row < statuses.length; row++) {
    const isDue = statuses[row] === ASKED;
    if (statuses[row] === UNDECIDED || (isDue && task.labelled[row] === 0)) continue;
    known[row] = 1;
    status[row] = (isDue ? DUE : 0) | (task.activePredicted[row] === 1 ? GIVEN : 0);
    if (status[row] === (DUE | GIVEN) && form !== null) right[row] = form.right(answered, row, tolerance);
  }
  return { known, status, right };
}

/** Whether a row's question is asked where it is due and only there, and answered rightly. */
export function isRight({ status, right }: OutcomeColumns, row: number): boolean {
  const own = u8At(status, row);
  return own === 0 || (own === (DUE | GIVEN) && f64At(right, row) === 1);
}

/** Intervals of the end-to-end metrics of one task. */
export function endToEndIntervals(task: ScoredTask, columns: OutcomeColumns, units: Units): IntervalsByName {
  const { spec } = task.task;
  const form = behaviourOf(spec).endToEnd;
  const { known, status, right } = columns;
  const rowsWith = (bits: number): Int32Array => placesWhere(known, (row) => (u8At(status, row) & bits) !== 0);
  const shareOf = (bits: number, value: (row: number) => number): Interval | null => {
    const entries = rowsWith(bits);
    return shareInterval({ entries, units, value: (i) => value(entries[i] ?? 0) });
  };
  const both = (row: number): number => Number(u8At(status, row) === (DUE | GIVEN));
  const byTarget = form === null ? () => undefined : targetIntervals(task, form, columns, units);
  return (name) => {
    if (name === "asked_precision") return shareOf(GIVEN, both);
    if (name === "asked_recall") return shareOf(DUE, both);
    if (form === null) return undefined;
    if (name === form.rightness) return shareOf(DUE | GIVEN, (row) => f64At(right, row));
    const { error } = form;
    if (name === "mean_absolute_error" && error !== null) {
      const entries = placesWhere(known, (row) => both(row) === 1);
      const answered = { spec, decoded: task.decoded, labels: task.labels };
      return intervalOfMean({ entries, units, values: valuesAt(entries, (row) => error(answered, row)) });
    }
    return byTarget(name);
  };
}

/** Precision, recall and F1 of classes and labels, each a question of its own: "not asked" says no to all of them. */
function targetIntervals(task: ScoredTask, form: Form, { known, status }: OutcomeColumns, units: Units): IntervalsByName {
  const { spec } = task.task;
  const targets = form.targets(spec);
  const questions = targets.map((_, i): Question => {
    const truthAt = (row: number): boolean | undefined =>
      (u8At(status, row) & DUE) === 0 ? false : form.says(spec, task.labels.answers, row, i);
    const entries = placesWhere(known, (row) => u8At(status, row) !== 0 && truthAt(row) !== undefined);
    const truths = Uint8Array.from(entries, (row) => Number(truthAt(row)));
    const says = (row: number): boolean =>
      (u8At(status, row) & GIVEN) !== 0 && form.says(spec, task.decoded, row, i) === true;
    const decisions = Uint8Array.from(entries, (row) => Number(says(row)));
    return { entries, truths, decisions, scores: null, units };
  });
  const occurs = ({ truths, decisions }: Question): boolean => truths.includes(1) || decisions.includes(1);
  const average = averageIntervals(questions.filter(occurs), known.length, units);
  const single = questions.map(questionIntervals);
  return (name) => {
    const cut = name.indexOf("/");
    if (cut >= 0) return single[targets.indexOf(name.slice(cut + 1))]?.(name.slice(0, cut));
    return questions.length === 1 ? single[0]?.(name) : average(name);
  };
}
