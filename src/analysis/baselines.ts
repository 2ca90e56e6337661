/** @file What a network has to beat: for every metric the best constant answer that train teaches, on the same rows. */
import { at } from "../arrays.js";
import type { Dataset } from "../data/dataset.js";
import { selectEntries } from "../data/labels/select-labels.js";
import { isPerElement, type FlowGraph, type TaskNode } from "../flow/graph.js";
import { activeRows, answerWidth, bothMasks, labelledRows, overTokens, type RowMask } from "../flow/masks.js";
import { atOnce, type Sliced } from "../platform/yield-to.js";
import { type EvaluationRow, SPLITS, type Split } from "../tasks/evaluation.js";
import {
  behaviourOf,
  type ConstantLogits,
  directionOfMetric,
  isBestOfConstants,
  type Labels,
  LOSS,
  metricNames,
  type MetricValue,
  scoringOf,
} from "../tasks/index.js";
import { scalesPerRow } from "../data/labels/unit-scale.js";
import { rowsOf } from "../tasks/constants.js";
import { constantAnswers } from "./constant-answers.js";
import { metricsUnder } from "./metrics-under.js";

/** Constant answers of one task, and which of them is best by each of its metrics. */
export interface TaskBaseline {
  readonly constants: readonly ConstantLogits[];
  /** Place among the constants, by name of the metric; metrics that are undefined on train are left out. */
  readonly best: Readonly<Record<string, number>>;
}

/** By path of task; tasks without constant answers are left out. */
export type Baselines = Readonly<Record<string, TaskBaseline>>;

/** A task's labels over some rows, and those that count. */
export interface CountedLabels {
  readonly task: TaskNode;
  readonly labels: Labels;
  /** Active by the labels, and labelled; over tokens for a task per token. */
  readonly lossMask: RowMask;
}

/** @param train of every task, the training rows */
export function learnBaselines(train: readonly CountedLabels[]): Baselines {
  return Object.fromEntries(
    train.flatMap((counted): [string, TaskBaseline][] => {
      const { spec, path } = counted.task;
      const behaviour = behaviourOf(spec);
      if (behaviour.answeredBy !== "network" || !counted.lossMask.includes(1)) return [];
      const constants = behaviour.constants(spec, counted.labels, counted.lossMask);
      return constants.length === 0 ? [] : [[path, { constants, best: bestByMetric(counted, constants) }]];
    }),
  );
}

function bestByMetric(counted: CountedLabels, constants: readonly ConstantLogits[]): Record<string, number> {
  const { spec } = counted.task;
  const names = metricNames(spec);
  // nothing to choose from: its metrics need not be computed
  if (constants.length === 1) return Object.fromEntries(names.map((name) => [name, 0]));
  const some = thinned(counted);
  const values = constants.map((logits) => valuesByName(metricsOf(some, logits, some.lossMask, names)));
  return Object.fromEntries(
    names.flatMap((name): [string, number][] => {
      const sign = directionOfMetric(spec, name) === true ? 1 : -1;
      let best: number | null = null;
      for (const [i, own] of values.entries()) {
        const value = own.get(name);
        if (value === undefined) continue;
        const leader = best === null ? undefined : values[best]?.get(name);
        // of equal ones the first
        if (leader === undefined || sign * value > sign * leader) best = i;
      }
      return best === null ? [] : [[name, best]];
    }),
  );
}

/** Which of a few constants is better shows on so many rows. */
const MOST_COMPARED = 20_000;

/** The rows (or tokens) that count or, of very many, some at equal distances. */
function thinned({ task, labels, lossMask }: CountedLabels): CountedLabels {
  const used = rowsOf(lossMask);
  const step = used.length / Math.min(used.length, MOST_COMPARED);
  const rows = Int32Array.from({ length: Math.floor(used.length / step) }, (_, i) => at(used, Math.floor(i * step)));
  return { task, labels: labelsAt(task, labels, rows), lossMask: new Uint8Array(rows.length).fill(1) };
}

/** The rows (or tokens) of a mask alone, which all count: no other is in any metric. */
function countedAlone({ task, labels }: Pick<CountedLabels, "task" | "labels">, mask: RowMask): CountedLabels {
  if (!mask.includes(0)) return { task, labels, lossMask: mask };
  const rows = rowsOf(mask);
  return { task, labels: labelsAt(task, labels, rows), lossMask: new Uint8Array(rows.length).fill(1) };
}

function labelsAt({ spec }: TaskNode, { answers, unitScale }: Labels, rows: ArrayLike<number>): Labels {
  return {
    answers: selectEntries(answers, rows, answerWidth(spec), null),
    unitScale: unitScale === null ? null : selectEntries(unitScale, rows, scalesPerRow(spec), null),
  };
}

/** Metrics of an answer that is the same in every row. */
function metricsOf(
  { task, labels }: CountedLabels,
  constant: ConstantLogits,
  mask: RowMask,
  onDemand: readonly string[],
): MetricValue[] {
  return metricsUnder(constantAnswers(task, labels, constant, mask.length), mask, onDemand);
}

function valuesByName(values: readonly MetricValue[]): Map<string, number> {
  return new Map(
    values.flatMap(({ name, value }): [string, number][] =>
      value === null || Number.isNaN(value) ? [] : [[name, value]],
    ),
  );
}

