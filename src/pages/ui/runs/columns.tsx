/** @file Columns of the list of runs. */
import type { ComponentChildren } from "preact";
import { epochsText } from "../../../records/epochs-text.js";
import type { ListedRun } from "../../../records/list-runs.js";
import type { RunStateName } from "../../../reporting/document.js";
import { StateBadge } from "../../components/state-badge.js";
import { duration, figure, score } from "../../text/figures.js";
import { briefTime, lineOf, valueText } from "../shared/text.js";

export interface ListColumn {
  /** Field that the list is sorted by, and name of the column. */
  readonly field: string;
  readonly label: string;
  readonly isNumeric?: boolean;
  /** Of the grid: at least, and its share of what is left. */
  readonly width: string;
  show(run: ListedRun): ComponentChildren;
}

export const USUAL_COLUMNS: readonly ListColumn[] = [
  { field: "state", label: "state", width: "7rem", show: ({ state }) => <StateBadge state={state as RunStateName} /> },
  { field: "project", label: "project", width: "minmax(6rem, 0.7fr)", show: ({ project }) => lineOf(project) },
  {
    ...{ field: "monitored", label: "monitored", width: "minmax(9rem, 1fr)", isNumeric: true },
    show: ({ values = {} }) =>
      typeof values.monitored === "number" ? (
        <>
          <span class="muted small">{lineOf(String(values.monitor ?? ""), 60)}</span> {score(values.monitored)}
        </>
      ) : (
        "–"
      ),
  },
  {
    ...{ field: "epochs_done", label: "epochs", width: "5rem", isNumeric: true },
    show: ({ epochs_done, epochs }) => epochsText(epochs_done, epochs),
  },
  {
    ...{ field: "tags", label: "tags", width: "minmax(5rem, 0.8fr)" },
    show: ({ tags }) =>
      tags.slice(0, 4).map((tag) => (
        <span key={tag} class="badge tag">
          {lineOf(tag, 40)}
        </span>
      )),
  },
  {
    ...{ field: "started", label: "started", width: "7.5rem" },
    show: ({ started_at }) => <time dateTime={started_at}>{briefTime(started_at)}</time>,
  },
  {
    ...{ field: "duration", label: "took", width: "5rem", isNumeric: true },
    show: ({ duration_s }) => duration(duration_s),
  },
];

/** What was asked about, or chosen. */
export function fieldColumn(field: string): ListColumn {
  const show = ({ values = {}, ...run }: ListedRun): string => {
    const value = values[field] ?? run[field as keyof typeof run];
    if (typeof value !== "number") return valueText(value);
    return field.includes("/") ? score(value) : figure(value);
  };
  return { field, label: lineOf(field, 80), width: "minmax(7rem, 0.8fr)", isNumeric: true, show };
}
