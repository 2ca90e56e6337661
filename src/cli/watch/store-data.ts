/** @file The data of `cool watch` from a store: each thing is read once for each version of it, and only where it is shown. */
import { statSync } from "node:fs";
import { runFiles } from "../../records/run-folder.js";
import type { RunRecord } from "../../storage/run-record.js";
import type { RunStore } from "../../storage/run-store.js";
import { type Monitored, RunReader } from "../../watching/watched-run.js";
import type { Order, WatchedRuns, WatchedStore } from "../../watching/watched-store.js";
import type { ListedValue, WatchData } from "./data.js";

const NOTHING: Monitored = { name: "_total/loss", last: null, best: null };

export class StoreData {
  readonly #watched: WatchedStore;
  readonly #ids: ReadonlySet<string> | null;
  readonly #reader = new RunReader();
  readonly #values = new Map<string, ListedValue & { readonly state: string }>();
  #listed: WatchedRuns = { runs: [], isCut: false };
  #listedAs = "";

  /** @param ids only these runs and groups; null: all */
  constructor(watched: WatchedStore, ids: ReadonlySet<string> | null) {
    this.#watched = watched;
    this.#ids = ids;
  }

  /** @param refresh also where nothing was written: a process may have ended without a word */
  at(now: Date, order: Order, refresh = false): WatchData {
    const { store } = this.#watched;
    const listedAs = `${this.#watched.version} ${order}`;
    // what is gone stays on the screen
    if (store !== null && (refresh || listedAs !== this.#listedAs)) {
      this.#listed = this.#watched.runs(order, this.#ids);
      this.#listedAs = listedAs;
    }
    const read = <T>(fallback: T, work: (store: RunStore, version: number) => T): T =>
      store === null ? fallback : work(store, this.#watched.version);
    return {
      ...{ now, dir: this.#watched.dir, isThere: store !== null },
      ...this.#listed,
      run: (id) => this.#listed.runs.find((run) => run.id === id) ?? read(null, (open) => runOf(open, id)),
      values: (runs) => read<ReturnType<WatchData["values"]>>(new Map(), (open) => this.#valuesOf(open, runs)),
      monitored: (run) => read(NOTHING, (open, version) => this.#reader.monitored(open, run, version)),
      charts: (run) => read([], (open) => this.#reader.charts(open, run)),
      points: (run, name) => read([], (open, version) => this.#reader.points(open, run, name, version)),
      activeRows: (run) => read([], (open, version) => this.#reader.activeRows(open, run, version)),
      load: (run) => read([], (open, version) => this.#reader.load(open, run, version)),
      output: (run) => read([], (open) => this.#reader.output(open, run)),
    };
  }

  /** Tells whether a run's output has grown, which the database does not. */
  outputMark(id: string | null): string {
    const { store } = this.#watched;
    if (id === null || store === null) return "";
    const stats = statSync(runFiles(`${store.dir}/runs/${id}`).stdout, { throwIfNoEntry: false });
    return stats === undefined ? "" : `${stats.size} ${stats.mtimeMs}`;
  }

  /** Of a run that has ended the value is read once. */
  #valuesOf(store: RunStore, runs: readonly RunRecord[]): ReadonlyMap<string, ListedValue> {
    const stateOf = ({ displayState, endedAt }: RunRecord): string =>
      displayState === "running" ? `${this.#watched.version}` : `${displayState} ${endedAt}`;
    const unknown = runs.filter((run) => this.#values.get(run.id)?.state !== stateOf(run));
    if (unknown.length > 0) {
      const states = new Map(unknown.map((run) => [run.id, stateOf(run)]));
      const where = `id in (${unknown.map(({ id }) => `"${id}"`).join(", ")})`;
      for (const { run, values } of store.queryRuns({ where, columns: ["monitor", "monitored"], trash: "all" })) {
        const value = typeof values.monitored === "number" ? values.monitored : null;
        this.#values.set(run.id, { monitor: String(values.monitor), value, state: states.get(run.id) ?? "" });
      }
    }
    return this.#values;
  }
}

function runOf(store: RunStore, id: string): RunRecord | null {
  const [found] = store.queryRuns({ where: `id = "${id}"`, trash: "all", limit: 1 });
  return found?.run ?? null;
}
