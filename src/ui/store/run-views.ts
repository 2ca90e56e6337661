/** @file Lists of runs that pages are cut from: an order is computed once, and kept while people scroll through it. */
import { createHash } from "node:crypto";
import type { RunsQuery } from "../../storage/run-store.js";
import type { Orderer } from "./order-thread.js";

/** A list as it was ordered at a time. */
export interface RunView {
  /** Names it. */
  readonly id: string;
  readonly ids: readonly string[];
  /** Of the store, when it was ordered. */
  readonly change: number;
}

interface KeptView extends RunView {
  readonly key: string;
  readonly madeAt: number;
  readonly tookMs: number;
}

/** Lists that are kept: of 100,000 runs 5 MB each. */
const MOST_VIEWS = 12;
/** The store changes twice a second while something trains: an order is as old as it took to make, times this. */
const REST = 20;
const REST_AT_LEAST_MS = 1000;

export class RunViews {
  readonly #orderer: Orderer;
  readonly #views = new Map<string, KeptView>();
  readonly #making = new Map<string, Promise<KeptView>>();
  #number = 0;

  constructor(orderer: Orderer) {
    this.#orderer = orderer;
  }

  /** The list of this name, if it is kept and of this query. */
  find(id: string, query: RunsQuery): RunView | null {
    const view = this.#views.get(id);
    if (view === undefined || view.key !== keyOf(query)) return null;
    this.#keep(view);
    return view;
  }

  /**
   * A list that is as fresh as the time that it takes allows.
   * @param change of the store
   * @throws UsageError for a query that cannot be understood
   */
  async latest(query: RunsQuery, change: number): Promise<RunView> {
    const key = keyOf(query);
    const known = [...this.#views.values()]
      .filter((view) => view.key === key)
      .sort((a, b) => a.madeAt - b.madeAt)
      .at(-1);
    if (known !== undefined && (known.change === change || isFresh(known))) return known;
    const making = this.#making.get(key) ?? this.#make(key, query, change);
    return making;
  }

  /** Orders that were made up to now are made anew: of what one has changed oneself, the new order is wanted. */
  outdate(): void {
    for (const [id, view] of this.#views) this.#views.set(id, { ...view, madeAt: Number.NEGATIVE_INFINITY });
  }

  #make(key: string, query: RunsQuery, change: number): Promise<KeptView> {
    const begun = performance.now();
    const making = this.#orderer
      .order(query)
      .then((ids): KeptView => {
        const now = performance.now();
        const view = { id: `${++this.#number}-${key}`, key, ids, change, madeAt: now, tookMs: now - begun };
        this.#keep(view);
        return view;
      })
      .finally(() => this.#making.delete(key));
    this.#making.set(key, making);
    return making;
  }

  /** The latest asked for are kept. */
  #keep(view: KeptView): void {
    this.#views.delete(view.id);
    this.#views.set(view.id, view);
    for (const id of this.#views.keys()) {
      if (this.#views.size <= MOST_VIEWS) return;
      this.#views.delete(id);
    }
  }
}

function isFresh({ madeAt, tookMs }: KeptView): boolean {
  return performance.now() - madeAt < Math.max(REST_AT_LEAST_MS, REST * tookMs);
}

function keyOf({ where, sort = [], trash = "live" }: RunsQuery): string {
  return createHash("sha256")
    .update(JSON.stringify([where, sort, trash]))
    .digest("base64url")
    .slice(0, 12);
}