/** Baselines of the metrics of one task on some rows, by name. */
export function baselineValues(
  counted: CountedLabels,
  { constants, best }: TaskBaseline,
  mask: RowMask,
  onDemand: readonly string[],
): ReadonlyMap<string, number> {
  const some = countedAlone(counted, mask);
  return bestValues({ best }, valuesOfConstants(some, { constants, best }, some.lossMask, onDemand));
}

/** Metrics of those constants that are best by one of the metrics that are asked for, by the place of the constant. */
function valuesOfConstants(
  some: CountedLabels,
  { constants, best }: TaskBaseline,
  mask: RowMask,
  onDemand: readonly string[],
): ReadonlyMap<number, readonly MetricValue[]> {
  const { spec } = some.task;
  const facts = scoringOf(spec).metrics.facts(spec);
  const asked = facts.filter((metric) => !metric.onDemand || onDemand.includes(metric.name));
  const wanted = new Set([LOSS, ...asked.map(({ name }) => name)].map((name) => best[name]));
  const found = new Map<number, readonly MetricValue[]>();
  for (const [i, constant] of constants.entries()) {
    if (wanted.has(i)) found.set(i, metricsOf(some, constant, mask, onDemand));
  }
  return found;
}

function bestValues(
  { best }: Pick<TaskBaseline, "best">,
  found: ReadonlyMap<number, readonly MetricValue[]>,
): ReadonlyMap<string, number> {
  const values = new Map<string, number>();
  for (const [i, metrics] of found) {
    for (const [name, value] of valuesByName(metrics)) if (best[name] === i) values.set(name, value);
  }
  return values;
}

/** What an evaluation row says of a metric's baseline. */
export function againstBaseline(
  { spec }: TaskNode,
  name: string,
  value: number | null,
  baseline: number | undefined,
): Pick<EvaluationRow, "baseline" | "beats_baseline"> {
  if (baseline === undefined) return {};
  if (isBestOfConstants(spec, name)) return { baseline };
  const higherIsBetter = directionOfMetric(spec, name) === true;
  // undefined is never good
  const beats_baseline = value !== null && (higherIsBetter ? value > baseline : value < baseline);
  return { baseline, beats_baseline };
}

/** A baseline that no network has been compared with yet. */
export interface BaselineRow {
  readonly split: Split;
  readonly task_path: string;
  readonly metric_name: string;
  /** null where it is undefined on these rows. */
  readonly baseline: number | null;
  readonly num_samples: number;
}

/**
 * Baselines of every split, from labels alone.
 * @param graph whose tasks are fitted to the labels
 * @param isMeasured tasks of which the labels say enough, e.g. not those in pixels of pictures that were not opened
 */
export function baselineRows(
  graph: FlowGraph,
  dataset: Pick<Dataset, "rows" | "labels" | "splits" | "offsets">,
  isMeasured: (task: TaskNode) => boolean = () => true,
): BaselineRow[] {
  return atOnce(baselineRowsSliced(graph, dataset, isMeasured));
}

/** `baselineRows` with room for signals. */
export function* baselineRowsSliced(
  graph: FlowGraph,
  { rows, labels, splits, offsets = null }: Pick<Dataset, "rows" | "labels" | "splits" | "offsets">,
  isMeasured: (task: TaskNode) => boolean = () => true,
): Sliced<BaselineRow[]> {
  const answers = labels.map((own) => own.answers);
  const active = activeRows(graph, answers, rows, offsets);
  const tasks = graph.tasks
    .filter((task) => behaviourOf(task.spec).answeredBy === "network" && isMeasured(task))
    .map((task) => ({
      task,
      labels: at(labels, task.index),
      used: bothMasks(at(active, task.index), labelledRows(task.spec, at(answers, task.index))),
    }));
  /** Rows, or their tokens where the task is asked per token. */
  const linesIn = ({ spec }: TaskNode, mask: RowMask): RowMask =>
    offsets === null || !isPerElement(spec) ? mask : overTokens(mask, offsets);
  const within = (split: Split) => {
    const inSplit = new Uint8Array(rows);
    for (const row of splits[split]) inSplit[row] = 1;
    // one at a time: a mask for each task of many would be as much as the labels
    return tasks.map(({ used, ...counted }) => () => ({
      ...counted,
      lossMask: bothMasks(used, linesIn(counted.task, inSplit)),
    }));
  };
  const baselines = new Map<string, TaskBaseline>();
  for (const counted of within("train")) {
    for (const [path, baseline] of Object.entries(learnBaselines([counted()]))) baselines.set(path, baseline);
    yield;
  }
  const found: BaselineRow[] = [];
  for (const split of SPLITS.filter((one) => splits[one].length > 0)) {
    for (const one of within(split)) {
      const counted = one();
      const baseline = baselines.get(counted.task.path);
      if (baseline !== undefined) found.push(...rowsOfTask(split, counted, baseline));
      yield;
    }
  }
  return found;
}

function rowsOfTask(split: Split, counted: CountedLabels, baseline: TaskBaseline): BaselineRow[] {
  const [first = []] = baseline.constants;
  const some = countedAlone(counted, counted.lossMask);
  const found = valuesOfConstants(some, baseline, some.lossMask, []);
  const values = bestValues(baseline, found);
  // how many answers a metric counts is the same of every constant
  const counts = found.get(0) ?? metricsOf(some, first, some.lossMask, []);
  return counts.map(({ name, count }) => ({
    ...{ split, task_path: counted.task.path, metric_name: name },
    ...{ baseline: values.get(name) ?? null, num_samples: count },
  }));
}
