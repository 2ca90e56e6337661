/** @file The pages themselves: their tables as HTML, and the scripts that bring them to life. */
import { compareRuns } from "../../comparing/compare-runs.js";
import { CoolError } from "../../errors.js";
import { addRoute, type App } from "../../http/app.js";
import { HttpProblem } from "../../http/problem.js";
import { showRun } from "../../records/list-runs.js";
import { addQuestion } from "../api/answers.js";
import { groupPage, groupsOf } from "../api/groups.js";
import { limited, runsQuestion, wholeNumber } from "../api/questions.js";
import { firstPage, runsPage } from "../api/runs.js";
import { html, type Html } from "../html/html.js";
import { plainComparison } from "../html/plain-comparison.js";
import { plainGroup, plainGroups } from "../html/plain-group.js";
import { plainRun } from "../html/plain-run.js";
import { plainRuns } from "../html/plain-runs.js";
import { pageResponse } from "../html/shell.js";
import { queryOf, type UiContext } from "./context.js";

/** Runs of a page without scripts, and those that a first view begins with. */
const PAGE = 100;
const MOST_RUNS = 50;
/** Of a report: it reaches nothing, and is framed by nobody. */
const REPORT_POLICY =
  "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

export function addPages(app: App, ui: UiContext): void {
  const { live, views, assets, about, reports } = ui;
  const send = (title: string, plain: Html, first: unknown = null): Response =>
    pageResponse({ title, plain, first }, about, assets);
  addQuestion(app, "GET", "/", async (context) => {
    const query = queryOf(context);
    // a condition that cannot be understood is told where it was written
    return withProblem(send, async () => {
      const question = runsQuestion(query);
      const from = wholeNumber(query, "from", 0, [0, 1e9]);
      const page =
        from === 0
          ? await firstPage(live, views, question, PAGE)
          : await runsPage(live, views, question, { from, limit: PAGE, view: null });
      return send("Runs", plainRuns(page, question, PAGE), page);
    });
  });
  addQuestion(app, "GET", "/runs/:id", (context) => {
    const id = context.req.param("id") ?? "";
    const run = live.read((store) => showRun(store, store.getRun(id).id));
    return send(run.name.slice(0, 100), plainRun(run));
  });
  addQuestion(app, "GET", "/runs/:id/report", async (context) => {
    const report = await reports.of(context.req.param("id") ?? "", true);
    // components that are rendered here take a while to load
    const { reportPage } = await import("../../reporting/report-html.js");
    // the page itself says what may run in it, by digests
    const headers = { "content-type": "text/html; charset=utf-8", "content-security-policy": REPORT_POLICY };
    return new Response((await reportPage(report)).html, { headers });
  });
  addQuestion(app, "GET", "/groups", () => send("Groups", plainGroups(live.read(groupsOf))));
  addQuestion(app, "GET", "/groups/:id", (context) => {
    const answer = live.read((store) => groupPage(store, context.req.param("id") ?? ""));
    return send(answer.group.name.slice(0, 100), plainGroup(answer));
  });
  addQuestion(app, "GET", "/compare", (context) => {
    const ids = limited(queryOf(context), "run", MOST_RUNS);
    if (ids.length < 2) return send("Compare", html`<main><p>Comparing takes two runs.</p></main>`);
    return live.read(async (store) => {
      const comparison = await compareRuns(store, ids);
      return send("Compare", plainComparison(comparison), comparison);
    });
  });
  addRoute(app, "GET", "/assets/:name", (context) => {
    const asset = assets.files.get(context.req.param("name") ?? "");
    if (asset === undefined) throw new HttpProblem(404, "not_found", "There is no such file.");
    // its name changes with what is in it
    const headers = { "content-type": asset.type, "cache-control": "private, max-age=31536000, immutable" };
    return new Response(asset.bytes, { headers });
  });
}

async function withProblem(
  send: (title: string, plain: Html) => Response,
  answer: () => Promise<Response>,
): Promise<Response> {
  try {
    return await answer();
  } catch (error) {
    if (!(error instanceof CoolError)) throw error;
    return send("Runs", html`<main><h1>Runs</h1><pre>${error.message}</pre><p><a href="/">All runs</a></p></main>`);
  }
}
