/** @file All about one task: curves, confusion, reliability, thresholds, samples. */
import type { RunReport, TaskReport } from "../../../reporting/document.js";
import { Name } from "../../components/name.js";
import type { Chart } from "../charts.js";
import { TaskCharts, type ChartLook } from "./charts.js";
import { Confusion } from "./confusion.js";
import { Reliability } from "./reliability.js";
import { Samples } from "./samples.js";
import { Thresholds } from "./thresholds.js";

export interface TaskPartProps {
  readonly id: string;
  readonly task: TaskReport;
  readonly charts: readonly Chart[];
  readonly look: ChartLook;
  /** The run whose answers are looked at: undefined where it does not have the task. */
  readonly run: RunReport | undefined;
  readonly open: boolean;
}

export function TaskPart({ id, task, charts, look, run, open }: TaskPartProps) {
  const own = run?.tasks.find(({ path }) => path === task.path);
  return (
    <details class="card task" id={id} open={open}>
      <summary>
        <h3>
          <Name text={task.path} />
        </h3>{" "}
        <span class="muted small">{describe(task)}</span>
      </summary>
      {charts.length === 0 ? null : <TaskCharts charts={charts} headline={task.headline} look={look} />}
      {own === undefined || run === undefined ? null : (
        <>
          <div class="beside">
            {own.confusion.map((confusion) => (
              <Confusion key={confusion.split} confusion={confusion} />
            ))}
            {own.reliability.map((reliability) => (
              <Reliability key={reliability.split} reliability={reliability} />
            ))}
          </div>
          <Thresholds key={run.overview.id} task={task.path} thresholds={own.thresholds} />
          <Samples samples={own.samples} pictures={run.pictures} />
        </>
      )}
    </details>
  );
}

function describe({ kind, condition }: TaskReport): string {
  if (kind === null) return "";
  return condition === null ? `${kind}, always asked` : `${kind}, asked where ${condition}`;
}
