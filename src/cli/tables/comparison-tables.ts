/** @file A comparison of runs as tables: what differs, metrics, curves, and two runs sample by sample. */
import { at } from "../../arrays.js";
import type { ConfigValue } from "../../analysis/comparison/comparable-run.js";
import { TOTAL } from "../../analysis/evaluate.js";
import type { ComparedParam } from "../../analysis/comparison/compare.js";
import type { ComparedCurve } from "../../analysis/comparison/compare-curves.js";
import type { RunComparison } from "../../comparing/compare-runs.js";
import type { EvaluatedGates, Split } from "../../tasks/evaluation.js";
import { clip, clipMiddle } from "./display-width.js";
import { tableColumns } from "./table-layout.js";
import type { ViewRow, ViewTable } from "./table-view.js";
import { formatMetric, groupByFlow } from "./tables.js";
import { cellText } from "../text.js";

export interface TextTable {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Columns to align right. */
  readonly numeric: readonly number[];
}

export interface ComparisonView {
  /** Split of the metrics. */
  readonly split: Split;
  readonly gates: EvaluatedGates | "both";
  /** Also metrics of single labels, and what is the same in all runs. */
  readonly all: boolean;
}

/** Runs of one column: a group, or a single run. */
export interface Column {
  readonly title: string;
  /** Indices. */
  readonly runs: readonly number[];
}

const SHORTEST_TITLE = 10;
const LONGEST_TITLE = 24;
/** Columns of the names of settings and metrics beside those of runs. */
const BESIDE = 36;

/** Columns for each of so many runs beside one another. */
function titleRoom(count: number): number {
  const room = Math.floor((tableColumns() - BESIDE) / Math.max(1, count)) - 3;
  return Math.max(SHORTEST_TITLE, Math.min(room, Number.isFinite(room) ? LONGEST_TITLE : 3 * LONGEST_TITLE));
}

/** One column per group where runs are grouped, else per run. Runs of the same name are told apart by their ids. */
export function columnsOf({ runs, groups }: RunComparison): Column[] {
  const room = titleRoom(groups.length === 0 ? runs.length : groups.length);
  const names = runs.map(({ name }) => clipMiddle(cellText(name), room));
  const single = (index: number): string => {
    const [run, name] = [runs[index], names[index] ?? ""];
    const isShared = names.filter((other) => other === name).length > 1;
    return isShared ? `${name} ${run?.id.split("-").at(-1)}` : name;
  };
  if (groups.length === 0) return runs.map((_, index) => ({ title: single(index), runs: [index] }));
  return groups.map((group) => ({
    title:
      group.runs.length === 1
        ? single(at(group.runs, 0))
        : `${clipMiddle(cellText(group.name), room)} (n=${group.runs.length})`,
    runs: group.runs,
  }));
}

/** Tables of settings, environment, code and data; those without rows are left out. */
export function factTables(comparison: RunComparison): TextTable[] {
  const columns = columnsOf(comparison);
  const sections = [
    { title: "setting", facts: comparison.params },
    { title: "environment", facts: comparison.environment },
    { title: "code and data", facts: [...comparison.code, ...comparison.data] },
  ];
  return sections
    .filter(({ facts }) => facts.length > 0)
    .map(({ title, facts }) => ({
      head: [title, ...columns.map((column) => column.title)],
      rows: facts.map((fact) => [cellText(fact.key), ...factCells(fact, columns)]),
      numeric: [],
    }));
}

// a digest and a commit are known by their first letters
const HEX_DIGEST = /^[0-9a-f]{40,64}$/;
const WIDEST = 110;

function factCells({ values }: ComparedParam, columns: readonly Column[]): string[] {
  const room = Math.max(14, Math.floor((Math.min(WIDEST, tableColumns()) - BESIDE) / columns.length) - 3);
  return columns.map(({ runs }) => {
    const own = [...new Set(runs.map((run) => values[run] ?? null))];
    return clip(own.map(factText).join(", "), room);
  });
}

function factText(value: ConfigValue): string {
  return typeof value === "string" && HEX_DIGEST.test(value) ? value.slice(0, 12) : cellText(value);
}

const GATES_IN_WORDS = { truth: null, predicted: "predicted gates", end_to_end: "end to end" } as const;

/** Behind the best value of a row; a star is kept for differences that are more than chance. */
const BEST_MARK = " •";

interface MetricLine {
  readonly path: string;
  readonly metric: string;
  readonly gates: EvaluatedGates;
  readonly texts: readonly string[];
  readonly means: readonly (number | null)[];
  readonly differs: boolean;
}

/**
 * Metrics of the view's split. With both kinds of gates, predicted ones are shown where they change something; of
 * metrics of single labels and those that are the same everywhere only with `all`.
 */
