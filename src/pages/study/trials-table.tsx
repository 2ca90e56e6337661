/** @file The trials of a study: the best first, with the settings in which they differ. */
import type { StudyReport } from "../../reporting/document.js";
import { type Column, Table } from "../components/table.js";
import { Name } from "../components/name.js";
import { StateBadge } from "../components/state-badge.js";
import { figure, score } from "../text/figures.js";

type Trial = StudyReport["trials"][number];

interface TrialsTableProps {
  readonly study: StudyReport;
  hrefOf(run: string): string | null;
}

export function TrialsTable({ study, hrefOf }: TrialsTableProps) {
  const best = new Set(study.best);
  return (
    <Table<Trial>
      caption="Trials"
      captionHidden
      rows={study.trials}
      keyOf={({ number }) => String(number)}
      columns={[
        {
          ...{ key: "trial", label: "trial", numeric: true, value: ({ number }) => number },
          show: ({ number, run }) => (
            <>
              {best.has(number) ? <span title="the best, or no other is better in everything">★ </span> : null}
              <RunLink number={number} href={run === null ? null : hrefOf(run)} />
            </>
          ),
        },
        ...study.study.objectives.map(
          ({ name }, i): Column<Trial> => ({
            ...{ key: `objective ${i}`, label: name, numeric: true, value: ({ objectives }) => objectives[i] ?? null },
            show: ({ objectives }) => score(objectives[i]),
          }),
        ),
        {
          ...{ key: "state", label: "state", value: ({ state }) => state },
          show: ({ state, error }) => (
            <>
              <StateBadge state={state} />
              {error === null ? null : <span class="small muted"> {error}</span>}
            </>
          ),
        },
        { key: "epochs", label: "epochs", numeric: true, value: ({ epochs_done }) => epochs_done },
        ...settingColumns(study),
      ]}
    />
  );
}

function RunLink({ number, href }: { readonly number: number; readonly href: string | null }) {
  return href === null ? <span>{number}</span> : <a href={href}>{number}</a>;
}

function settingColumns({ trials }: StudyReport): Column<Trial>[] {
  const names = [...new Set(trials.flatMap(({ values }) => Object.keys(values)))];
  return names.map((name): Column<Trial> => {
    const isNumeric = trials.every(({ values }) => values[name] === undefined || typeof values[name] === "number");
    return {
      ...{ key: `setting ${name}`, label: name, numeric: isNumeric },
      value: ({ values }) => cellOf(values[name]),
      show: ({ values }) => {
        const value = values[name];
        return typeof value === "number" ? figure(value) : <Name text={String(cellOf(value) ?? "–")} />;
      },
    };
  });
}

function cellOf(value: unknown): string | number | null {
  if (value === undefined) return null;
  return typeof value === "string" || typeof value === "number" ? value : JSON.stringify(value);
}
