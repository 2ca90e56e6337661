/** @file The page of a report: its head, its table of contents, its sections. */
import type { ComponentChildren } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import type { ReportDocument, RunReport, TaskReport } from "../../reporting/document.js";
import { Name } from "../components/name.js";
import { Section } from "../components/section.js";
import { StudyParts } from "../study/study-parts.js";
import { moment } from "../text/figures.js";
import { ThemeSwitch } from "../theme/theme-switch.js";
import { chartsOf, isOfWholeRun, taskId, tasksOf } from "./charts.js";
import { type ChartLook, LookBar, TaskCharts } from "./parts/charts.js";
import { CalibrationTable, Contracts, DifferenceTables, FactTable, Log, Settings } from "./parts/facts.js";
import { ScoredFlow } from "./parts/flow.js";
import { Overview } from "./parts/overview.js";
import { Results } from "./parts/results-table.js";
import { RunsTable } from "./parts/runs-table.js";
import { TaskParts } from "./parts/task.js";
import { openWhenPrinted, openWhenTold } from "./print.js";
import { evaluatedSplits } from "./results.js";
import { sectionsOf } from "./sections.js";

const KINDS = { run: "Report of a run", comparison: "Comparison of runs", group: "Report of a group" } as const;

export function Report({ report }: { readonly report: ReportDocument }) {
  const [chosen, setChosen] = useState(0);
  const [look, setLook] = useState<ChartLook>({ smoothing: 0, logarithmic: false, all: false });
  const charts = useMemo(() => chartsOf(report), [report]);
  useEffect(openWhenPrinted, []);
  useEffect(openWhenTold, []);
  const tasks = tasksOf(report);
  const run = report.runs[chosen];
  const bodies: Readonly<Record<string, ComponentChildren>> = {
    overview: <Beginning report={report} />,
    study: report.group?.study == null ? null : <StudyParts study={report.group.study} hrefOf={() => null} />,
    results: <Results report={report} />,
    flow:
      run?.flow === null || run === undefined ? (
        <p class="muted">This run has no flow.</p>
      ) : (
        <Flow report={report} run={run} tasks={tasks} />
      ),
    differences: <DifferenceTables report={report} />,
    tasks: (
      <>
        <LookBar look={look} onChange={setLook} />
        <TaskParts tasks={tasks} charts={charts} look={look} run={run} />
      </>
    ),
    whole: (
      <>
        {tasks.some((task) => !isOfWholeRun(task)) ? null : <LookBar look={look} onChange={setLook} />}
        {tasks.map((task) =>
          isOfWholeRun(task) ? (
            <div key={task.path} class="card task">
              <h3>{WHOLE[task.path] ?? task.path}</h3>
              <TaskCharts charts={charts.get(task.path) ?? []} headline={null} look={{ ...look, all: true }} />
            </div>
          ) : null,
        )}
      </>
    ),
    contracts: <OfRun run={run} show={({ contracts }) => <Contracts contracts={contracts} />} />,
    calibration: (
      <OfRun
        run={run}
        show={({ calibration }) =>
          calibration === null ? (
            <p class="muted">It has not been calibrated.</p>
          ) : (
            <CalibrationTable calibration={calibration} />
          )
        }
      />
    ),
    settings: <OfRun run={run} show={({ settings }) => <Settings settings={settings} />} />,
    environment: (
      <OfRun
        run={run}
        show={({ environment }) => <FactTable caption="Machine, system and packages" facts={environment} />}
      />
    ),
    log: (
      <OfRun
        run={run}
        show={({ log }) => (log === null ? <p class="muted">It has no output.</p> : <Log log={log} />)}
      />
    ),
  };
  const sections = sectionsOf(report);
  return (
    <>
      <a class="skip" href="#main">
        Skip to the report
      </a>
      <header class="head">
        <p class="muted small">{KINDS[report.kind]}</p>
        <h1>{report.title}</h1>
        <p class="muted small">
          made {moment(report.created_at)} by dnn-cool {report.version}
        </p>
        <div class="toolbar">
          <RunChoice report={report} chosen={chosen} onChange={setChosen} />
          <ThemeSwitch />
        </div>
      </header>
      <Contents sections={sections} tasks={tasks} />
      <main id="main">
        {sections.map(({ id, title }) => (
          <Section key={id} id={id} title={title}>
            {bodies[id]}
          </Section>
        ))}
      </main>
    </>
  );
}

const WHOLE: Readonly<Record<string, string>> = { _total: "All tasks together", _system: "The machine" };

/** Of several runs the one whose flow, answers, settings and output are shown. */
function RunChoice({
  report,
  chosen,
  onChange,
}: {
  report: ReportDocument;
  chosen: number;
  onChange(run: number): void;
}) {
  if (report.runs.length === 1) return null;
  return (
    <label class="needs-script">
      Answers, settings and output of{" "}
      <select value={String(chosen)} onChange={(event) => onChange(Number(event.currentTarget.value))}>
        {report.runs.map(({ overview }, i) => (
          <option key={overview.id} value={String(i)}>
            {overview.name}
          </option>
        ))}
      </select>
    </label>
  );
}

function Beginning({ report }: { readonly report: ReportDocument }) {
  const [first] = report.runs;
  const missing = report.runs.flatMap(({ overview, missing: own }) =>
    own.map((sentence) => (report.runs.length === 1 ? sentence : `${overview.name}: ${sentence}`)),
  );
  return (
    <>
      {first !== undefined && report.runs.length === 1 ? (
        <Overview run={first.overview} />
      ) : (
        <div class="card">
          <RunsTable runs={report.runs} />
        </div>
      )}
      {[...missing, ...report.left_out].map((sentence) => (
        <p key={sentence} class="notice">
          {sentence}
        </p>
      ))}
    </>
  );
}

function Contents({ sections, tasks }: { sections: ReturnType<typeof sectionsOf>; tasks: readonly TaskReport[] }) {
  return (
    <nav class="contents" aria-label="Contents">
      <details open>
        <summary>Contents</summary>
        <ul>
          {sections.map(({ id, title }) => (
            <li key={id}>
              <a href={`#${id}`}>{title}</a>
              {id !== "tasks" ? null : (
                <ul>
                  {tasks.map((task, i) =>
                    isOfWholeRun(task) ? null : (
                      <li key={task.path}>
                        <a href={`#${taskId(i)}`}>
                          <Name text={task.path} />
                        </a>
                      </li>
                    ),
                  )}
                </ul>
              )}
            </li>
          ))}
        </ul>
      </details>
    </nav>
  );
}

function Flow({ report, run, tasks }: { report: ReportDocument; run: RunReport; tasks: readonly TaskReport[] }) {
  const [split = "test"] = evaluatedSplits(report);
  if (run.flow === null) return null;
  return (
    <>
      <ScoredFlow run={run} tasks={tasks} split={split} />
      <p class="small muted">
        Scores are those of {split} where the question was rightly asked; one that beats no constant answer has a !.
      </p>
    </>
  );
}

function OfRun({ run, show }: { readonly run: RunReport | undefined; show(run: RunReport): ComponentChildren }) {
  return run === undefined ? null : <div class="card">{show(run)}</div>;
}
