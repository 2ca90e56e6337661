/**
 * @file Sets of answers that hold the true one with a given probability: split conformal prediction, on labelled rows that
 * the network was not trained on.
 */
import { at, f32At } from "../../arrays.js";
import { ASKED, askedByLabels, UNDECIDED } from "../../flow/asked.js";
import { isPerElement, type FlowGraph, gatesOf, type TaskNode, type TaskSpec } from "../../flow/graph.js";
import { ConfigError, UsageError } from "../../errors.js";
import { answerSpaceOf } from "../../tasks/answer-space.js";
import { behaviourOf } from "../../tasks/index.js";
import { withCalibration } from "../calibration/apply.js";
import { type Calibrations, fitCalibration } from "../calibration/fit.js";
import type { ScoredSplit, ScoredTask } from "../score.js";
import { conformalQuantile, ErrorRanks, rowsNeeded } from "./quantile.js";
import { strangenessOf } from "./strangeness.js";

/** What is guaranteed: each answer where its question is asked, or the whole tree. */
export const COVERED = ["tree", "answer"] as const;
export type Covered = (typeof COVERED)[number];

/** Splits that a guarantee can be made of: the network was not trained on them. */
export const CALIBRATING_SPLITS = ["valid", "test"] as const;

/** Limits within which the true answers are, with the probability `level`. */
export interface Coverage {
  readonly of: Covered;
  readonly level: number;
  /** Rows that the guarantee was made of; of single answers the most that a task has. */
  readonly rows: number;
  /** Per task the limit of strangeness (`strangenessOf`); null where nothing is said of its answers. */
  readonly limits: readonly (number | null)[];
  /** What the scores are calibrated by before they are compared with a limit. */
  readonly calibrations: Calibrations;
  /** What the guarantee does not reach, and why. */
  readonly warnings: readonly string[];
}

/** @throws UsageError unless it lies between 0 and 1 */
export function checkedLevel(level: number): number {
  if (level > 0 && level < 1) return level;
  throw new UsageError(`A coverage of ${level} is none: give a probability between 0 and 1, e.g. 0.95.`, { level });
}

/** The tasks of which sets can be made: answered by the network once per row, with answers of a known kind. */
function coveredTasks(graph: FlowGraph): TaskNode[] {
  return graph.tasks.filter(
    ({ spec }) =>
      !isPerElement(spec) && behaviourOf(spec).answeredBy === "network" && answerSpaceOf<TaskSpec>(spec) !== null,
  );
}

/** Tasks that the network answers, and of which no sets can be made. */
function uncoveredTasks(graph: FlowGraph): TaskNode[] {
  const covered = new Set(coveredTasks(graph));
  return graph.tasks.filter((task) => behaviourOf(task.spec).answeredBy === "network" && !covered.has(task));
}

/**
 * Limits for each task by itself, calibrated on the rows where its question is due and labelled: given that it is due,
 * the true answer is within the limit with the probability `level` (Mondrian conformal prediction, with the gates as
 * categories: Vovk et al. 2005, §4.5).
 * @throws ConfigError where no task has rows enough
 */
export function fitAnswerCoverage(graph: FlowGraph, scored: ScoredSplit, level: number): Coverage {
  const needed = rowsNeeded(checkedLevel(level));
  const limits: (number | null)[] = graph.tasks.map(() => null);
  const warnings = uncoveredTasks(graph).map(({ path }) => `${path}: no sets of answers are made of tasks of its kind`);
  let rows = 0;
  for (const { index, path } of coveredTasks(graph)) {
    const task = at(scored.tasks, index);
    const found = task.lossMask.reduce<number[]>((all, counted, row) => {
      const strangeness = counted === 1 ? strangenessOf(task, row) : Number.NaN;
      if (!Number.isNaN(strangeness)) all.push(strangeness);
      return all;
    }, []);
    limits[index] = conformalQuantile(Float64Array.from(found), level);
    rows = Math.max(rows, found.length);
    if (found.length < needed) {
      const many = `${found.length} active labelled row${found.length === 1 ? "" : "s"}`;
      warnings.push(
        `${path}: ${many} of ${scored.split} say nothing at ${level}, ${needed} would; its sets hold everything`,
      );
    }
    warnings.push(...unseenChoices(graph, scored, index));
  }
  if (rows < needed) throw tooFew(scored, level, rows, needed, "active labelled rows of any task");
  return { of: "answer", level, rows, limits, calibrations: {}, warnings };
}

