/** @file Two runs sample by sample: which answers changed, and whether by more than chance. */
import { at as itemAt, f32At, i32At } from "../../arrays.js";
import { axisOf, isPerElement, type TaskSpec } from "../../flow/graph.js";
import { answerWidth, type Offsets } from "../../flow/masks.js";
import type { Gates, Split } from "../../tasks/evaluation.js";
import { behaviourOf, type Described, type Judgement } from "../../tasks/index.js";
import { neededOffsets } from "../../flow/masks.js";
import { nameOf, subjectsOf } from "../row-or-token.js";
import type { ScoredSplit, ScoredTask } from "../score.js";
import { pairedDifference, type RandomInt } from "../statistics/paired-differences.js";
import { holm } from "../statistics/holm.js";
import { mcNemarExact, worseDecisions } from "../statistics/mcnemar.js";
import { meanOf } from "../statistics/moments.js";

/** What is compared: shares of right answers, an error in label units, or the loss of a task of the user's own. */
export type SampleMeasure = Judgement<TaskSpec>["name"];

/** A sample whose answer changed. */
export interface ChangedSample {
  readonly sample: string;
  readonly label: Described;
  readonly first: Described;
  readonly second: Described;
}

export interface Changes {
  readonly count: number;
  /** Those that changed most, the largest change first: of the loss for decisions, else of the measure. */
  readonly samples: readonly ChangedSample[];
}

/** One task, on the samples that both runs were asked. */
export interface ComparedTask {
  readonly task_path: string;
  readonly measure: SampleMeasure;
  readonly test: "mcnemar_exact" | "sign_flip";
  /** Samples that are active and labelled, with the same label, in both runs. */
  readonly n: number;
  /** Samples left out because their labels differ. */
  readonly relabelled: number;
  /** Mean of the measure in each run; null without samples. */
  readonly values: readonly [number | null, number | null];
  /** Second − first. */
  readonly difference: number | null;
  /** 95 % interval of the difference; null where the test has none. */
  readonly interval: readonly [number, number] | null;
  readonly p_value: number | null;
  /** Adjusted for the number of tasks that are tested. */
  readonly p_holm: number | null;
  /**
   * One-sided, of being worse by more than a margin: present where one was given. Not adjusted.
   */
  readonly p_worse?: number | null;
  /** Decisions: right → wrong. Else: the error grew. */
  readonly worse: Changes;
  /** Decisions: wrong → right. Else: the error shrank. */
  readonly better: Changes;
}

export interface SampleComparison {
  readonly split: Split;
  readonly gates: Gates;
  /** Samples that both runs have in this split. */
  readonly shared: number;
  /** Samples that only the first and only the second has. */
  readonly unshared: readonly [number, number];
  readonly tasks: readonly ComparedTask[];
  /** Tasks that cannot be compared, with the reason. */
  readonly skipped_tasks: readonly { readonly task_path: string; readonly reason: string }[];
}

export interface SampleOptions {
  readonly gates: Gates;
  /** At most so many changed samples of each kind. */
  readonly top: number;
  /** Source of chance for one task's test. */
  readonly randomOf: (taskPath: string) => RandomInt;
  /** How much worse the second may be: of shares a share, of errors a part of the first's; default: that is not tested. */
  readonly margin?: number;
}

/**
 * Compares two runs on the samples that their splits share, matched by id. Decisions are tested by McNemar's exact
 * test: binary and classification tasks by whether the answer is right, multilabel ones by whether all known labels
 * are. Errors and losses are tested by flips of the differences' signs, with a bootstrap-t interval. p-values are adjusted by Holm's method over all tested tasks.
 */
