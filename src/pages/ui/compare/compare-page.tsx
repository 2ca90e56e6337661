/** @file Runs beside each other: their curves over each other, what differs, and their metrics with the best marked. */
import { useEffect, useState } from "preact/hooks";
import type { CompareAnswer } from "../../../ui/api/types.js";
import { Section } from "../../components/section.js";
import { Table } from "../../components/table.js";
import { score } from "../../text/figures.js";
import { CurvesSection } from "../run/curves-section.js";
import { Choice } from "../run/evaluation-section.js";
import { useAnswer } from "../shared/answer.js";
import { takeFirst } from "../shared/first.js";
import { compareAddress, type Place, runAddress } from "../shared/router.js";
import { lineOf, valueText } from "../shared/text.js";

export function ComparePage({ place }: { readonly place: Place }) {
  const ids = [...new Set(place.query.getAll("run"))];
  const query = new URLSearchParams(ids.map((id) => ["run", id]));
  const [first] = useState(() => takeFirst<CompareAnswer>());
  const { value, problem } = useAnswer<CompareAnswer>(ids.length < 2 ? null : `/api/compare?${query}`, {
    ...{ first, restMs: 3000 },
  });
  useEffect(() => {
    document.title = "Compare · dnn-cool";
  }, []);
  if (ids.length < 2) {
    return (
      <main id="main">
        <p>
          Comparing takes two runs: choose them in <a href="/">the list</a>.
        </p>
      </main>
    );
  }
  return (
    <main id="main">
      <h1>{ids.length} runs compared</h1>
      {problem === null ? null : (
        <p class="notice error" role="alert">
          {problem}
        </p>
      )}
      {value === null ? <p class="muted">…</p> : <Comparison comparison={value} />}
    </main>
  );
}

const COLOURS = 10;

function Comparison({ comparison }: { readonly comparison: CompareAnswer }) {
  const { runs, params, code, data, environment } = comparison;
  const ids = runs.map(({ id }) => id);
  return (
    <>
      <ol class="compared">
        {runs.map(({ id, name, state }, i) => (
          <li key={id}>
            <span class={`swatch series-${i % COLOURS}`} aria-hidden="true" />
            <a href={runAddress(id)}>{lineOf(name, 100)}</a> <span class="muted">{state}</span>{" "}
            {runs.length > 2 ? (
              <a
                class="quiet"
                href={compareAddress(ids.filter((one) => one !== id))}
                aria-label={`without ${lineOf(name, 100)}`}
              >
                ✕
              </a>
            ) : null}
          </li>
        ))}
      </ol>
      <CurvesSection runs={runs} isLive={runs.some(({ state }) => state === "running")} />
      <Metrics comparison={comparison} />
      <Differences id="settings" title="Settings that differ" {...{ comparison, rows: params }} />
      <Differences id="code" title="Code and data that differ" {...{ comparison, rows: [...code, ...data] }} />
      <Differences id="environment" title="Environments that differ" {...{ comparison, rows: environment }} />
    </>
  );
}

function Metrics({ comparison: { runs, metrics } }: { readonly comparison: CompareAnswer }) {
  const splits = [...new Set(metrics.map(({ split }) => split))];
  const gates = [...new Set(metrics.map((metric) => metric.gates))];
  const [split, setSplit] = useState<string | null>(null);
  const [gate, setGate] = useState("truth");
  const [isAll, setAll] = useState(false);
  if (metrics.length === 0) return null;
  const chosen = splits.find((one) => one === split) ?? (splits.includes("test") ? "test" : splits[0]);
  const rows = metrics.filter(
    (metric) => metric.split === chosen && metric.gates === gate && (isAll || !metric.metric_name.includes("/")),
  );
  return (
    <Section id="metrics" title="Metrics">
      <div class="toolbar">
        <Choice label="split" values={splits} value={chosen ?? ""} onChoose={setSplit} />
        <Choice label="gates" values={gates} value={gate} onChoose={setGate} />
        <label>
          <input type="checkbox" checked={isAll} onChange={() => setAll(!isAll)} /> of single labels, too
        </label>
      </div>
      <Table
        caption={`Metrics on ${chosen}; • is the best`}
        rows={rows}
        keyOf={({ task_path, metric_name }) => `${task_path} ${metric_name}`}
        columns={[
          {
            ...{ key: "metric", label: "metric" },
            value: ({ task_path, metric_name }) => lineOf(`${task_path}/${metric_name}`),
          },
          ...runs.map(({ id, name }, i) => ({
            ...{ key: id, label: lineOf(name, 40), numeric: true },
            value: ({ values }: (typeof rows)[number]) => values[i] ?? null,
            show: ({ values, best }: (typeof rows)[number]) =>
              best === i ? <strong class="good-text">• {score(values[i])}</strong> : score(values[i]),
          })),
        ]}
      />
    </Section>
  );
}

interface DifferencesProps {
  readonly id: string;
  readonly title: string;
  readonly comparison: CompareAnswer;
  readonly rows: CompareAnswer["params"];
}

function Differences({ id, title, comparison: { runs }, rows }: DifferencesProps) {
  if (rows.length === 0) return id === "settings" ? <p class="muted">The runs have the same settings.</p> : null;
  return (
    <Section id={id} title={title}>
      <Table
        caption={title}
        captionHidden
        rows={rows}
        keyOf={({ key }) => key}
        columns={[
          { key: "key", label: "name", value: ({ key }) => lineOf(key) },
          ...runs.map((run, i) => ({
            ...{ key: run.id, label: lineOf(run.name, 40) },
            value: ({ values }: (typeof rows)[number]) => valueText(values[i]),
          })),
        ]}
      />
    </Section>
  );
}
