/** @file The evaluation: of one run with baselines and intervals, of several side by side, of a group with its spread. */
import { useState } from "preact/hooks";
import type { ReportDocument, RunReport } from "../../../reporting/document.js";
import type { EvaluationRow, GroupEvaluationRow } from "../../../tasks/evaluation.js";
import { Name } from "../../components/name.js";
import { type Column, Table } from "../../components/table.js";
import { score } from "../../text/figures.js";
import { type Asked, askedRows, evaluatedSplits, GATES, higherIsBetter } from "../results.js";

export function Results({ report }: { readonly report: ReportDocument }) {
  const splits = evaluatedSplits(report);
  const [asked, setAsked] = useState<Asked>({ split: splits[0] ?? "test", gates: "truth", all: false });
  if (splits.length === 0) return <p class="muted">There is no evaluation on record.</p>;
  const [run] = report.runs;
  return (
    <div class="card">
      <Questions asked={asked} splits={splits} onChange={setAsked} />
      {report.group !== null && report.group.evaluation.length > 0 && run !== undefined ? (
        <GroupResults rows={askedRows(report.group.evaluation, run.tasks, asked)} asked={asked} />
      ) : null}
      {run !== undefined && report.runs.length === 1 ? (
        <RunResults rows={askedRows(run.evaluation, run.tasks, asked)} asked={asked} />
      ) : (
        <SideBySide report={report} asked={asked} />
      )}
      <p class="small muted">
        Intervals are of 95 %. A baseline is what the best constant answer comes to; a value that does not beat it is
        marked with !.
      </p>
    </div>
  );
}

interface QuestionsProps {
  readonly asked: Asked;
  readonly splits: readonly Asked["split"][];
  onChange(asked: Asked): void;
}

