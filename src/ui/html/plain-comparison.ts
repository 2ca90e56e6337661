/** @file Runs beside each other as a page without scripts: what differs, and their metrics. */
import type { RunComparison } from "../../comparing/compare-runs.js";
import { html, type Html } from "./html.js";
import { cell, short } from "./plain-runs.js";

export function plainComparison({ runs, params, metrics }: RunComparison): Html {
  const names = runs.map(({ name }) => html`<th>${short(name)}</th>`);
  return html`<main>
<p><a href="/">All runs</a></p>
<h1>${runs.length} runs compared</h1>
<h2>Settings that differ</h2>
<section class="table"><table><thead><tr><th>setting</th>${names}</tr></thead><tbody>
${params.map(
  ({
    key,
    values,
  }) => html`<tr><th scope="row">${short(key)}</th>${values.map((value) => html`<td>${short(cell(value))}</td>`)}</tr>
`,
)}</tbody></table></section>
<h2>Metrics</h2>
<section class="table"><table><thead><tr><th>metric</th>${names}</tr></thead><tbody>
${metrics
  .filter(({ gates }) => gates === "truth")
  .map(
    ({
      split,
      task_path,
      metric_name,
      values,
    }) => html`<tr><th scope="row">${short(`${split}/${task_path}/${metric_name}`)}</th>${values.map((value) => html`<td class="number">${cell(value)}</td>`)}</tr>
`,
  )}</tbody></table></section>
</main>`;
}
