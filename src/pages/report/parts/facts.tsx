/** @file Settings, environment, differences between runs, contracts, calibration and the end of the output. */
import type { DifferingFact, Fact, ReportDocument, RunReport, Setting } from "../../../reporting/document.js";
import { type Column, Table } from "../../components/table.js";
import { score } from "../../text/figures.js";

export function Settings({ settings }: { readonly settings: readonly Setting[] }) {
  const changed = settings.filter(({ changed_by }) => changed_by !== null);
  return (
    <>
      {changed.length === 0 ? null : <SettingTable caption="Changed from what the project says" settings={changed} />}
      <details>
        <summary>All {settings.length} settings</summary>
        <SettingTable caption="Settings" settings={settings} />
      </details>
    </>
  );
}

function SettingTable({ caption, settings }: { readonly caption: string; readonly settings: readonly Setting[] }) {
  return (
    <Table
      caption={caption}
      rows={settings}
      keyOf={({ key }) => key}
      columns={[
        { key: "setting", label: "setting", value: ({ key }) => key },
        { key: "value", label: "value", value: ({ value }) => value, show: ({ value }) => <code>{value}</code> },
        {
          key: "changed",
          label: "changed by",
          value: ({ changed_by }) => (changed_by === null ? "" : changed_by === "set" ? "--set" : "a flag"),
        },
      ]}
    />
  );
}

export function FactTable({ caption, facts }: { readonly caption: string; readonly facts: readonly Fact[] }) {
  return (
    <Table
      caption={caption}
      rows={facts}
      keyOf={({ key }) => key}
      columns={[
        { key: "what", label: "what", value: ({ key }) => key },
        { key: "value", label: "value", value: ({ value }) => value },
      ]}
    />
  );
}

export function DifferenceTables({ report }: { readonly report: ReportDocument }) {
  const { differences } = report;
  if (differences === null) return null;
  const parts = [
    ["Settings", differences.settings],
    ["Code and data", differences.code],
    ["Environment", differences.environment],
  ] as const;
  const names = report.runs.map(({ overview }) => overview.name);
  if (parts.every(([, facts]) => facts.length === 0)) return <p class="muted">The runs differ in nothing on record.</p>;
  return (
    <div class="card">
      {parts.map(([caption, facts]) =>
        facts.length === 0 ? null : <DifferenceTable key={caption} caption={caption} facts={facts} names={names} />,
      )}
    </div>
  );
}

interface DifferenceTableProps {
  readonly caption: string;
  readonly facts: readonly DifferingFact[];
  readonly names: readonly string[];
}

function DifferenceTable({ caption, facts, names }: DifferenceTableProps) {
  return (
    <Table
      caption={caption}
      rows={facts}
      keyOf={({ key }) => key}
      columns={[
        { key: "what", label: "what", value: ({ key }) => key },
        ...names.map(
          (name, i): Column<DifferingFact> => ({
            key: String(i),
            label: name,
            value: ({ values }) => values[i] ?? null,
          }),
        ),
      ]}
    />
  );
}

export function Contracts({ contracts }: Pick<RunReport, "contracts">) {
  return (
    <Table
      caption="How often the answers break what the flow says"
      rows={contracts}
      keyOf={({ split, contract }) => `${split} ${contract}`}
      columns={[
        { key: "contract", label: "contract", value: ({ contract }) => contract },
        { key: "split", label: "split", value: ({ split }) => split },
        { key: "broken", label: "broken", numeric: true, value: ({ broken }) => broken },
        { key: "rows", label: "of rows", numeric: true, value: ({ rows }) => rows },
      ]}
    />
  );
}

export function CalibrationTable({ calibration }: { readonly calibration: NonNullable<RunReport["calibration"]> }) {
  return (
    <Table
      caption={`Before and after calibration by ${calibration.method}`}
      rows={calibration.rows}
      keyOf={(row) => `${row.split} ${row.task_path} ${row.metric_name}`}
      columns={[
        { key: "task", label: "task", value: ({ task_path }) => task_path },
        { key: "metric", label: "metric", value: ({ metric_name }) => metric_name },
        { key: "split", label: "split", value: ({ split }) => split },
        { key: "raw", label: "before", numeric: true, value: ({ raw }) => raw, show: ({ raw }) => score(raw) },
        {
          key: "calibrated",
          label: "after",
          numeric: true,
          value: ({ calibrated }) => calibrated,
          show: ({ calibrated }) => score(calibrated),
        },
        { key: "samples", label: "samples", numeric: true, value: ({ num_samples }) => num_samples },
      ]}
    />
  );
}

export function Log({ log }: { readonly log: NonNullable<RunReport["log"]> }) {
  return (
    <>
      {log.cut ? (
        <p class="muted small">The last {log.lines.length} lines; stdout.log of the run has the rest.</p>
      ) : null}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard */}
      <section class="log" tabIndex={0} aria-label="End of the output">
        <pre>{log.lines.join("\n")}</pre>
      </section>
    </>
  );
}