export function compareSamples(first: ScoredSplit, second: ScoredSplit, options: SampleOptions): SampleComparison {
  const pairs = pairRows(first.ids, second.ids);
  const counterparts = new Map(second.tasks.map((task) => [task.task.path, task]));
  const skipped: { task_path: string; reason: string }[] = [];
  const compared = first.tasks.flatMap((a) => {
    const b = counterparts.get(a.task.path);
    const measure = behaviourOf(a.task.spec).judgement;
    const reason = b === undefined ? "only the first run has it" : whyIncomparable(a.task.spec, b.task.spec);
    if (reason !== null) skipped.push({ task_path: a.task.path, reason });
    if (b === undefined || reason !== null || measure === null) return [];
    if (!isPerElement(a.task.spec)) {
      return [compareTask({ first: a, second: b, measure }, (row) => itemAt(first.ids, row), pairs, options)];
    }
    const idOf = (index: number): string => nameOf(first.ids, subjectsOf(first, a.task.spec)(index));
    const tokens = pairTokens(pairs, neededOffsets(first.offsets), neededOffsets(second.offsets));
    return [compareTask({ first: a, second: b, measure }, idOf, tokens, options)];
  });
  const known = new Set(first.tasks.map(({ task }) => task.path));
  for (const { task } of second.tasks) {
    if (!known.has(task.path)) skipped.push({ task_path: task.path, reason: "only the second run has it" });
  }
  const adjusted = holm(compared.map(({ p_value }) => p_value));
  return {
    split: first.split,
    gates: options.gates,
    shared: pairs.length,
    unshared: [first.ids.length - pairs.length, second.ids.length - pairs.length],
    tasks: compared.map((task, i) => ({ ...task, p_holm: adjusted[i] ?? null })),
    skipped_tasks: skipped,
  };
}

/** The row of a sample in each run. */
export type RowPair = readonly [first: number, second: number];

/** Rows of the same sample; where a sample has several rows, its first is matched with its first, and so on. */
export function pairRows(first: readonly string[], second: readonly string[]): RowPair[] {
  const rowsOf = new Map<string, number[]>();
  second.forEach((id, row) => {
    const rows = rowsOf.get(id);
    if (rows === undefined) rowsOf.set(id, [row]);
    else rows.push(row);
  });
  const taken = new Map<string, number>();
  return first.flatMap((id, row): RowPair[] => {
    const at = taken.get(id) ?? 0;
    const match = rowsOf.get(id)?.[at];
    if (match === undefined) return [];
    taken.set(id, at + 1);
    return [[row, match]];
  });
}

/** Tokens at the same place of the same row; a row that has not as many in both runs is left out. */
export function pairTokens(rows: readonly RowPair[], first: Offsets, second: Offsets): RowPair[] {
  return rows.flatMap(([a, b]): RowPair[] => {
    const [fromA, fromB] = [i32At(first, a), i32At(second, b)];
    const [length, other] = [i32At(first, a + 1) - fromA, i32At(second, b + 1) - fromB];
    return length === other ? Array.from({ length }, (_, i): RowPair => [fromA + i, fromB + i]) : [];
  });
}

/** Null where answers of both runs can be compared. */
export function whyIncomparable(a: TaskSpec, b: TaskSpec): string | null {
  if (axisOf(a) !== axisOf(b)) return "it is asked per token in one run only";
  if (a.kind !== b.kind) return `it is ${a.kind} in the first run and ${b.kind} in the second`;
  const names = (spec: TaskSpec): string => JSON.stringify(behaviourOf(spec).logitNames(spec));
  return names(a) === names(b) ? null : "its classes or labels differ";
}

interface TaskPair {
  readonly first: ScoredTask;
  readonly second: ScoredTask;
  readonly measure: Judgement<TaskSpec>;
}

