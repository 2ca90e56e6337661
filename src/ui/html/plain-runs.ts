/** @file The list of runs as a page without scripts: a table, a search, and links to the next page. */
import { epochsText } from "../../records/epochs-text.js";
import type { ListedRun } from "../../records/list-runs.js";
import type { RunsPage, RunsQuestion } from "../api/types.js";
import { html, type Html } from "./html.js";

export function plainRuns(page: RunsPage, question: RunsQuestion, limit: number): Html {
  const { runs, from, total } = page;
  const last = from + runs.length;
  const hasMore = total === null ? runs.length === limit : last < total;
  return html`<main>
<h1>${question.trash === "only" ? "Runs in the trash" : "Runs"}</h1>
<form action="/" method="get" role="search">
<label>Condition <input name="where" value="${question.where}" size="40"></label>
<label>Order <input name="sort" value="${question.sort[0] ?? ""}" placeholder="started:desc"></label>
<button>Search</button>
</form>
<p>${question.trash === "only" ? html`<a href="/">All runs</a>` : html`<a href="/?trash=only">Trash</a>`} <a href="/groups">Groups</a></p>
${runs.length === 0 ? html`<p>No run matches.</p>` : runsTable(page)}
<nav aria-label="pages">
${from === 0 ? null : html`<a href="${address(question, Math.max(0, from - limit))}">Previous</a> `}
${runs.length === 0 ? null : html`<span>${from + 1} to ${last}${total === null ? "" : ` of ${total}`}</span>`}
${hasMore ? html` <a href="${address(question, last)}">Next</a>` : null}
</nav>
</main>`;
}

function runsTable({ runs, columns }: RunsPage): Html {
  return html`<section class="table"><table>
<thead><tr><th>name</th><th>state</th><th>project</th><th>monitored</th>${columns.map((name) => html`<th>${name}</th>`)}<th>epochs</th><th>started (UTC)</th><th>tags</th></tr></thead>
<tbody>
${runs.map((run) => runRow(run, columns))}
</tbody></table></section>`;
}

function runRow(run: ListedRun, columns: readonly string[]): Html {
  const { values = {} } = run;
  return html`<tr><th scope="row"><a href="/runs/${run.id}">${run.starred ? "★ " : ""}${short(run.name)}</a></th><td>${run.state}</td><td>${short(run.project)}</td><td>${monitoredCell(run)}</td>${columns.map((name) => html`<td>${short(cell(values[name]))}</td>`)}<td>${epochsText(run.epochs_done, run.epochs)}</td><td>${run.started_at.slice(0, 16).replace("T", " ")}</td><td>${short(run.tags.join(", "))}</td></tr>
`;
}

function address({ where, sort, columns, trash }: RunsQuestion, from: number): string {
  const query = new URLSearchParams();
  if (where !== "") query.set("where", where);
  for (const key of sort) query.append("sort", key);
  for (const name of columns) query.append("column", name);
  if (trash !== "live") query.set("trash", trash);
  if (from > 0) query.set("from", String(from));
  return query.size === 0 ? "/" : `/?${query}`;
}

function monitoredCell({ values = {} }: ListedRun): string {
  const value = cell(values.monitored);
  return values.monitor == null || values.monitored == null ? value : `${value} ${short(cell(values.monitor))}`;
}

/** A value as text. */
export function cell(value: unknown): string {
  if (value === null || value === undefined) return "–";
  if (typeof value === "number") return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(4)));
  return typeof value === "string" ? value : JSON.stringify(value);
}

const LONGEST = 200;

/** A text of any length, as far as a cell of a table shows it. */
export function short(text: string): string {
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST)}…`;
}
