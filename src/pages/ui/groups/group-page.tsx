/** @file One group of runs: its runs, their curves over each other, and what they come to together. */
import { useEffect } from "preact/hooks";
import type { ListedRun } from "../../../records/list-runs.js";
import type { RunStateName } from "../../../reporting/document.js";
import type { GroupAnswer, GroupRow } from "../../../ui/api/types.js";
import { Section } from "../../components/section.js";
import { StateBadge } from "../../components/state-badge.js";
import { Table } from "../../components/table.js";
import { StudyParts } from "../../study/study-parts.js";
import { score } from "../../text/figures.js";
import { CurvesSection } from "../run/curves-section.js";
import { useAnswer } from "../shared/answer.js";
import { compareAddress, runAddress } from "../shared/router.js";
import { lineOf } from "../shared/text.js";

/** Runs whose curves can be told apart. */
const MOST_CURVES = 10;
/** Runs that the server compares at a time. */
const MOST_COMPARED = 50;

export function GroupPage({ id }: { readonly id: string }) {
  const { value, problem } = useAnswer<GroupAnswer>(`/api/groups/${encodeURIComponent(id)}`, { restMs: 3000 });
  const name = value === null ? "Group" : lineOf(value.group.name, 100);
  useEffect(() => {
    document.title = `${name} · dnn-cool`;
  }, [name]);
  if (value === null) {
    return <main id="main">{problem === null ? <p class="muted">…</p> : <p class="notice error">{problem}</p>}</main>;
  }
  const { group, runs, study } = value;
  return (
    <main id="main">
      <h1>{name}</h1>
      <p class="muted">
        {group.kind === "folds" ? "Folds of a cross-validation" : "A sweep"}: {runs.length} of {group.planned} runs.{" "}
        {runs.length < 2 ? null : (
          <a
            href={compareAddress(
              bestFirst(runs, study)
                .slice(0, MOST_COMPARED)
                .map((run) => run.id),
            )}
          >
            Compare them
          </a>
        )}{" "}
        <a href="/groups">All groups</a>
      </p>
      {problem === null ? null : <p class="notice error">{problem}</p>}
      {study === null ? null : (
        <Section id="study" title="Study">
          <StudyParts study={study} hrefOf={runAddress} />
        </Section>
      )}
      {study === null ? <GroupRuns runs={runs} /> : null}
      <GroupEvaluation rows={group.evaluation} />
      {runs.length === 0 ? null : (
        <CurvesSection
          runs={bestFirst(runs, study).slice(0, MOST_CURVES)}
          isLive={runs.some(({ state }) => state === "running")}
        />
      )}
    </main>
  );
}

function GroupRuns({ runs }: { readonly runs: readonly ListedRun[] }) {
  return (
    <Section id="runs" title="Runs">
      <Table<ListedRun>
        caption="Runs"
        captionHidden
        rows={runs}
        keyOf={(run) => run.id}
        columns={[
          {
            ...{ key: "name", label: "name", value: (run) => run.name },
            show: (run) => <a href={runAddress(run.id)}>{lineOf(run.name, 100)}</a>,
          },
          {
            ...{ key: "state", label: "state", value: ({ state }) => state },
            show: ({ state }) => <StateBadge state={state as RunStateName} />,
          },
          { key: "monitor", label: "monitor", value: ({ values = {} }) => lineOf(String(values.monitor ?? ""), 100) },
          {
            ...{ key: "monitored", label: "monitored", numeric: true },
            value: ({ values = {} }) => (typeof values.monitored === "number" ? values.monitored : null),
            show: ({ values = {} }) => score(typeof values.monitored === "number" ? values.monitored : null),
          },
        ]}
      />
    </Section>
  );
}

/** Of a study those of its best trials first; of others as they are. */
function bestFirst(runs: readonly ListedRun[], study: GroupAnswer["study"]): readonly ListedRun[] {
  if (study === null) return runs;
  const known = new Map(runs.map((run) => [run.id, run]));
  return study.trials.flatMap(({ run }) => (run === null ? [] : (known.get(run) ?? [])));
}

function GroupEvaluation({ rows }: { readonly rows: readonly GroupRow[] }) {
  if (rows.length === 0) return null;
  return (
    <Section id="evaluation" title="Evaluation">
      <Table<GroupRow>
        caption="Mean and standard deviation over the runs, and the value over all of their rows together"
        rows={rows}
        keyOf={(row) => `${row.split} ${row.gates} ${row.task_path} ${row.metric_name}`}
        columns={[
          { key: "task", label: "task", value: ({ task_path }) => lineOf(task_path) },
          { key: "metric", label: "metric", value: ({ metric_name }) => lineOf(metric_name) },
          { key: "split", label: "split", value: ({ split }) => split },
          { key: "gates", label: "gates", value: ({ gates }) => gates.replaceAll("_", " ") },
          { ...figureColumn("mean"), show: ({ mean }) => <strong>{score(mean)}</strong> },
          { ...figureColumn("deviation"), show: ({ deviation }) => score(deviation) },
          {
            ...{ key: "pooled", label: "pooled", numeric: true, value: ({ metric_res }) => metric_res },
            show: ({ metric_res }) => score(metric_res),
          },
          { key: "runs", label: "runs", numeric: true, value: ({ runs }) => runs },
        ]}
      />
    </Section>
  );
}

function figureColumn(key: "mean" | "deviation") {
  return { key, label: key, numeric: true, value: (row: GroupRow) => row[key] };
}
