/** @file The label report: what a table's labels offer to each task, before anything is trained. */
import { atOnce, type Sliced } from "../platform/yield-to.js";
import { at, f32At, i32At, u8At } from "../arrays.js";
import type { ImpliedLabels, TableRows } from "../data/dataset.js";
import { isPerElement, type FlowGraph, type TaskNode } from "../flow/graph.js";
import { type AnswerColumn, activeRows, bothMasks, labelledRows, type Offsets, type RowMask } from "../flow/masks.js";
import { printCondition } from "../flow/print.js";
import { SPLITS, type Split } from "../tasks/evaluation.js";
import { behaviourOf, type Labels } from "../tasks/index.js";

/** How many of some rows a task can use. */
export interface LabelCounts {
  readonly rows: number;
  readonly labelled: number;
  /** Active by the labels. */
  readonly active: number;
  /** Labelled and active: these train and evaluate the task. */
  readonly used: number;
  /** Labelled but not active. */
  readonly wasted: number;
  /** Labelled although the precondition is false (not merely unknown); part of `wasted`. */
  readonly contradictory: number;
}

/** The rows of a split. */
export interface LabelReportRow extends LabelCounts {
  readonly split: Split;
  readonly task_path: string;
}

/** The rows of a table, whatever their split. */
export interface TableReportRow extends LabelCounts {
  readonly table: string;
  readonly task_path: string;
}

export interface LabelWarning {
  readonly task_path: string;
  /** `problem`: the task cannot be learnt. */
  readonly level: "problem" | "warning";
  readonly message: string;
}

export interface LabelReport {
  /** Per split, in the order of the flow. */
  readonly rows: readonly LabelReportRow[];
  /** Per table, in the order of the flow; empty where there is one table. */
  readonly tables: readonly TableReportRow[];
  /** Labels that were missing and follow from others; they count as labelled. */
  readonly implied: readonly ImpliedLabels[];
  readonly warnings: readonly LabelWarning[];
  /** Usable labels of each class, in the order of the flow. */
  readonly classes: readonly ClassCount[];
}

/** How many usable labels name a class; of tasks per token they are counted by token. */
export interface ClassCount {
  readonly task_path: string;
  /** A class or label; `true` or `false` of a yes-or-no task. */
  readonly class: string;
  readonly train: number;
  readonly valid: number;
  readonly test: number;
}

const FEW_ROWS = 10;

/**
 * Counts labels and warns of tasks that they cannot teach.
 * @param labels per task of the graph, over all rows of the table
 * @param splits row numbers of each split
 * @param source where the rows and labels come from
 */
export function labelReport(
  graph: FlowGraph,
  labels: readonly Labels[],
  splits: Readonly<Record<Split, ArrayLike<number>>>,
  source: LabelSource = {},
): LabelReport {
  return atOnce(labelReportSliced(graph, labels, splits, source));
}

/** Where rows and labels come from. */
export interface LabelSource {
  readonly tables?: readonly TableRows[];
  readonly implied?: readonly ImpliedLabels[];
  /** Where the tokens of each row lie; tasks per token are counted by token. */
  readonly offsets?: Offsets | null;
}

/** `labelReport` with room for signals. */
export function* labelReportSliced(
  graph: FlowGraph,
  labels: readonly Labels[],
  splits: Readonly<Record<Split, ArrayLike<number>>>,
  { tables = [], implied = [], offsets = null }: LabelSource,
): Sliced<LabelReport> {
  const tasks = maskLabels(graph, labels, offsets).filter(({ node }) => hasLabels(node));
  yield;
  const rows: LabelReportRow[] = [];
  for (const split of SPLITS) {
    for (const task of tasks) {
      rows.push({ split, task_path: task.node.path, ...countRows(task, splits[split]) });
      yield;
    }
  }
  const perTable: TableReportRow[] = [];
  for (const { table, rows: own } of tables.length > 1 ? tables : []) {
    for (const task of tasks) {
      perTable.push({ table, task_path: task.node.path, ...countRows(task, own) });
      yield;
    }
  }
  const warnings: LabelWarning[] = [];
  const classes: ClassCount[] = [];
  for (const task of tasks) {
    const task_path = task.node.path;
    const own = rows.filter((row) => row.task_path === task_path);
    warnings.push(...warningsOf(graph, task, own, splits.train).map((warning) => ({ task_path, ...warning })));
    yield;
    classes.push(...countClasses(task, splits));
    yield;
  }
  return { rows, tables: perTable, implied, warnings, classes };
}