function Questions({ asked, splits, onChange }: QuestionsProps) {
  return (
    <div class="toolbar needs-script">
      <label>
        Split{" "}
        <select
          value={asked.split}
          onChange={(event) => {
            const split = splits.find((one) => one === event.currentTarget.value);
            if (split !== undefined) onChange({ ...asked, split });
          }}
        >
          {splits.map((split) => (
            <option key={split} value={split}>
              {split}
            </option>
          ))}
        </select>
      </label>
      <label>
        Counted{" "}
        <select
          value={asked.gates}
          onChange={(event) => {
            const found = GATES.find(([gates]) => gates === event.currentTarget.value);
            if (found !== undefined) onChange({ ...asked, gates: found[0] });
          }}
        >
          {GATES.map(([gates, name]) => (
            <option key={gates} value={gates}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label>
        <input
          type="checkbox"
          checked={asked.all}
          onChange={(event) => onChange({ ...asked, all: event.currentTarget.checked })}
        />{" "}
        all metrics
      </label>
    </div>
  );
}

function captionOf({ split, gates }: Asked): string {
  return `Evaluation on ${split}, ${GATES.find(([one]) => one === gates)?.[1] ?? gates}`;
}

/** Columns of what a row is about. */
function nameColumns<Row extends Pick<EvaluationRow, "task_path" | "metric_name">>(): Column<Row>[] {
  return [
    {
      key: "task",
      label: "task",
      value: ({ task_path }) => task_path,
      show: ({ task_path }) => <Name text={task_path} />,
    },
    {
      key: "metric",
      label: "metric",
      value: ({ metric_name }) => metric_name,
      show: ({ metric_name }) => <Name text={metric_name} />,
    },
  ];
}

const BASELINE: readonly Column<EvaluationRow>[] = [
  {
    key: "baseline",
    label: "baseline",
    numeric: true,
    value: ({ baseline }) => baseline ?? null,
    show: ({ baseline }) => score(baseline),
  },
  {
    key: "beats",
    label: "beats it",
    value: ({ beats_baseline }) => (beats_baseline === undefined ? null : beats_baseline ? "yes" : "no"),
    show: ({ beats_baseline }) =>
      beats_baseline === undefined ? (
        <span class="muted">–</span>
      ) : beats_baseline ? (
        <span class="good-text">yes</span>
      ) : (
        <span class="badge bad">! no</span>
      ),
  },
  {
    key: "samples",
    label: "samples",
    numeric: true,
    value: ({ num_samples }) => num_samples,
  },
];

function RunResults({ rows, asked }: { readonly rows: readonly EvaluationRow[]; readonly asked: Asked }) {
  return (
    <Table
      caption={captionOf(asked)}
      rows={rows}
      keyOf={({ task_path, metric_name }) => `${task_path} ${metric_name}`}
      columns={[
        ...nameColumns<EvaluationRow>(),
        {
          key: "value",
          label: "value",
          numeric: true,
          value: ({ metric_res }) => metric_res,
          show: ({ metric_res }) => <strong>{score(metric_res)}</strong>,
        },
        {
          key: "interval",
          label: "interval",
          numeric: true,
          value: ({ interval }) => interval?.[0] ?? null,
          show: ({ interval }) =>
            interval === undefined ? (
              <span class="muted">–</span>
            ) : (
              <span class="muted">
                {score(interval[0])} to {score(interval[1])}
              </span>
            ),
        },
        ...BASELINE,
      ]}
    />
  );
}

function GroupResults({ rows, asked }: { readonly rows: readonly GroupEvaluationRow[]; readonly asked: Asked }) {
  const together = asked.split === "test" ? "ensemble" : "out of fold";
  const columns: readonly Column<GroupEvaluationRow>[] = [
    ...nameColumns<EvaluationRow>(),
    { key: "mean", label: "mean", numeric: true, value: ({ mean }) => mean, show: ({ mean }) => score(mean) },
    {
      key: "deviation",
      label: "± deviation",
      numeric: true,
      value: ({ deviation }) => deviation,
      show: ({ deviation }) => score(deviation),
    },
    {
      key: "together",
      label: together,
      numeric: true,
      value: ({ metric_res }) => metric_res,
      show: ({ metric_res }) => <strong>{score(metric_res)}</strong>,
    },
    ...BASELINE,
  ];
  return (
    <Table
      caption={`${captionOf(asked)}: all runs of the group together`}
      rows={rows}
      keyOf={({ task_path, metric_name }) => `${task_path} ${metric_name}`}
      columns={columns}
    />
  );
}

interface Compared {
  readonly task_path: string;
  readonly metric_name: string;
  readonly rows: readonly (EvaluationRow | undefined)[];
  readonly best: number | null;
}

function SideBySide({ report, asked }: { readonly report: ReportDocument; readonly asked: Asked }) {
  return (
    <Table
      caption={`${captionOf(asked)}; the best value of a row has a dot`}
      rows={compared(report, asked)}
      keyOf={({ task_path, metric_name }) => `${task_path} ${metric_name}`}
      columns={[
        ...nameColumns<Compared>(),
        ...report.runs.map(
          ({ overview }, i): Column<Compared> => ({
            key: overview.id,
            label: overview.name,
            numeric: true,
            value: ({ rows }) => rows[i]?.metric_res ?? null,
            show: ({ rows, best }) => <ComparedValue row={rows[i]} best={best === i} />,
          }),
        ),
      ]}
    />
  );
}

function ComparedValue({ row, best }: { readonly row: EvaluationRow | undefined; readonly best: boolean }) {
  const text = `${row?.beats_baseline === false ? "! " : ""}${score(row?.metric_res)}`;
  return best ? <strong>• {text}</strong> : <span>{text}</span>;
}

function compared(report: ReportDocument, asked: Asked): Compared[] {
  const byRun = report.runs.map(({ evaluation, tasks }) => rowsByKey(askedRows(evaluation, tasks, asked)));
  const keys = new Map(byRun.flatMap((rows) => [...rows]));
  return [...keys].map(([key, { task_path, metric_name }]) => {
    const rows = byRun.map((own) => own.get(key));
    return { task_path, metric_name, rows, best: bestOf(report, task_path, metric_name, rows) };
  });
}

function rowsByKey(rows: RunReport["evaluation"]): ReadonlyMap<string, EvaluationRow> {
  return new Map(rows.map((row) => [`${row.task_path}\n${row.metric_name}`, row]));
}

/** null where no value is better than another. */
function bestOf(
  report: ReportDocument,
  path: string,
  metric: string,
  rows: readonly (EvaluationRow | undefined)[],
): number | null {
  const higher = higherIsBetter(report, path, metric);
  if (higher === null) return null;
  const values = rows.map((row) => row?.metric_res ?? null);
  const defined = values.filter((value) => value !== null);
  if (new Set(defined).size < 2) return null;
  return values.indexOf(higher ? Math.max(...defined) : Math.min(...defined));
}
