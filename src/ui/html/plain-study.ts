/** @file A study on a page without scripts: what makes the difference, and its trials. */
import type { StudyReport } from "../../reporting/document.js";
import { html, type Html } from "./html.js";
import { cell, short } from "./plain-runs.js";

export function plainStudy({ study, trials, best, importance }: StudyReport): Html {
  const settings = [...new Set(trials.flatMap(({ values }) => Object.keys(values)))];
  return html`<h2>Study</h2>
${importance === null || importance.length < 2 ? null : importanceTable(importance)}
<section class="table"><table><thead><tr><th>trial</th>${study.objectives.map(({ name }) => html`<th class="number">${short(name)}</th>`)}<th>state</th><th class="number">epochs</th>${settings.map((name) => html`<th>${short(name)}</th>`)}</tr></thead><tbody>
${trials.map(
  (trial) => html`<tr><th scope="row">${best.includes(trial.number) ? "★ " : ""}${
    trial.run === null ? trial.number : html`<a href="/runs/${trial.run}">${trial.number}</a>`
  }</th>${study.objectives.map((_, i) => html`<td class="number">${cell(trial.objectives[i])}</td>`)}<td>${trial.state}</td><td class="number">${trial.epochs_done}</td>${settings.map((name) => html`<td>${valueCell(trial.values[name])}</td>`)}</tr>
`,
)}</tbody></table></section>`;
}

function importanceTable(importance: NonNullable<StudyReport["importance"]>): Html {
  return html`<section class="table"><table><thead><tr><th>setting</th><th class="number">importance</th></tr></thead><tbody>
${importance.map(
  ({
    parameter,
    importance: share,
  }) => html`<tr><th scope="row">${short(parameter)}</th><td class="number">${share.toFixed(2)}</td></tr>
`,
)}</tbody></table></section>`;
}

function valueCell(value: unknown): string {
  if (value === undefined) return "–";
  return short(typeof value === "string" ? value : JSON.stringify(value));
}
