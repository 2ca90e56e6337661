/** @file The curves of a report's runs, put together into charts: one for each task, metric and unit. */
import type { Curve, ReportDocument, TaskReport } from "../../reporting/document.js";
import type { ChartCurve } from "../components/curve-chart.js";

export interface Chart {
  readonly metric: string;
  readonly unit: "epoch" | "step";
  readonly curves: readonly ChartCurve[];
}

const SPLIT_COLOURS = { train: 0, valid: 1, test: 2 } as const;

/** Charts by task path. Loss and the task's own metric stand first. */
export function chartsOf(report: ReportDocument): ReadonlyMap<string, readonly Chart[]> {
  const byTask = new Map<string, Map<string, ChartCurve[]>>();
  report.runs.forEach(({ overview, curves }, run) => {
    for (const curve of curves) {
      const charts = byTask.get(curve.task_path) ?? new Map<string, ChartCurve[]>();
      byTask.set(curve.task_path, charts);
      const key = `${curve.metric_name}\n${curve.unit}`;
      const drawn = charts.get(key) ?? [];
      charts.set(key, drawn);
      drawn.push(report.runs.length === 1 ? splitCurve(curve) : runCurve(curve, overview.name, run));
    }
  });
  const headlines = new Map(report.runs.flatMap(({ tasks }) => tasks.map((task) => [task.path, task.headline])));
  return new Map(
    [...byTask].map(([path, charts]) => [path, sorted([...charts].map(asChart), headlines.get(path) ?? null)]),
  );
}

function asChart([key, curves]: [string, readonly ChartCurve[]]): Chart {
  const [metric = "", unit] = key.split("\n");
  return { metric, unit: unit === "step" ? "step" : "epoch", curves };
}

function splitCurve({ split, x, y }: Curve): ChartCurve {
  return { name: split, x, y, colour: SPLIT_COLOURS[split] };
}

/** A colour for each run; what trained is dashed. */
function runCurve({ split, x, y }: Curve, name: string, run: number): ChartCurve {
  return { name: `${name}, ${split}`, x, y, colour: run, dashed: split === "train" };
}

function sorted(charts: readonly Chart[], headline: string | null): Chart[] {
  const placeOf = ({ metric }: Chart): number => (metric === "loss" ? 0 : metric === headline ? 1 : 2);
  return charts.toSorted((a, b) => placeOf(a) - placeOf(b));
}

/** Tasks of all runs, each once, in the order of the first run that has them. */
export function tasksOf(report: ReportDocument): readonly TaskReport[] {
  const known = new Map<string, TaskReport>();
  for (const { tasks } of report.runs) for (const task of tasks) if (!known.has(task.path)) known.set(task.path, task);
  return [...known.values()];
}

/** Whether a task is none of the flow's own: totals, and the machine's load. */
export function isOfWholeRun({ path }: TaskReport): boolean {
  return path.startsWith("_") && path !== "_foreign";
}

/** Where a task's part of the page is: names may hold anything, so that its place stands for it. */
export function taskId(index: number): string {
  return `task-${index + 1}`;
}
