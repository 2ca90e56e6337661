/** @file A run as a page without scripts: its tables. */
import { epochsText } from "../../records/epochs-text.js";
import type { ShownRun } from "../../records/list-runs.js";
import { cell, short } from "./plain-runs.js";
import { html, type Html } from "./html.js";

export function plainRun(run: ShownRun): Html {
  const facts: readonly (readonly [string, unknown])[] = [
    ["id", run.id],
    ["state", run.error === null ? run.state : `${run.state}: ${run.error}`],
    ["project", run.project],
    ["group", run.group],
    ["started", run.started_at],
    ["ended", run.ended_at],
    ["epochs", epochsText(run.epochs_done, run.epochs)],
    ["tags", run.tags.length === 0 ? null : run.tags.join(", ")],
    ["note", run.note],
    ["command", run.command_line],
    ["commit", run.git_commit],
  ];
  return html`<main>
<p><a href="/">All runs</a></p>
<h1>${short(run.name)}</h1>
<p><a href="/runs/${run.id}/report">Report: curves, flow, tasks with their thresholds and samples</a></p>
${factTable(
  "Run",
  facts.filter(([, value]) => value !== null),
)}
${evaluationTable(run)}
${lastValues(run)}
${factTable("Configuration", Object.entries(run.config))}
${factTable("Environment", Object.entries(run.environment))}
</main>`;
}

function evaluationTable({ evaluation }: ShownRun): Html | null {
  if (evaluation.length === 0) return null;
  return html`<h2>Evaluation</h2><section class="table"><table>
<thead><tr><th>task</th><th>metric</th><th>split</th><th>gates</th><th class="number">value</th><th class="number">baseline</th><th class="number">rows</th></tr></thead>
<tbody>
${evaluation.map(
  (
    row,
  ) => html`<tr><th scope="row">${short(row.task_path)}</th><td>${short(row.metric_name)}</td><td>${row.split}</td><td>${row.gates}</td><td class="number">${cell(row.metric_res)}</td><td class="number">${cell(row.baseline)}</td><td class="number">${row.num_samples}</td></tr>
`,
)}</tbody></table></section>`;
}

function lastValues({ last_values: rows = [] }: ShownRun): Html | null {
  if (rows.length === 0) return null;
  return html`<h2>Last values</h2><section class="table"><table>
<thead><tr><th>curve</th><th class="number">step</th><th class="number">value</th></tr></thead>
<tbody>
${rows.map(
  (
    row,
  ) => html`<tr><th scope="row">${short(`${row.split}/${row.task_path}/${row.metric_name}`)}</th><td class="number">${row.step}</td><td class="number">${cell(row.value)}</td></tr>
`,
)}</tbody></table></section>`;
}

function factTable(title: string, facts: readonly (readonly [string, unknown])[]): Html | null {
  if (facts.length === 0) return null;
  return html`<h2>${title}</h2><section class="table"><table><tbody>
${facts.map(
  ([key, value]) => html`<tr><th scope="row">${short(key)}</th><td>${short(cell(value))}</td></tr>
`,
)}</tbody></table></section>`;
}
