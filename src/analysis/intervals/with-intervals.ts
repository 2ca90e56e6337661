/** @file An evaluation's rows with the 95 % intervals of their metrics. */
import { at, i32At, u8At } from "../../arrays.js";
import { askedByLabels } from "../../flow/asked.js";
import { isPerElement, type FlowGraph } from "../../flow/graph.js";
import { neededOffsets, type RowMask, rowOfEachToken } from "../../flow/masks.js";
import type { EvaluationRow, Gates } from "../../tasks/evaluation.js";
import { behaviourOf, LOSS, scoringNumbers, scoringOf } from "../../tasks/index.js";
import { lazily } from "../../tasks/metrics/table.js";
import { DEFAULT_TOLERANCE, DUE, GIVEN, LEFT_OUT, type Outcomes, outcomesOf } from "../end-to-end.js";
import { TOTAL } from "../evaluate.js";
import { metricsUnder } from "../metrics-under.js";
import type { ScoredSplit, ScoredTask } from "../score.js";
import { inScratch } from "../scratch.js";
import { endToEndIntervals } from "./end-to-end.js";
import { type IntervalsByName, intervalForm } from "./forms.js";
import { jackknifeIntervals } from "./jackknife.js";
import { FROM_ZERO, placesOf, valuesAt, weightedMean } from "./numbers.js";
import { shareInterval } from "./shares.js";
import {
  addInfluence,
  type Interval,
  isFlat,
  meanInterval,
  SINGLE,
  spreadOf,
  spreadOfUnits,
  type Units,
} from "./spread.js";

export interface IntervalOptions {
  /** Group of each row, from 0: rows of one group are no independent evidence; null: each row is. */
  readonly groups?: Int32Array | null;
  /** As in the end-to-end rows. */
  readonly tolerance?: number | undefined;
}

/**
 * The rows of one split, each with `interval` where one is known. A task per token has no more evidence than
 * rows: its tokens are groups (docs/architecture.md#intervals).
 * @param rows of this split alone are given intervals
 */
export function withIntervals(
  graph: FlowGraph,
  scored: ScoredSplit,
  rows: readonly EvaluationRow[],
  options: IntervalOptions = {},
): EvaluationRow[] {
  // one memory for all tasks
  return inScratch(() => intervalsOfRows(graph, scored, rows, options));
}

function intervalsOfRows(
  graph: FlowGraph,
  scored: ScoredSplit,
  rows: readonly EvaluationRow[],
  { groups = null, tolerance = DEFAULT_TOLERANCE }: IntervalOptions,
): EvaluationRow[] {
  const units = rowUnits(groups);
  const found = new Map<string, Interval | null>();
  const wanted = new Map<string, EvaluationRow[]>();
  for (const row of rows) {
    if (row.split !== scored.split) continue;
    const key = keyOf(row.task_path, row.gates);
    wanted.set(key, [...(wanted.get(key) ?? []), row]);
  }
  const keep = (path: string, gates: EvaluationRow["gates"], intervals: IntervalsByName): void => {
    for (const row of wanted.get(keyOf(path, gates)) ?? []) {
      const interval = row.metric_res === null ? null : (intervals(row.metric_name) ?? null);
      found.set(
        `${keyOf(path, gates)}\n${row.metric_name}`,
        interval === null || interval.some(Number.isNaN) ? null : interval,
      );
    }
  };
  const totals = { truth: new TotalLoss(scored, units), predicted: new TotalLoss(scored, units) };
  for (const task of scored.tasks) {
    const own = unitsOf(scored, task, units);
    const { path } = task.task;
    const kinds = (["truth", "predicted"] as const).filter((gates) => wanted.has(keyOf(path, gates)));
    // what is always asked has the same rows with either
    const isSame = equalMasks(task.lossMask, task.predictedMask);
    for (const gates of isSame ? kinds.slice(0, 1) : kinds) {
      const told = isSame ? kinds : [gates];
      const add = told.map((kind) => totals[kind]);
      inScratch(() => {
        const found = remembered(taskIntervals(scored, task, gates, own, add));
        for (const kind of told) keep(path, kind, found);
      });
    }
  }
  for (const gates of ["truth", "predicted"] as const) {
    keep(TOTAL, gates, (name) => (name === LOSS ? totals[gates].interval() : undefined));
  }
  if (rows.some((row) => row.split === scored.split && row.gates === "end_to_end")) {
    const trees = new Trees(scored);
    const statuses = askedByLabels(
      graph,
      scored.tasks.map(({ labels }) => labels.answers),
      scored.ids.length,
      scored.offsets,
    );
    for (const task of scored.tasks) {
      if (behaviourOf(task.task.spec).answeredBy !== "network") continue;
      const { endToEnd } = behaviourOf(task.task.spec);
      inScratch(() => {
        const columns = outcomesOf(task, at(statuses, task.task.index), endToEnd, tolerance);
        trees.add(task, columns);
        keep(task.task.path, "end_to_end", endToEndIntervals(task, columns, unitsOf(scored, task, units)));
      });
    }
    keep(TOTAL, "end_to_end", (name) => (name === "tree_accuracy" ? trees.interval(units) : undefined));
  }
  return rows.map((row) => {
    const interval = found.get(`${keyOf(row.task_path, row.gates)}\n${row.metric_name}`);
    return row.split !== scored.split || interval == null ? row : { ...row, interval };
  });
}

