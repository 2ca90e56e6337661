/** @file Lists of runs, page by page, as `cool runs list` gives them. */
import { listed, type ListedRun } from "../../records/list-runs.js";
import { askedFields, type QueriedRun, type RunsQuery } from "../../storage/query/query-runs.js";
import type { RunStore } from "../../storage/run-store.js";
import type { LiveStore } from "../store/live-store.js";
import type { RunViews } from "../store/run-views.js";
import type { RunsPage, RunsQuestion } from "./types.js";

export interface PageOptions {
  /** Place of the first run, from 0. */
  readonly from: number;
  readonly limit: number;
  /** The list that earlier pages were cut from. */
  readonly view: string | null;
}

/** Fields that every list shows beside a run's own. */
const USUAL = ["monitor", "monitored", "group"];
/** Fields that a run has by itself. */
const OWN = new Set([
  ...["id", "name", "project", "state", "backend", "seed", "epochs", "epochs_done", "best_epoch"],
  ...[
    "started",
    "started_at",
    "ended",
    "ended_at",
    "duration",
    "git_commit",
    "tag",
    "tags",
    "starred",
    "note",
    "error",
  ],
]);

/** Fields beside the usual ones: those that were chosen, and whatever is asked about. @throws UsageError */
export function shownFields({ where, sort, columns }: RunsQuestion): string[] {
  const asked = askedFields({ where: where === "" ? undefined : where, sort });
  return [...new Set([...columns, ...asked])].filter((name) => !OWN.has(name) && !USUAL.includes(name));
}

/**
 * A page of the list.
 * @throws UsageError for a condition, an order or a column that cannot be understood
 */
export async function runsPage(
  live: LiveStore,
  views: RunViews,
  question: RunsQuestion,
  { from, limit, view }: PageOptions,
): Promise<RunsPage> {
  const query = queryOf(question);
  const columns = shownFields(question);
  const known = view === null ? null : views.find(view, query);
  const list = known ?? (await views.latest(query, live.state.change));
  const runs = live.read((store) => {
    const ids = list.ids.slice(from, from + limit);
    return store.runsOf(ids, [...USUAL, ...columns]).map((run) => shown(store, run));
  });
  const is_current = list.change === live.state.change;
  return { runs, from, total: list.ids.length, view: list.id, columns, is_current };
}

/** The first page of the usual list, without counting how many there are: that is what a first visit waits for. */
export async function firstPage(
  live: LiveStore,
  views: RunViews,
  question: RunsQuestion,
  limit: number,
): Promise<RunsPage> {
  const { where, sort, trash } = question;
  if (where !== "" || sort.length > 0 || trash !== "live") {
    return runsPage(live, views, question, { from: 0, limit, view: null });
  }
  const columns = shownFields(question);
  const runs = live.read((store) => {
    const ids = store.queryOrder({ limit });
    return store.runsOf(ids, [...USUAL, ...columns]).map((run) => shown(store, run));
  });
  return { runs, from: 0, total: null, view: null, columns, is_current: true };
}

function queryOf({ where, sort, trash }: RunsQuestion): RunsQuery {
  return { where: where === "" ? undefined : where, sort, trash };
}

/** A run as lists show it, with the fields that were asked for. */
export function shown(store: RunStore, { run, values }: QueriedRun): ListedRun {
  return { ...listed(store, run), values };
}
