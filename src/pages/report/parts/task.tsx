/** @file All about one task: curves, confusion, reliability, thresholds, samples. */
import type { RunReport, TaskReport } from "../../../reporting/document.js";
import { Name } from "../../components/name.js";
import { type Chart, isOfWholeRun, taskId } from "../charts.js";
import { TaskCharts, type ChartLook } from "./charts.js";
import { Confusion } from "./confusion.js";
import { Reliability } from "./reliability.js";
import { Samples } from "./samples.js";
import { Thresholds } from "./thresholds.js";

/** Of more tasks than this each is opened by whoever wants to see it. */
const MOST_OPEN = 40;

interface TaskPartsProps {
  readonly tasks: readonly TaskReport[];
  /** By task path. */
  readonly charts: ReadonlyMap<string, readonly Chart[]>;
  readonly look: ChartLook;
  /** The run whose answers are looked at. */
  readonly run: RunReport | undefined;
}

/** Every task, but for what is told of the whole run. */
export function TaskParts({ tasks, charts, look, run }: TaskPartsProps) {
  return (
    <>
      {tasks.map((task, i) =>
        isOfWholeRun(task) ? null : (
          <TaskPart
            key={task.path}
            id={taskId(i)}
            task={task}
            charts={charts.get(task.path) ?? []}
            look={look}
            run={run}
            open={tasks.length <= MOST_OPEN}
          />
        ),
      )}
    </>
  );
}

interface TaskPartProps {
  readonly id: string;
  readonly task: TaskReport;
  readonly charts: readonly Chart[];
  readonly look: ChartLook;
  /** The run whose answers are looked at: undefined where it does not have the task. */
  readonly run: RunReport | undefined;
  readonly open: boolean;
}

function TaskPart({ id, task, charts, look, run, open }: TaskPartProps) {
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
