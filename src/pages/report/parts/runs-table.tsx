/** @file The runs of a report on several. */
import type { RunReport } from "../../../reporting/document.js";
import { StateBadge } from "../../components/state-badge.js";
import { Table } from "../../components/table.js";
import { duration, moment } from "../../text/figures.js";

const COLOURS = 10;

export function RunsTable({ runs }: { readonly runs: readonly RunReport[] }) {
  return (
    <Table
      caption="Runs"
      captionHidden
      rows={runs.map(({ overview }, place) => ({ ...overview, place }))}
      keyOf={({ id }) => id}
      columns={[
        {
          key: "name",
          label: "run",
          value: ({ name }) => name,
          show: ({ name, place, note }) => (
            <>
              <span class={`swatch series-${place % COLOURS}`} aria-hidden="true" /> <strong>{name}</strong>
              {note === null || note === "" ? null : <span class="muted small"> {note}</span>}
            </>
          ),
        },
        {
          key: "state",
          label: "state",
          value: ({ state }) => state,
          show: ({ state }) => <StateBadge state={state} />,
        },
        { key: "epochs", label: "epochs", numeric: true, value: ({ epochs_done }) => epochs_done },
        { key: "best", label: "best epoch", numeric: true, value: ({ best_epoch }) => best_epoch },
        {
          key: "took",
          label: "took",
          numeric: true,
          value: ({ duration_s }) => duration_s,
          show: ({ duration_s }) => duration(duration_s),
        },
        { key: "seed", label: "seed", numeric: true, value: ({ seed }) => seed },
        { key: "backend", label: "backend", value: ({ backend }) => backend },
        {
          key: "started",
          label: "started",
          value: ({ started_at }) => started_at,
          show: ({ started_at }) => moment(started_at),
        },
        { key: "id", label: "id", value: ({ id }) => id, show: ({ id }) => <span class="mono">{id}</span> },
      ]}
    />
  );
}