function compareTask(
  pair: TaskPair,
  idOf: (index: number) => string,
  pairs: readonly RowPair[],
  { gates, top, randomOf, margin }: SampleOptions,
): ComparedTask {
  const { first, second, measure } = pair;
  const maskOf = (task: ScoredTask) => (gates === "truth" ? task.lossMask : task.predictedMask);
  const asked = pairs.filter(([a, b]) => maskOf(first)[a] === 1 && maskOf(second)[b] === 1);
  const rows = asked.filter(([a, b]) => sameLabel(first, a, second, b));
  const before = rows.map(([row]) => valueAt(measure, first, row));
  const after = rows.map(([, row]) => valueAt(measure, second, row));
  const differences = Float64Array.from(after, (value, i) => value - itemAt(before, i));
  const improvementAt = (i: number): number => {
    const [old, renewed] = [itemAt(before, i), itemAt(after, i)];
    // no answer is worse than any
    if (Number.isNaN(old) || Number.isNaN(renewed)) return Number(Number.isNaN(old)) - Number(Number.isNaN(renewed));
    return Math.sign(measure.higherIsBetter ? renewed - old : old - renewed);
  };
  const changes = (sign: 1 | -1): Changes =>
    changedSamples(
      pair,
      idOf,
      rows.filter((_, i) => improvementAt(i) === sign),
      top,
    );
  const [worse, better] = [changes(-1), changes(1)];
  const isTested = !measure.isDecision && !differences.some(Number.isNaN);
  const paired = isTested ? pairedDifference(differences, { random: randomOf(first.task.path) }) : null;
  const decisionP = measure.isDecision && rows.length > 0 ? mcNemarExact(worse.count, better.count) : null;
  return {
    task_path: first.task.path,
    measure: measure.name,
    test: measure.isDecision ? "mcnemar_exact" : "sign_flip",
    n: rows.length,
    relabelled: asked.length - rows.length,
    values: [definedMean(before), definedMean(after)],
    difference: definedMean(differences),
    interval: paired?.interval ?? null,
    p_value: paired?.pValue ?? decisionP,
    p_holm: null,
    ...(margin === undefined
      ? {}
      : {
          p_worse: worseTail({
            differences,
            before,
            worse,
            better,
            measure,
            margin,
            random: randomOf(first.task.path),
          }),
        }),
    worse,
    better,
  };
}

/** Null without rows, and where an answer is none (docs/architecture.md#answers-that-are-nan). */
function definedMean(values: ArrayLike<number>): number | null {
  const mean = values.length === 0 ? Number.NaN : meanOf(values);
  return Number.isNaN(mean) ? null : mean;
}

interface Worsening {
  /** Second − first. */
  readonly differences: Float64Array;
  /** Values in the first. */
  readonly before: readonly number[];
  readonly worse: Changes;
  readonly better: Changes;
  readonly measure: Judgement<TaskSpec>;
  readonly margin: number;
  readonly random: RandomInt;
}

/** P-value of the second being worse by more than a margin; null where nothing can be tested. */
function worseTail({ differences, before, worse, better, measure, margin, random }: Worsening): number | null {
  const n = differences.length;
  if (n === 0) return null;
  if (measure.isDecision) return worseDecisions(worse.count, better.count, n, margin);
  if (differences.some(Number.isNaN)) return null;
  const isShare = measure.name === "iou";
  const allowed = isShare ? margin : margin * meanOf(before.map(Math.abs));
  const shifted = differences.map((own) => (measure.higherIsBetter ? -own : own) - allowed);
  const paired = pairedDifference(shifted, { random });
  if (paired === null) return null;
  return paired.mean > 0 ? paired.pValue / 2 : 1 - paired.pValue / 2;
}

function valueAt(measure: Judgement<TaskSpec>, scored: ScoredTask, row: number): number {
  return measure.valueAt({ ...scored, spec: scored.task.spec }, row, f32At(scored.perSampleLoss, row));
}

/** Whether both runs have the same label of a row. */
export function sameLabel(first: ScoredTask, a: number, second: ScoredTask, b: number): boolean {
  const width = answerWidth(first.task.spec);
  for (let i = 0; i < width; i++) {
    const [x, y] = [f32At(first.labels.answers, a * width + i), f32At(second.labels.answers, b * width + i)];
    if (x !== y && !(Number.isNaN(x) && Number.isNaN(y))) return false;
  }
  return true;
}

function changedSamples(
  { first, second, measure }: TaskPair,
  idOf: (index: number) => string,
  rows: readonly RowPair[],
  top: number,
): Changes {
  const lossOf = ({ perSampleLoss }: ScoredTask, row: number): number => f32At(perSampleLoss, row);
  // every changed decision changes by one: the loss tells by how much
  const sizedBy = measure.isDecision ? lossOf : (task: ScoredTask, row: number) => valueAt(measure, task, row);
  const sizeOf = ([a, b]: RowPair): number => Math.abs(sizedBy(second, b) - sizedBy(first, a));
  const { describe } = behaviourOf(first.task.spec);
  const largest = [...rows].sort((a, b) => sizeOf(b) - sizeOf(a)).slice(0, top);
  return {
    count: rows.length,
    samples: largest.map(([a, b]) => ({
      sample: idOf(a),
      label: describe(first.task.spec, first.labels.answers, a),
      first: describe(first.task.spec, first.decoded, a),
      second: describe(second.task.spec, second.decoded, b),
    })),
  };
}