function countClasses(task: MaskedLabels, splits: Readonly<Record<Split, ArrayLike<number>>>): ClassCount[] {
  const { spec, path } = task.node;
  const behaviour = behaviourOf(spec);
  const classes = behaviour.classes(spec);
  const questions = behaviour.questions(spec);
  if (classes === null && questions.length === 0) return [];
  const rowsOf = (split: Split): Int32Array => rowsIn(task.used, linesIn(task, splits[split]));
  const [train, valid, test] = [rowsOf("train"), rowsOf("valid"), rowsOf("test")];
  const among = (rows: Int32Array, width: number, place: number, values: number): Int32Array =>
    countAnswers(task.answers, rows, { width, place, values });
  const countsOf = (names: readonly string[], width = 1, place = 0) => {
    const [inTrain, inValid, inTest] = [train, valid, test].map((rows) => among(rows, width, place, names.length));
    return names.map(
      (name, i): ClassCount => ({
        ...{ task_path: path, class: name },
        ...{ train: inTrain?.[i] ?? 0, valid: inValid?.[i] ?? 0, test: inTest?.[i] ?? 0 },
      }),
    );
  };
  if (classes !== null) return countsOf(classes);
  return questions.flatMap((name, i): ClassCount[] => {
    const [no, yes] = countsOf(["false", "true"], questions.length, i);
    if (no === undefined || yes === undefined) return [];
    return name === null ? [yes, no] : [{ ...yes, class: name }];
  });
}

/** How many of some rows have each of the answers 0, 1, … */
function countAnswers(
  answers: AnswerColumn,
  rows: Int32Array,
  { width, place, values }: { readonly width: number; readonly place: number; readonly values: number },
): Int32Array {
  const counts = new Int32Array(values);
  for (let i = 0; i < rows.length; i++) {
    const answer = f32At(answers, i32At(rows, i) * width + place);
    // one that is missing, or no whole number, is none of them
    if (answer >= 0 && answer < values && Number.isInteger(answer)) counts[answer] = i32At(counts, answer) + 1;
  }
  return counts;
}

/** Masked tokens are their own labels: there is nothing to report. */
function hasLabels({ spec }: TaskNode): boolean {
  return behaviourOf(spec).answeredBy !== "training";
}

interface MaskedLabels {
  readonly node: TaskNode;
  /** null where the task is asked once per row. */
  readonly offsets: Offsets | null;
  readonly answers: AnswerColumn;
  readonly labelled: RowMask;
  readonly active: RowMask;
  readonly used: RowMask;
  /** Precondition false, labelled or not. */
  readonly excluded: RowMask;
}

function maskLabels(graph: FlowGraph, labels: readonly Labels[], offsets: Offsets | null): MaskedLabels[] {
  const answers = graph.tasks.map(({ index }) => at(labels, index).answers);
  const labelled = graph.tasks.map(({ index, spec }) => labelledRows(spec, at(answers, index)));
  const rows = offsets === null ? (labelled[0]?.length ?? 0) : offsets.length - 1;
  const active = activeRows(graph, answers, rows, offsets);
  const excluded = excludedRows(graph, answers, active, rows, offsets);
  return graph.tasks.map((node, i) => ({
    node,
    offsets: isPerElement(node.spec) ? offsets : null,
    answers: at(answers, i),
    labelled: at(labelled, i),
    active: at(active, i),
    used: bothMasks(at(active, i), at(labelled, i)),
    excluded: at(excluded, i),
  }));
}

/** Rows whose precondition is false: those where a twin of the task, given the negation, would be active. */
function excludedRows(
  graph: FlowGraph,
  answers: readonly AnswerColumn[],
  asked: readonly RowMask[],
  rows: number,
  offsets: Offsets | null,
): RowMask[] {
  const count = graph.tasks.length;
  const twins = graph.tasks.map(
    (task): TaskNode => ({
      ...task,
      index: count + task.index,
      // no path has a space, so no condition reads a twin
      path: `not ${task.path}`,
      precondition: task.precondition === null ? null : { kind: "not", of: task.precondition },
    }),
  );
  const active = activeRows({ ...graph, tasks: [...graph.tasks, ...twins] }, [...answers, ...answers], rows, offsets);
  return graph.tasks.map(({ index, precondition }) =>
    precondition === null ? new Uint8Array(asked[index]?.length ?? rows) : at(active, count + index),
  );
}

function countRows(task: MaskedLabels, splitRows: ArrayLike<number>): LabelCounts {
  const rows = linesIn(task, splitRows);
  let [labelled, active, used, contradictory] = [0, 0, 0, 0];
  for (let i = 0; i < rows.length; i++) {
    const row = i32At(rows, i);
    const isLabelled = u8At(task.labelled, row);
    labelled += isLabelled;
    active += u8At(task.active, row);
    used += u8At(task.used, row);
    contradictory += isLabelled & u8At(task.excluded, row);
  }
  return { rows: rows.length, labelled, active, used, wasted: labelled - used, contradictory };
}

