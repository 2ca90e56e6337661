/** @file The evaluation of a run: each metric of each task, beside the best constant answer. */
import { useState } from "preact/hooks";
import type { EvaluationRow } from "../../../tasks/evaluation.js";
import { Section } from "../../components/section.js";
import { Table } from "../../components/table.js";
import { figure, score } from "../../text/figures.js";
import { lineOf } from "../shared/text.js";

export function EvaluationSection({ rows }: { readonly rows: readonly EvaluationRow[] }) {
  const splits = [...new Set(rows.map(({ split }) => split))];
  const gates = [...new Set(rows.map((row) => row.gates))];
  const [split, setSplit] = useState<string | null>(null);
  const [gate, setGate] = useState<string>("truth");
  const [isAll, setAll] = useState(false);
  if (rows.length === 0) return null;
  const chosen = splits.find((one) => one === split) ?? (splits.includes("test") ? "test" : splits[0]);
  const ofChoice = rows.filter((row) => row.split === chosen && row.gates === gate);
  // a metric of a single label or class has a slash in its name
  const shown = ofChoice.filter(({ metric_name }) => isAll || !metric_name.includes("/"));
  return (
    <Section id="evaluation" title="Evaluation">
      <div class="toolbar">
        <Choice label="split" values={splits} value={chosen ?? ""} onChoose={setSplit} />
        <Choice label="gates" values={gates} value={gate} onChoose={setGate} />
        {shown.length < ofChoice.length || isAll ? (
          <label>
            <input type="checkbox" checked={isAll} onChange={() => setAll(!isAll)} /> of single labels, too
          </label>
        ) : null}
      </div>
      <Table
        caption={`Evaluation on ${chosen}`}
        captionHidden
        rows={shown}
        keyOf={({ task_path, metric_name }) => `${task_path} ${metric_name}`}
        columns={[
          { key: "task", label: "task", value: ({ task_path }) => lineOf(task_path) },
          { key: "metric", label: "metric", value: ({ metric_name }) => lineOf(metric_name) },
          {
            ...{ key: "value", label: "value", numeric: true, value: ({ metric_res }) => metric_res },
            show: (row: EvaluationRow) => (
              <strong class={row.beats_baseline === false ? "bad-text" : ""}>
                {score(row.metric_res)}
                {row.beats_baseline === false ? " !" : ""}
              </strong>
            ),
          },
          {
            ...{ key: "interval", label: "95 %", numeric: true, value: ({ interval }) => interval?.[0] ?? null },
            show: ({ interval }) => (interval === undefined ? "" : `${score(interval[0])} – ${score(interval[1])}`),
          },
          {
            ...{ key: "baseline", label: "constant answer", numeric: true, value: ({ baseline }) => baseline ?? null },
            show: ({ baseline }) => (baseline === undefined ? "" : score(baseline)),
          },
          {
            ...{ key: "rows", label: "rows", numeric: true, value: ({ num_samples }) => num_samples },
            show: ({ num_samples }) => figure(num_samples),
          },
        ]}
      />
    </Section>
  );
}

interface ChoiceProps {
  readonly label: string;
  readonly values: readonly string[];
  readonly value: string;
  onChoose(value: string): void;
}

export function Choice({ label, values, value, onChoose }: ChoiceProps) {
  if (values.length < 2) return null;
  return (
    <label>
      {label}{" "}
      <select value={value} onChange={({ currentTarget }) => onChoose(currentTarget.value)}>
        {values.map((one) => (
          <option key={one} value={one}>
            {one.replaceAll("_", " ")}
          </option>
        ))}
      </select>
    </label>
  );
}