/**
 * Limits for all tasks together: with the probability `level` every question that is due has its true answer within its
 * limit, so that the true tree is among those that the limits allow. A row is as strange as the strangest of its true
 * answers. Every second row makes the tasks comparable, by temperatures of their scores and the ranks of their errors; the
 * others make the guarantee, which therefore holds whatever the former say.
 * @throws ConfigError where too few rows have a tree that is known, or a gate is of a kind of which no sets are made
 */
export function fitTreeCoverage(graph: FlowGraph, scored: ScoredSplit, level: number): Coverage {
  checkedLevel(level);
  refuseBlindGates(graph);
  const tasks = coveredTasks(graph);
  const comparing = everySecondRow(scored, 1);
  const calibrations = fitCalibration(graph, comparing, "temperature").tasks;
  const ranks = new Map<number, ErrorRanks>();
  for (const { index, spec } of tasks) {
    if (answerSpaceOf<TaskSpec>(spec)?.form === "numbers") ranks.set(index, errorRanks(at(comparing.tasks, index)));
  }
  const trees = new KnownTrees(graph, withCalibration(scored, calibrations), tasks, ranks);
  const strangest: number[] = [];
  const leftOut: TaskNode[] = [];
  for (let row = 0; row < scored.ids.length; row += 2) {
    const found = trees.strangest(row);
    if (typeof found === "number") strangest.push(found);
    else leftOut.push(found);
  }
  const needed = rowsNeeded(level);
  if (strangest.length < needed) {
    const what = "rows whose whole tree is labelled, among every second one (the others make tasks comparable)";
    throw tooFew(scored, level, strangest.length, needed, what);
  }
  const limit = conformalQuantile(Float64Array.from(strangest), level);
  const limits: (number | null)[] = graph.tasks.map(() => null);
  for (const { index } of tasks) limits[index] = ranks.get(index)?.errorAt(limit) ?? limit;
  const warnings = uncoveredTasks(graph).map(
    ({ path }) => `${path}: the guarantee for trees says nothing of its answers`,
  );
  for (const { index, path } of tasks) {
    if (limits[index] !== Number.POSITIVE_INFINITY) continue;
    warnings.push(`${path}: no error of it was seen that says how large one may be; its intervals have no end`);
  }
  warnings.push(...tasks.flatMap(({ index }) => unseenChoices(graph, scored, index)));
  warnings.push(...manyLeftOut(leftOut, strangest.length, scored));
  return { of: "tree", level, rows: strangest.length, limits, calibrations, warnings };
}

/** The same split, of which only the rows from one on count, in steps of two. */
function everySecondRow(scored: ScoredSplit, from: number): ScoredSplit {
  const tasks = scored.tasks.map((task) => ({
    ...task,
    lossMask: task.lossMask.map((counted, row) => (row % 2 === from ? counted : 0)),
  }));
  return { ...scored, tasks };
}

function errorRanks(task: ScoredTask): ErrorRanks {
  const errors = [...task.lossMask.keys()].filter((row) => task.lossMask[row] === 1);
  return new ErrorRanks(errors.map((row) => strangenessOf(task, row)).filter((error) => !Number.isNaN(error)));
}

/** Rows of which the labels say the whole tree. */
class KnownTrees {
  readonly #scored: ScoredSplit;
  readonly #tasks: readonly TaskNode[];
  readonly #due: readonly Uint8Array[];
  readonly #ranks: ReadonlyMap<number, ErrorRanks>;