function metricLines(comparison: RunComparison, { split, gates, all }: ComparisonView): MetricLine[] {
  const columns = columnsOf(comparison);
  const { metrics, grouped_metrics: grouped } = comparison;
  const own = metrics.flatMap((metric, i) => {
    if (metric.split !== split || (gates !== "both" && metric.gates !== gates)) return [];
    if (!all && metric.metric_name.includes("/")) return [];
    const best = grouped[i] === undefined ? metric.best : grouped[i].best;
    const means = columns.map(({ runs }, column) =>
      grouped[i] === undefined ? (metric.values[at(runs, 0)] ?? null) : (grouped[i].groups[column]?.mean ?? null),
    );
    // of those that are equally good all are marked
    const bestMean = best === null ? null : (means[best] ?? null);
    const texts = columns.map((_, column) => {
      const sd = grouped[i]?.groups[column]?.sd ?? null;
      const spread = sd === null ? "" : ` ±${formatMetric(sd)}`;
      return `${formatMetric(means[column] ?? null)}${spread}${bestMean !== null && means[column] === bestMean ? BEST_MARK : "  "}`;
    });
    const { task_path: path, metric_name } = metric;
    const differs = new Set(metric.values).size > 1;
    return differs || all ? [{ path, metric: metric_name, gates: metric.gates, texts, means, differs }] : [];
  });
  if (all || gates !== "both") return inTaskOrder(own);
  const truths = new Map(own.flatMap((row) => (row.gates === "truth" ? [[keyOf(row), String(row.means)]] : [])));
  return inTaskOrder(own.filter((row) => row.gates === "truth" || truths.get(keyOf(row)) !== String(row.means)));
}

const keyOf = ({ path, metric }: MetricLine): string => `${path}\n${metric}`;

/** The store keeps all rows of one kind of gates before those of the other. */
function inTaskOrder(lines: readonly MetricLine[]): MetricLine[] {
  const order = new Map<string, number>();
  for (const { path } of lines) if (!order.has(path)) order.set(path, order.size);
  const metrics = new Map<string, number>();
  for (const line of lines) if (!metrics.has(keyOf(line))) metrics.set(keyOf(line), metrics.size);
  return [...lines].sort(
    (a, b) =>
      (order.get(a.path) ?? 0) - (order.get(b.path) ?? 0) ||
      (metrics.get(keyOf(a)) ?? 0) - (metrics.get(keyOf(b)) ?? 0),
  );
}

/** Metrics by task, the best of each row marked with `•`. */
export function metricTable(comparison: RunComparison, view: ComparisonView): TextTable {
  const columns = columnsOf(comparison);
  const lines = metricLines(comparison, view);
  const hasGates = view.gates === "both";
  const rows = lines.map(({ path, metric, gates, texts }) => ({
    path,
    cells: hasGates ? [metric, gates, ...texts] : [metric, ...texts],
  }));
  const labels = [`task (${view.split})`, "metric", ...(hasGates ? ["gates"] : [])];
  return {
    head: [...labels, ...columns.map(({ title }) => title)],
    rows: groupByFlow(rows),
    numeric: columns.map((_, i) => labels.length + i),
  };
}

/** A table of facts with a row per run, where a column per run does not fit. */
export function turned({ head, rows }: TextTable): TextTable {
  const [title = "", ...names] = head;
  const table = names.map((name, run) => [name, ...rows.map((row) => row[run + 1] ?? "")]);
  return { head: [`run (by ${title})`, ...rows.map((row) => row[0] ?? "")], rows: table, numeric: [] };
}

/**
 * A row per run, a column per metric: the whole loss, then the first metric of each task, then the others, as the last
 * ones are left out where they do not fit.
 */
export function turnedMetrics(comparison: RunComparison, view: ComparisonView): TextTable {
  const lines = metricLines(comparison, view);
  const isFirst = (line: MetricLine): boolean =>
    lines.find(({ path, metric }) => path === line.path && metric !== "loss") === line;
  const rank = (line: MetricLine): number =>
    line.path === TOTAL && line.metric === "loss" ? 0 : isFirst(line) ? 1 : 2;
  const ordered = lines.toSorted((a, b) => rank(a) - rank(b));
  const titles = ordered.map(({ path, metric, gates }) => {
    const words = GATES_IN_WORDS[gates];
    return [...path.split(".").slice(-2), metric, ...(words === null ? [] : [words])].join("\n");
  });
  const rows = columnsOf(comparison).map(({ title }, run) => [title, ...ordered.map(({ texts }) => texts[run] ?? "")]);
  return { head: [`run (${view.split})`, ...titles], rows, numeric: titles.map((_, i) => i + 1) };
}

