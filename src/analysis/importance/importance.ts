/** @file Permutation importance: what each task loses where a column says of each row what it says of another one. */
import { at, i32At } from "../../arrays.js";
import { createRandom } from "../../data/rng.js";
import { InterruptedError } from "../../errors.js";
import { isPerElement, type FlowGraph, type TaskNode } from "../../flow/graph.js";
import { neededOffsets, rowOfEachToken } from "../../flow/masks.js";
import { behaviourOf, directionOfMetric, LOSS } from "../../tasks/index.js";
import { metricsUnder } from "../metrics-under.js";
import type { ScoredSplit } from "../score.js";

/** What one column, or several together, are worth to one task. */
export interface Importance {
  readonly task_path: string;
  /** Columns that were permuted together. */
  readonly columns: readonly string[];
  readonly metric_name: string;
  readonly higher_is_better: boolean;
  /** Of the metric, with all columns as they are; null where it is undefined. */
  readonly score: number | null;
  /** How much worse the metric is on average where the columns are permuted; null where it is undefined. */
  readonly importance: number | null;
  /** Of that mean, over the permutations; null of a single one. */
  readonly standard_error: number | null;
  /** Active labelled rows, or tokens. */
  readonly num_samples: number;
}

/** Answers with some columns of some rows taken from others. */
export interface Shuffled {
  readonly columns: readonly string[];
  /** Aligned with the rows asked about: whose cells each of them is given. */
  readonly from: Int32Array;
}

export interface ImportanceQuestion {
  readonly graph: FlowGraph;
  /** The split as it is: its active labelled rows are those that count. */
  readonly scored: ScoredSplit;
  /** Columns that are permuted together, most often one. */
  readonly columns: readonly (readonly string[])[];
  readonly repeats: number;
  readonly seed: number;
  /** Paths of the tasks that are asked about; default: all. */
  readonly tasks?: readonly string[] | undefined;
  /**
   * Answers to some rows of the split, in their order.
   * @param shuffled null: as they are
   */
  readonly answer: (rows: Int32Array, shuffled: Shuffled | null) => Promise<ScoredSplit>;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/**
 * The mean, over random permutations, of what a task's metric loses when a column's cells are permuted among the rows
 * that count for the task, active by the labels and labelled: Breiman, "Random Forests" (2001); Fisher, Rudin & Dominici,
 * "All Models are Wrong, but Many are Useful" (JMLR 20, 2019); scikit-learn's `permutation_importance`. The metric is that
 * by which the task is judged first. Tasks of the same rows share permutations.
 * @returns task by task in the order of the flow, in each the columns as they were given
 */
export async function permutationImportance(question: ImportanceQuestion): Promise<Importance[]> {
  const { graph, columns, repeats, answer, signal, onProgress } = question;
  const groups = tasksByRows(question);
  const total = groups.length * (1 + columns.length * repeats);
  let done = 0;
  const measured = async (tasks: readonly TaskNode[], rows: Int32Array, shuffled: Shuffled | null) => {
    if (signal?.aborted === true) throw new InterruptedError("Interrupted.");
    const scored = await answer(rows, shuffled);
    onProgress?.(++done, total);
    return tasks.map((task) => measuredTask(task, scored));
  };
  const found = new Map<number, Importance[]>();
  for (const { tasks, rows } of groups) {
    const base = await measured(tasks, rows, null);
    for (const own of columns) {
      const permuted: Measured[][] = [];
      for (let repeat = 0; repeat < repeats; repeat++) {
        const from = permutationOf(question.seed, own, rows, repeat);
        permuted.push(await measured(tasks, rows, { columns: own, from }));
      }
      for (const [i, task] of tasks.entries()) {
        const values = permuted.map((all) => at(all, i).value);
        found.set(task.index, [...(found.get(task.index) ?? []), importanceOf(task, own, at(base, i), values)]);
      }
    }
  }
  return graph.tasks.flatMap(({ index }) => found.get(index) ?? []);
}

/** Rows that count for some tasks, and for no others. */
interface RowsOfTasks {
  readonly tasks: TaskNode[];
  readonly rows: Int32Array;
}

function tasksByRows({ graph, scored, tasks }: ImportanceQuestion): RowsOfTasks[] {
  const groups = new Map<string, RowsOfTasks>();
  for (const task of graph.tasks) {
    if (behaviourOf(task.spec).answeredBy !== "network" || tasks?.includes(task.path) === false) continue;
    const rows = countedRows(task, scored);
    if (rows.length === 0) continue;
    const key = rows.join(" ");
    const known = groups.get(key);
    if (known === undefined) groups.set(key, { tasks: [task], rows });
    else known.tasks.push(task);
  }
  return [...groups.values()];
}

/** Rows of the loss mask, or with a token in it. */
function countedRows({ index, spec }: TaskNode, { tasks, offsets, ids }: ScoredSplit): Int32Array {
  const { lossMask } = at(tasks, index);
  if (!isPerElement(spec)) return Int32Array.from(ids.keys()).filter((row) => lossMask[row] === 1);
  const rowOf = rowOfEachToken(neededOffsets(offsets));
  const counted = new Set<number>();
  lossMask.forEach((counts, token) => {
    if (counts === 1) counted.add(i32At(rowOf, token));
  });
  return Int32Array.from(counted);
}

/**
 * A permutation of rows, the same for one seed, columns, rows and repeat on every machine.
 * @returns aligned with the rows: whose cells each is given
 */
export function permutationOf(seed: number, columns: readonly string[], rows: Int32Array, repeat: number): Int32Array {
  return createRandom(`${seed}/importance/${columns.join("\n")}/${rows.length}/${repeat}`).shuffle(rows.slice());
}

/** The metric by which a task is judged first, of one without any its loss; null where it is undefined. */
interface Measured {
  readonly name: string;
  readonly value: number | null;
  readonly count: number;
}

function measuredTask({ spec, index }: TaskNode, scored: ScoredSplit): Measured {
  const own = at(scored.tasks, index);
  const name = behaviourOf(spec).headlineMetric(spec) ?? LOSS;
  const found = metricsUnder(own, own.lossMask, []).find((metric) => metric.name === name);
  const count = own.lossMask.reduce((sum, counts) => sum + counts, 0);
  return { name, value: Number.isNaN(found?.value) ? null : (found?.value ?? null), count };
}

function importanceOf(
  { path, spec }: TaskNode,
  columns: readonly string[],
  { name, value, count }: Measured,
  permuted: readonly (number | null)[],
): Importance {
  const higher = directionOfMetric(spec, name) ?? false;
  const drops = permuted.flatMap((other) =>
    value === null || other === null ? [] : [higher ? value - other : other - value],
  );
  return {
    ...{ task_path: path, columns, metric_name: name, higher_is_better: higher, score: value },
    ...meanOf(drops),
    num_samples: count,
  };
}

function meanOf(drops: readonly number[]): Pick<Importance, "importance" | "standard_error"> {
  const { length } = drops;
  if (length === 0) return { importance: null, standard_error: null };
  const mean = drops.reduce((sum, drop) => sum + drop, 0) / length;
  if (length === 1) return { importance: mean, standard_error: null };
  const squares = drops.reduce((sum, drop) => sum + (drop - mean) ** 2, 0);
  return { importance: mean, standard_error: Math.sqrt(squares / (length - 1) / length) };
}