/** Some rows, or their tokens where the task is asked per token. */
function linesIn({ offsets }: MaskedLabels, rows: ArrayLike<number>): Int32Array {
  if (offsets === null) return rows instanceof Int32Array ? rows : Int32Array.from(rows);
  const [from, to] = [(row: number) => i32At(offsets, row), (row: number) => i32At(offsets, row + 1)];
  let count = 0;
  for (let i = 0; i < rows.length; i++) count += to(at(rows, i)) - from(at(rows, i));
  const lines = new Int32Array(count);
  count = 0;
  for (let i = 0; i < rows.length; i++) {
    const row = at(rows, i);
    for (let token = from(row); token < to(row); token++) lines[count++] = token;
  }
  return lines;
}

function rowsIn(mask: RowMask, rows: Int32Array): Int32Array {
  let count = 0;
  for (let i = 0; i < rows.length; i++) count += u8At(mask, i32At(rows, i));
  const found = new Int32Array(count);
  count = 0;
  for (let i = 0; i < rows.length; i++) {
    const row = i32At(rows, i);
    if (mask[row] === 1) found[count++] = row;
  }
  return found;
}

type Warning = Omit<LabelWarning, "task_path">;

function warningsOf(
  graph: FlowGraph,
  task: MaskedLabels,
  counts: readonly LabelReportRow[],
  train: ArrayLike<number>,
): Warning[] {
  const inTrain = counts.find(({ split }) => split === "train");
  const contradictory = counts.reduce((sum, row) => sum + row.contradictory, 0);
  return [
    ...(inTrain === undefined ? [] : shortages(graph, task.node, inTrain, counts)),
    ...constantAnswers(task, rowsIn(task.used, linesIn(task, train))),
    ...(contradictory === 0
      ? []
      : [
          warning(
            `${contradictory} of its labelled rows ${contradictory === 1 ? "has" : "have"} a precondition that the labels say is false; they are not used, so correct either label`,
          ),
        ]),
  ];
}

function shortages(
  graph: FlowGraph,
  { precondition }: TaskNode,
  train: LabelReportRow,
  counts: readonly LabelReportRow[],
): Warning[] {
  if (precondition !== null && counts.every(({ active }) => active === 0)) {
    return [
      problem(
        `is active in no row of the table, so it can never be learnt: its precondition "${printCondition(graph, precondition)}" is never true; label its gates where they are met, or correct what it is given in the flow "${graph.flow}"`,
      ),
    ];
  }
  if (train.labelled === 0) return [problem("has no labelled row in train; label some, or remove it from the flow")];
  if (train.used === 0) {
    const rows = train.labelled === 1 ? "row" : "rows";
    return [problem(`is labelled in ${train.labelled} ${rows} in train but active in none; label its gates there`)];
  }
  if (train.used < FEW_ROWS) {
    return [warning(`has only ${train.used} usable ${train.used === 1 ? "row" : "rows"} in train; label more`)];
  }
  return [];
}

/** Questions that train answers always the same. */
function constantAnswers({ node: { spec }, answers }: MaskedLabels, rows: Int32Array): Warning[] {
  const answersTo = (width: number, offset: number): Set<number> => {
    const seen = new Set<number>();
    // more than one is all that is asked
    for (let i = 0; i < rows.length && seen.size < 2; i++) {
      const answer = f32At(answers, i32At(rows, i) * width + offset);
      if (!Number.isNaN(answer)) seen.add(answer);
    }
    return seen;
  };
  const only = (seen: Set<number>): number | undefined => (seen.size === 1 ? [...seen][0] : undefined);
  const behaviour = behaviourOf(spec);
  const classes = behaviour.classes(spec);
  if (classes !== null) {
    const answer = only(answersTo(1, 0));
    return answer === undefined ? [] : [warning(`is "${classes[answer]}" in every usable row in train`)];
  }
  const questions = behaviour.questions(spec);
  return questions.flatMap((label, i) => {
    const answer = only(answersTo(questions.length, i));
    if (answer === undefined) return [];
    const says = label === null ? `is ${answer >= 0.5} in` : `has the label "${label}" in`;
    return [warning(`${says} ${label === null || answer >= 0.5 ? "every" : "no"} usable row in train`)];
  });
}

function problem(message: string): Warning {
  return { level: "problem", message };
}

function warning(message: string): Warning {
  return { level: "warning", message };
}
