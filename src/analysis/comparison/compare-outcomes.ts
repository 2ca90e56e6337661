/** @file Two runs by what a user of each gets, row by row (docs/architecture.md#end-to-end). */
import { at, f64At, u8At } from "../../arrays.js";
import { askedByLabels } from "../../flow/asked.js";
import { isPerElement, type FlowGraph } from "../../flow/graph.js";
import { neededOffsets } from "../../flow/masks.js";
import { behaviourOf } from "../../tasks/index.js";
import { DUE, GIVEN, LEFT_OUT, type Outcomes, outcomesOf } from "../end-to-end.js";
import type { ScoredSplit } from "../score.js";
import { worseDecisions } from "../statistics/mcnemar.js";
import { meanOf } from "../statistics/moments.js";
import { pairedDifference, type RandomInt } from "../statistics/paired-differences.js";
import { pairRows, pairTokens, type RowPair, sameLabel, whyIncomparable } from "./compare-samples.js";

/** One run's answers to a split, with the flow that they are answers to. */
export interface AnsweredSplit {
  readonly graph: FlowGraph;
  readonly scored: ScoredSplit;
  /** Of numbers, as a share of their range. */
  readonly tolerance: number;
}

/** One task on the rows where its question is due, or either run asks it. */
export interface ComparedOutcomes {
  readonly task_path: string;
  readonly measure: string;
  readonly n: number;
  /** Share that each run deals with rightly; null without rows. */
  readonly values: readonly [number | null, number | null];
  /** One-sided, of the second being worse by more than the margin; null where nothing can be tested. */
  readonly p_worse: number | null;
}

export interface OutcomeComparison {
  /** Samples that both runs have in this split. */
  readonly shared: number;
  readonly tasks: readonly ComparedOutcomes[];
  /** Tasks that cannot be compared, with the reason. */
  readonly skipped_tasks: readonly { readonly task_path: string; readonly reason: string }[];
}

export interface OutcomeOptions {
  /** How much smaller the share of the second may be. */
  readonly margin: number;
  /** Source of chance for one task's test. */
  readonly randomOf: (taskPath: string) => RandomInt;
}

/**
 * Compares two runs on the samples that both have, task by task: a question that is due is dealt with as rightly as it
 * is answered, one that is not due rightly where it is not asked. Rows of which neither can be told, or whose labels
 * differ between the runs, are left out. Where every answer is right or wrong the exact form of McNemar's test is
 * used, else flips of signs.
 */
export function compareOutcomes(
  first: AnsweredSplit,
  second: AnsweredSplit,
  options: OutcomeOptions,
): OutcomeComparison {
  const rows = pairRows(first.scored.ids, second.scored.ids);
  const [ofFirst, ofSecond] = [outcomesIn(first), outcomesIn(second)];
  const skipped: { task_path: string; reason: string }[] = [];
  const tasks = first.scored.tasks.flatMap((a): ComparedOutcomes[] => {
    const { path, spec } = a.task;
    const b = second.scored.tasks.find(({ task }) => task.path === path);
    const reason = b === undefined ? "only the first run has it" : whyIncomparable(spec, b.task.spec);
    if (reason !== null) skipped.push({ task_path: path, reason });
    const { answeredBy, endToEnd } = behaviourOf(spec);
    if (b === undefined || reason !== null || answeredBy !== "network" || endToEnd === null) return [];
    const pairs = !isPerElement(spec)
      ? rows
      : pairTokens(rows, neededOffsets(first.scored.offsets), neededOffsets(second.scored.offsets));
    const [before, after] = [ofFirst(a.task.index), ofSecond(b.task.index)];
    const counted = pairs.filter(([i, j]) => {
      const [own, other] = [u8At(before.fates, i), u8At(after.fates, j)];
      const isKnown = ((own | other) & LEFT_OUT) === 0 && (own & DUE) === (other & DUE);
      return isKnown && ((own | other) & (DUE | GIVEN)) !== 0 && ((own & DUE) === 0 || sameLabel(a, i, b, j));
    });
    const values = counted.map(([i, j]): readonly [number, number] => [dealtWith(before, i), dealtWith(after, j)]);
    return [{ task_path: path, measure: endToEnd.rightness, ...testWorse(values, path, options) }];
  });
  return { shared: rows.length, tasks, skipped_tasks: skipped };
}

/** What became of the questions of a task, by its index. */
function outcomesIn({ graph, scored, tolerance }: AnsweredSplit): (index: number) => Outcomes {
  const answers = scored.tasks.map(({ labels }) => labels.answers);
  const statuses = askedByLabels(graph, answers, scored.ids.length, scored.offsets);
  return (index) => {
    const task = at(scored.tasks, index);
    return outcomesOf(task, at(statuses, index), behaviourOf(task.task.spec).endToEnd, tolerance);
  };
}

/** From 0 to 1. */
function dealtWith({ fates, right }: Outcomes, row: RowPair[number]): number {
  return u8At(fates, row) === 0 ? 1 : f64At(right, row);
}

function testWorse(
  values: readonly (readonly [number, number])[],
  path: string,
  { margin, randomOf }: OutcomeOptions,
): Pick<ComparedOutcomes, "n" | "values" | "p_worse"> {
  const n = values.length;
  if (n === 0) return { n, values: [null, null], p_worse: null };
  const means = [meanOf(values.map(([own]) => own)), meanOf(values.map(([, own]) => own))] as const;
  if (values.flat().every((value) => value === 0 || value === 1)) {
    const lost = values.filter(([before, after]) => before > after).length;
    const gained = values.filter(([before, after]) => before < after).length;
    return { n, values: means, p_worse: worseDecisions(lost, gained, n, margin) };
  }
  const paired = pairedDifference(
    values.map(([before, after]) => before - after - margin),
    { random: randomOf(path) },
  );
  if (paired === null) return { n, values: means, p_worse: null };
  return { n, values: means, p_worse: paired.mean > 0 ? paired.pValue / 2 : 1 - paired.pValue / 2 };
}
