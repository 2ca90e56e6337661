/** @file Two runs sample by sample, as tables: tests by task, and the samples that changed. */
import type { Changes, ComparedTask, SampleComparison } from "../../analysis/comparison/compare-samples.js";
import type { TextTable } from "./comparison-tables.js";
import { clip, clipMiddle } from "./display-width.js";
import { tableColumns, TERMINAL } from "./table-layout.js";
import { formatMetric, groupByFlow } from "./tables.js";
import { cellText } from "../text.js";

/** What was compared, in words. */
export function samplesSummary(
  { split, gates, shared, unshared, tasks, skipped_tasks }: SampleComparison,
  [first, second]: readonly [string, string],
): string {
  const relabelled = Math.max(0, ...tasks.map((task) => task.relabelled));
  return [
    `Sample by sample on ${split} (${gates === "truth" ? "true" : "predicted"} gates): ${shared} samples are shared`,
    unshared.some((count) => count > 0) ? `, ${unshared[0]} and ${unshared[1]} are not` : "",
    relabelled > 0 ? `; up to ${relabelled} of a task are left out because their labels differ` : "",
    `. Differences are ${second} − ${first}.`,
    ...skipped_tasks.map(({ task_path, reason }) => ` ${task_path} is left out: ${reason}.`),
  ].join("");
}

/** What the columns of {@link samplesTable} mean. */
export const SAMPLES_LEGEND = `p: McNemar's exact test of decisions, sign flips of errors and losses (from 6 pairs), by Holm's method; * p < 0.05.
exact_match: all known labels are right. worse / better: decisions that flipped, or samples whose error changed.`;

/** One row per task: the difference with its interval, the p-value, and how many answers changed. */
export function samplesTable({ tasks }: SampleComparison): TextTable {
  const rows = tasks.map((task) => ({
    path: task.task_path,
    cells: [
      task.measure,
      String(task.n),
      differenceText(task),
      pText(task.p_holm),
      `${task.worse.count} / ${task.better.count}`,
    ],
  }));
  return {
    head: ["task", "measure", "n", "difference", "p (Holm)", "worse / better"],
    rows: groupByFlow(rows),
    numeric: [2, 3, 4, 5],
  };
}

function differenceText({ difference, interval }: ComparedTask): string {
  if (difference === null) return "–";
  return interval === null ? signed(difference) : `${signed(difference)} [${interval.map(signed).join(", ")}]`;
}

const signed = (value: number): string => `${value < 0 ? "" : "+"}${value.toFixed(3)}`;

function pText(p: number | null): string {
  if (p === null) return "–";
  return `${p < 0.001 ? "<0.001" : p.toFixed(3)}${starOf(p)}`;
}

const starOf = (p: number | null): string => (p !== null && p < 0.05 ? " *" : "  ");

/**
 * One row per task, one column per run compared with the first: the difference, starred where its p-value, adjusted over
 * all tasks and runs, is below 0.05.
 *
 * @param names of the runs that are compared with the first, in their order
 */
export function differencesTable(comparisons: readonly SampleComparison[], names: readonly string[]): TextTable {
  const paths = [...new Set(comparisons.flatMap(({ tasks }) => tasks.map(({ task_path }) => task_path)))];
  const rows = paths.map((path) => {
    const compared = comparisons.map(({ tasks }) => tasks.find(({ task_path }) => task_path === path));
    const counts = [...new Set(compared.flatMap((task) => (task === undefined ? [] : [task.n])))];
    const measure = compared.find((task) => task !== undefined)?.measure ?? "";
    return { path, cells: [measure, counts.join(", "), ...compared.map(starredDifference)] };
  });
  return {
    head: ["task", "measure", "n", ...names.map((name) => clipMiddle(name, longestAnswer()))],
    rows: groupByFlow(rows),
    numeric: [2, ...names.map((_, i) => i + 3)],
  };
}

function starredDifference(task: ComparedTask | undefined): string {
  if (task === undefined || task.difference === null) return "–  ";
  return `${signed(task.difference)}${starOf(task.p_holm)}`;
}

/** What the columns of {@link differencesTable} mean. */
export const DIFFERENCES_LEGEND =
  "* p < 0.05, adjusted over all tasks and runs (Holm): McNemar's exact test of decisions, sign flips of errors and losses (from 6 pairs).";

/** The samples whose decisions flipped, by task: first those that got wrong. */
export function flipsTable({ tasks }: SampleComparison, names: readonly [string, string]): TextTable {
  const rows = tasks.flatMap((task) => {
    if (task.test !== "mcnemar_exact") return [];
    const kinds: [string, Changes][] = [
      ["right → wrong", task.worse],
      ["wrong → right", task.better],
    ];
    return kinds.flatMap(([kind, { samples }]) =>
      samples.map(({ sample, label, first, second }, i) => ({
        path: task.task_path,
        cells: [i === 0 ? kind : "", clip(cellText(sample), 24), ...[label, first, second].map(answerText)],
      })),
    );
  });
  return {
    head: ["task", "change", "sample", "label", ...names.map((name) => clipMiddle(name, longestAnswer()))],
    rows: groupByFlow(rows),
    numeric: [],
  };
}

const longestAnswer = (): number => (tableColumns() > TERMINAL ? 16 : 12);

function answerText(answer: unknown): string {
  const text = typeof answer === "number" ? formatMetric(answer) : Array.isArray(answer) ? answer.join(", ") : answer;
  return clip(text === "" ? "none" : cellText(text), longestAnswer());
}