  /** @param ranks of the errors of tasks whose answers are numbers */
  constructor(
    graph: FlowGraph,
    scored: ScoredSplit,
    tasks: readonly TaskNode[],
    ranks: ReadonlyMap<number, ErrorRanks>,
  ) {
    this.#ranks = ranks;
    this.#scored = scored;
    this.#tasks = tasks;
    const answers = scored.tasks.map(({ labels }) => labels.answers);
    this.#due = askedByLabels(graph, answers, scored.ids.length, scored.offsets);
  }

  /** Of the true answers of a row; where some of its tree is not known, the first task of which that is so. */
  strangest(row: number): number | TaskNode {
    let most = 0;
    for (const task of this.#tasks) {
      const { index } = task;
      const due = this.#due[index]?.[row];
      if (due === UNDECIDED) return task;
      if (due !== ASKED) continue;
      const own = strangenessOf(at(this.#scored.tasks, index), row);
      if (Number.isNaN(own)) return task;
      most = Math.max(most, this.#ranks.get(index)?.rankOf(own) ?? own);
    }
    return most;
  }
}

function refuseBlindGates(graph: FlowGraph): void {
  const blind = new Map(uncoveredTasks(graph).map((task) => [task.path, task]));
  for (const { path, precondition } of graph.tasks) {
    const gate = precondition === null ? undefined : [...gatesOf(precondition)].find((one) => blind.has(one));
    if (gate === undefined) continue;
    throw new ConfigError(
      `No set of trees can be made: "${path}" hangs on "${gate}", and no sets of answers are made of tasks of its kind. Ask for sets of single answers: --coverage-of answer.`,
      { task: path, gate },
    );
  }
}

/**
 * Rows with many questions are left out oftenest, and are the hardest: where there are many of them, inputs as they come
 * are not like the rows that the guarantee is made of.
 * @param leftOut of each row that does not count, a task whose answer is not known
 */
function manyLeftOut(leftOut: readonly TaskNode[], counted: number, { split }: ScoredSplit): string[] {
  const rows = leftOut.length + counted;
  if (leftOut.length <= MANY * rows) return [];
  const counts = new Map<string, number>();
  for (const { path } of leftOut) counts.set(path, (counts.get(path) ?? 0) + 1);
  const [most = ""] = [...counts].sort(([, a], [, b]) => b - a).map(([path]) => path);
  return [
    `${leftOut.length} of ${rows} rows of ${split} do not count, because labels are missing where a question is due or may be (most often ${most}); the guarantee is for inputs like the others`,
  ];
}

const MANY = 0.1;

/** Choices of which the rows say nothing: no guarantee is about them in particular. */
function unseenChoices(graph: FlowGraph, scored: ScoredSplit, index: number): string[] {
  const { path, spec } = at(graph.tasks, index);
  const classes = behaviourOf(spec).classes(spec);
  if (classes === null) return [];
  const { labels, lossMask } = at(scored.tasks, index);
  const seen = new Set<number>();
  lossMask.forEach((counted, row) => {
    if (counted === 1) seen.add(f32At(labels.answers, row));
  });
  const unseen = classes.filter((_, choice) => !seen.has(choice));
  if (unseen.length === 0) return [];
  const [verb, what] = unseen.length === 1 ? ["occurs", "it is"] : ["occur", "they are"];
  return [
    `${path}: ${unseen.join(", ")} never ${verb} in ${scored.split}, so nothing is known of how often ${what} missed`,
  ];
}

function tooFew({ split }: ScoredSplit, level: number, rows: number, needed: number, what: string): ConfigError {
  const most = Math.floor((1000 * rows) / (rows + 1)) / 1000;
  const lower = rows === 0 ? "Label more rows." : `Label more rows, or ask for at most ${most}.`;
  return new ConfigError(
    `A coverage of ${level} needs at least ${needed} ${what} in ${split}; there ${rows === 1 ? "is" : "are"} ${rows}. ${lower}`,
    { level, rows, needed, split },
  );
}