function equalMasks(a: RowMask, b: RowMask): boolean {
  return Buffer.compare(a, b) === 0;
}

/** Each interval is computed once. */
function remembered(intervals: IntervalsByName): IntervalsByName {
  const known = new Map<string, ReturnType<IntervalsByName>>();
  return (name) => {
    if (!known.has(name)) known.set(name, intervals(name));
    return known.get(name);
  };
}

const keyOf = (path: string, gates: string): string => `${gates}\n${path}`;

function rowUnits(groups: Int32Array | null): Units {
  return groups === null ? SINGLE : { of: groups, count: groups.reduce((most, group) => Math.max(most, group + 1), 0) };
}

/** Over the entries of a task's arrays. */
function unitsOf(scored: ScoredSplit, { task }: ScoredTask, units: Units): Units {
  if (!isPerElement(task.spec)) return units;
  const rowOf = rowOfEachToken(neededOffsets(scored.offsets));
  const { of } = units;
  if (of === null) return { of: rowOf, count: scored.ids.length };
  return { of: rowOf.map((row) => i32At(of, row)), count: units.count };
}

/** Intervals of a task's loss and metrics on the rows of one kind of gates. */
function taskIntervals(
  scored: ScoredSplit,
  task: ScoredTask,
  gates: Gates,
  units: Units,
  totals: readonly TotalLoss[],
): IntervalsByName {
  const { spec } = task.task;
  const mask: RowMask = gates === "truth" ? task.lossMask : task.predictedMask;
  const { decoded, labels, kept } = task;
  const form =
    kept.kind === "summary"
      ? () => undefined
      : intervalForm({ spec, ...scoringNumbers(kept), decoded, labels, mask }, units);
  const measured = lazily(() =>
    jackknifeIntervals(mask, units, (some) => {
      const known = scoringOf(spec)
        .metrics.facts(spec)
        .map(({ name }) => name);
      return metricsUnder(task, some, known);
    }),
  );
  return (name) => {
    if (name === LOSS) return inScratch(() => lossInterval(scored, task, mask, units, totals));
    const interval = form(name);
    return interval === undefined ? (measured().get(name) ?? null) : interval;
  };
}

/** Of the mean over known loss terms; told to the totals, too. */
function lossInterval(
  scored: ScoredSplit,
  { task, labels, perSampleLoss }: ScoredTask,
  mask: RowMask,
  units: Units,
  totals: readonly TotalLoss[],
): Interval | null {
  const behaviour = behaviourOf(task.spec);
  const entries = placesOf(mask);
  const weights = valuesAt(entries, (row) => behaviour.lossTerms(task.spec, labels, row));
  const mean = weightedMean(entries, perSampleLoss, weights);
  if (mean === null) return null;
  const { value, influence } = mean;
  const interval = meanInterval(value, spreadOf(entries, influence, units), FROM_ZERO);
  const offsets = isPerElement(task.spec) ? scored.offsets : null;
  for (const total of totals) total.add(entries, mean, task.lossWeight, offsets);
  return interval;
}

/** Σ over tasks of their losses: what a row adds to it is what it adds to each. */
class TotalLoss {
  readonly #units: Units;
  readonly #sums: Float64Array;
  #value = 0;

  constructor({ ids }: ScoredSplit, units: Units) {
    this.#units = units;
    this.#sums = new Float64Array(units.of === null ? ids.length : units.count).fill(Number.NaN);
  }

  /** @param offsets of the rows' tokens, where entries are tokens */
  add(
    entries: Int32Array,
    { value, influence }: { readonly value: number; readonly influence: Float64Array },
    lossWeight: number,
    offsets: ScoredSplit["offsets"],
  ): void {
    this.#value += lossWeight * value;
    const rowOf = offsets == null ? null : rowOfEachToken(offsets);
    const { of } = this.#units;
    const unitOf = rowOf === null || of === null ? (rowOf ?? of) : rowOf.map((row) => i32At(of, row));
    addInfluence(this.#sums, entries, influence, lossWeight, unitOf);
  }

  interval(): Interval | null {
    const spread = spreadOfUnits(this.#sums);
    return isFlat(this.#value, spread) ? null : meanInterval(this.#value, spread, [0, Number.POSITIVE_INFINITY]);
  }
}

/** Rows whose whole tree is right. */
class Trees {
  readonly #split: ScoredSplit;
  readonly #judged: Uint8Array;
  readonly #right: Uint8Array;

  constructor(split: ScoredSplit) {
    this.#split = split;
    this.#judged = new Uint8Array(split.ids.length).fill(1);
    this.#right = new Uint8Array(split.ids.length).fill(1);
  }

  add({ task }: ScoredTask, { fates, right }: Outcomes): void {
    const rowOf = isPerElement(task.spec) ? rowOfEachToken(neededOffsets(this.#split.offsets)) : null;
    for (let entry = 0; entry < fates.length; entry++) {
      const row = rowOf === null ? entry : i32At(rowOf, entry);
      const fate = u8At(fates, entry);
      if (fate === LEFT_OUT) this.#judged[row] = 0;
      else if (fate !== 0 && !(fate === (DUE | GIVEN) && right[entry] === 1)) this.#right[row] = 0;
    }
  }

  interval(units: Units): Interval | null {
    const entries = placesOf(this.#judged);
    return shareInterval({ entries, units, value: (i) => u8At(this.#right, i32At(entries, i)) });
  }
}