/** One row per curve and run; the run with the best value of a curve is marked with `•`. */
export function curveTable(comparison: RunComparison, split: Split, all: boolean): TextTable {
  const runs = columnsOf({ ...comparison, groups: [] });
  const shown = (comparison.curves ?? []).filter(
    (curve) => curve.split === split && (all || (!curve.metric_name.includes("/") && curve.task_path !== "_system")),
  );
  const rows = shown.flatMap((curve) =>
    curve.values.map((_, run) => ({ path: curve.task_path, cells: curveCells(curve, run, runs[run]?.title ?? "") })),
  );
  return {
    head: [`curve (${split})`, "metric", "run", "last", "best @step", "min", "max"],
    rows: groupByFlow(rows),
    numeric: [3, 4, 5, 6],
  };
}

function curveCells({ metric_name, values, best }: ComparedCurve, run: number, title: string): string[] {
  const summary = values[run] ?? null;
  const text = (value: number | null | undefined): string => formatMetric(value ?? null);
  return [
    run === 0 ? metric_name : "",
    title,
    text(summary?.last),
    `${text(summary?.best)}${summary?.best_step == null ? "" : ` @${summary.best_step}`}${run === best ? BEST_MARK : "  "}`,
    text(summary?.min),
    text(summary?.max),
  ];
}

/** Rows as other programs read them: every fact and metric, one column per run or, of groups, mean, sd and n. */
export function comparisonRows(comparison: RunComparison): (string | number | boolean | null)[][] {
  const { params, environment, code, data, metrics, grouped_metrics: grouped, runs } = comparison;
  const columns = columnsOf(comparison);
  const isGrouped = (column: Column): boolean => column.runs.length > 1;
  const head = columns.flatMap((column) => {
    const name = isGrouped(column) ? column.title : (runs[at(column.runs, 0)]?.name ?? column.title);
    return isGrouped(column) ? [name, `${name} sd`, `${name} n`] : [name];
  });
  const facts = (kind: string, some: readonly ComparedParam[]) =>
    some.map(({ key, values }) => [
      ...[kind, key, null, null, null, null],
      ...columns.flatMap((column): ConfigValue[] => {
        const own = [...new Set(column.runs.map((run) => values[run] ?? null))];
        const value = own.length === 1 ? (own[0] ?? null) : own.map(String).join(", ");
        return isGrouped(column) ? [value, null, null] : [value];
      }),
    ]);
  const metricRows = metrics.map((metric, i) => [
    ...["metric", null, metric.split, metric.task_path, metric.metric_name, metric.gates],
    ...columns.flatMap((column, c): ConfigValue[] => {
      if (!isGrouped(column)) return [metric.values[at(column.runs, 0)] ?? null];
      const spread = grouped[i]?.groups[c] ?? null;
      return [spread?.mean ?? null, spread?.sd ?? null, spread?.n ?? 0];
    }),
  ]);
  const curveRows = (comparison.curves ?? []).flatMap((curve) =>
    (["last", "best", "min", "max"] as const).map((statistic) => [
      ...[`curve_${statistic}`, null, curve.split, curve.task_path, curve.metric_name, null],
      ...columns.flatMap((column): ConfigValue[] => {
        const own = column.runs.map((run) => curve.values[run]?.[statistic] ?? null);
        return isGrouped(column) ? [own.map((value) => value ?? "").join(", "), null, null] : [own[0] ?? null];
      }),
    ]),
  );
  return [
    ["kind", "key", "split", "task_path", "metric_name", "gates", ...head],
    ...facts("setting", params),
    ...facts("environment", environment),
    ...facts("code", code),
    ...facts("data", data),
    ...metricRows,
    ...curveRows,
  ];
}

/** Everything in one table to move through, metrics first. */
export function comparisonView(comparison: RunComparison, split: Split): ViewTable {
  const columns = columnsOf(comparison);
  const lines = metricLines(comparison, { split, gates: "both", all: true });
  const metrics = lines.map(({ path, metric, gates, texts, means, differs }): ViewRow => {
    const words = GATES_IN_WORDS[gates];
    const name = words === null ? metric : `${metric} (${words})`;
    return { cells: [path, name, ...texts], sortKeys: [path, name, ...means], differs };
  });
  const sections = [
    { title: "settings", facts: comparison.params },
    { title: "environment", facts: comparison.environment },
    { title: "code", facts: comparison.code },
    { title: "data", facts: comparison.data },
  ];
  const facts = sections.flatMap(({ title, facts }) =>
    facts.map((fact): ViewRow => {
      const cells = [title, cellText(fact.key), ...factCells(fact, columns)];
      const values = columns.map(({ runs }) => sortKey(fact.values[at(runs, 0)] ?? null));
      return { cells, sortKeys: [title, fact.key, ...values], differs: new Set(fact.values).size > 1 };
    }),
  );
  return {
    title: `${comparison.runs.length} runs, metrics on ${split}; • marks the best of a row`,
    head: ["task", "metric or setting", ...columns.map(({ title }) => title)],
    numeric: columns.map((_, i) => i + 2),
    rows: [...metrics, ...facts],
  };
}

function sortKey(value: ConfigValue): string | number | null {
  return typeof value === "boolean" ? Number(value) : value;
}
