/** @file What every route of `cool ui` works with. */
import type { Context } from "hono";
import type { AppEnv } from "../../http/app.js";
import type { About } from "../api/types.js";
import type { ChangeStream } from "../api/events.js";
import type { Reports } from "../api/reports.js";
import type { Assets } from "../html/assets.js";
import type { LiveStore } from "../store/live-store.js";
import type { RunViews } from "../store/run-views.js";

export interface UiContext {
  readonly live: LiveStore;
  readonly views: RunViews;
  readonly reports: Reports;
  readonly changes: ChangeStream;
  readonly assets: Assets;
  readonly about: About;
}

export function queryOf(context: Context<AppEnv>): URLSearchParams {
  return new URL(context.req.url).searchParams;
}
