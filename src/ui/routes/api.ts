/** @file What pages ask for: runs, curves, comparisons, logs and groups as JSON, and changes of runs. */
import type { Context } from "hono";
import { compareRuns } from "../../comparing/compare-runs.js";
import { UsageError } from "../../errors.js";
import { addRoute, type App, type AppEnv } from "../../http/app.js";
import { type BodyLimits, ByteBudget, withBody } from "../../http/body.js";
import { HttpProblem } from "../../http/problem.js";
import { type ListedRun, showRun } from "../../records/list-runs.js";
import type { RunStore } from "../../storage/run-store.js";
import { addQuestion, json } from "../api/answers.js";
import { EVENTS } from "../api/events.js";
import { editRun, editRuns, readEdit, readRunsEdit } from "../api/edits.js";
import { logTail } from "../api/log-tail.js";
import { curveKey, limited, runsQuestion, wholeNumber } from "../api/questions.js";
import { runsPage } from "../api/runs.js";
import { curveNames, seriesOf } from "../api/series.js";
import { groupPage, groupsOf } from "../api/groups.js";
import { queryOf, type UiContext } from "./context.js";

/** Runs that are compared at a time, and whose curves are drawn over each other. */
const MOST_RUNS = 50;
const MOST_CURVES = 60;
const LIMITS: BodyLimits = { bytes: 1_000_000, budget: new ByteBudget(16_000_000) };

export function addApi(app: App, ui: UiContext): void {
  const { live, views, about, changes, reports } = ui;
  addQuestion(app, "GET", "/api/about", () => json(about));
  addQuestion(app, "GET", "/api/runs", async (context) => {
    const query = queryOf(context);
    const options = {
      from: wholeNumber(query, "from", 0, [0, 1e9]),
      limit: wholeNumber(query, "limit", 100, [1, 500]),
      view: query.get("view"),
    };
    return json(await runsPage(live, views, runsQuestion(query), options));
  });
  addQuestion(app, "GET", "/api/runs/:id", (context) => {
    const id = context.req.param("id") ?? "";
    return json(live.read((store) => ({ run: showRun(store, known(store, id)) })));
  });
  addQuestion(app, "GET", "/api/runs/:id/report", async (context) => {
    const pictures = queryOf(context).get("pictures") === "true";
    return json(await reports.of(context.req.param("id") ?? "", pictures));
  });
  addQuestion(app, "GET", "/api/runs/:id/log", (context) => {
    const lines = wholeNumber(queryOf(context), "lines", 200, [1, 5000]);
    const id = context.req.param("id") ?? "";
    return json(live.read((store) => logTail(store.runDir(id), lines)));
  });
  addQuestion(app, "GET", "/api/fields", () => json({ fields: live.read((store) => store.fieldNames()) }));
  addQuestion(app, "GET", "/api/curves", (context) => {
    const ids = limited(queryOf(context), "run", MOST_RUNS);
    return json({ curves: live.read((store) => curveNames(store, ids)) });
  });
  addQuestion(app, "GET", "/api/series", (context) => {
    const query = queryOf(context);
    const [ids, curves] = [limited(query, "run", MOST_RUNS), limited(query, "curve", MOST_CURVES).map(curveKey)];
    const points = wholeNumber(query, "points", 500, [10, 5000]);
    return json({ series: live.read((store) => seriesOf(store, ids, curves, points)) });
  });
  addQuestion(app, "GET", "/api/compare", async (context) => {
    const ids = limited(queryOf(context), "run", MOST_RUNS);
    if (ids.length < 2) throw new UsageError("Comparing takes two runs.");
    return json(await live.read((store) => compareRuns(store, ids)));
  });
  addQuestion(app, "GET", "/api/groups", () => json(live.read(groupsOf)));
  addQuestion(app, "GET", "/api/groups/:id", (context) => {
    const id = context.req.param("id") ?? "";
    return json(live.read((store) => groupPage(store, id)));
  });
  addRoute(app, "GET", "/api/events", (context) =>
    // whose answer has no body reads no stream, and would listen for ever
    context.req.method === "HEAD" ? new Response(null, EVENTS) : changes.listen(context.req.raw.signal),
  );
  addEdits(app, ui);
}

function addEdits(app: App, { live, about, views }: UiContext): void {
  const change = async (
    context: Context<AppEnv>,
    edit: (store: RunStore, text: string) => readonly ListedRun[],
  ): Promise<Response> => {
    if (!about.can_edit) {
      throw new HttpProblem(403, "read_only", "These pages only read. To change runs, start cool ui with --edit.");
    }
    // what a form of another page can send is none
    if (!/^application\/json\b/i.test(context.req.header("content-type") ?? "")) {
      throw new HttpProblem(415, "no_json", "A change is sent as application/json.");
    }
    const text = await withBody(context.req.raw, LIMITS, async (body) => new TextDecoder().decode(body));
    const runs = live.edit((store) => edit(store, text));
    views.outdate();
    return json({ runs });
  };
  addQuestion(app, "POST", "/api/edit/:id", (context) =>
    change(context, (store, text) => editRun(store, context.req.param("id") ?? "", readEdit(text))),
  );
  addQuestion(app, "POST", "/api/edits", (context) =>
    change(context, (store, text) => editRuns(store, readRunsEdit(text))),
  );
}

/** Only whole ids: an address must mean the same run tomorrow. */
function known(store: RunStore, id: string): string {
  return store.getRun(id).id;
}
