/** @file Groups of runs as pages without scripts: all of them, and what the runs of one come to together. */
import type { GroupAnswer, GroupRow, GroupsAnswer } from "../api/types.js";
import { html, type Html } from "./html.js";
import { cell, short } from "./plain-runs.js";
import { plainStudy } from "./plain-study.js";

export function plainGroups({ groups }: GroupsAnswer): Html {
  return html`<main>
<p><a href="/">All runs</a></p>
<h1>Groups</h1>
${groups.length === 0 ? html`<p>There are no groups. Make one with: cool run --folds 5, or cool sweep</p>` : null}
<section class="table"><table><thead><tr><th>name</th><th>kind</th><th>project</th><th>runs</th><th>made (UTC)</th></tr></thead><tbody>
${groups.map(
  (
    group,
  ) => html`<tr><th scope="row"><a href="/groups/${group.id}">${short(group.name)}</a></th><td>${group.kind}</td><td>${short(group.project)}</td><td>${group.runs.length} of ${group.planned}</td><td>${group.created_at.slice(0, 16).replace("T", " ")}</td></tr>
`,
)}</tbody></table></section>
</main>`;
}

export function plainGroup({ group, runs, study }: GroupAnswer): Html {
  return html`<main>
<p><a href="/groups">All groups</a></p>
<h1>${short(group.name)}</h1>
${study === null ? null : plainStudy(study)}
<h2>Runs</h2>
<section class="table"><table><thead><tr><th>name</th><th>state</th><th>monitored</th></tr></thead><tbody>
${runs.map(
  ({
    id,
    name,
    state,
    values = {},
  }) => html`<tr><th scope="row"><a href="/runs/${id}">${short(name)}</a></th><td>${state}</td><td>${cell(values.monitored)} ${short(cell(values.monitor))}</td></tr>
`,
)}</tbody></table></section>
${group.evaluation.length === 0 ? null : evaluationTable(group.evaluation)}
</main>`;
}

function evaluationTable(rows: readonly GroupRow[]): Html {
  return html`<h2>Evaluation</h2>
<section class="table"><table><thead><tr><th>task</th><th>metric</th><th>split</th><th>gates</th><th class="number">mean</th><th class="number">deviation</th><th class="number">pooled</th><th class="number">runs</th></tr></thead><tbody>
${rows.map(
  (
    row,
  ) => html`<tr><th scope="row">${short(row.task_path)}</th><td>${short(row.metric_name)}</td><td>${row.split}</td><td>${row.gates}</td><td class="number">${cell(row.mean)}</td><td class="number">${cell(row.deviation)}</td><td class="number">${cell(row.metric_res)}</td><td class="number">${row.runs}</td></tr>
`,
)}</tbody></table></section>`;
}
