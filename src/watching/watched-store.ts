/** @file A run store that others write to: what has changed, and whether it is still there. */
import { FollowedStore } from "../storage/followed-store.js";
import type { RunRecord } from "../storage/run-record.js";
import type { RunStore } from "../storage/run-store.js";

export interface WatchedRuns {
  readonly runs: readonly RunRecord[];
  /** Whether older ones are left out. */
  readonly isCut: boolean;
}

/** More than anybody scrolls through; listing them takes a tenth of a second. */
const MOST_RUNS = 2000;

/** Orders of the list, each as a sort of `queryRuns`. */
export const ORDERS = {
  newest: [],
  name: ["name"],
  state: ["state"],
  "lowest value": ["monitored"],
  "highest value": ["monitored:desc"],
} as const satisfies Readonly<Record<string, readonly string[]>>;
export type Order = keyof typeof ORDERS;

/** Close it. */
export class WatchedStore {
  readonly #followed: FollowedStore;
  /** Counts what was seen to change, over all openings of the store. */
  #version = 0;

  /** @throws StoreError where there is no store, or it cannot be read */
  constructor(dir: string) {
    this.#followed = new FollowedStore(dir);
  }

  get dir(): string {
    return this.#followed.dir;
  }

  /** null while it is gone. */
  get store(): RunStore | null {
    return this.#followed.store;
  }

  get version(): number {
    return this.#version;
  }

  /** Looks whether anything was written. @returns whether there is something new to show */
  poll(): boolean {
    const hasChanged = this.#followed.look();
    if (hasChanged) this.#version += 1;
    return hasChanged;
  }

  /** Runs that are not in the trash. @param ids only these, and those of these groups as they stand now; null: all */
  runs(order: Order, ids: ReadonlySet<string> | null): WatchedRuns {
    const { store } = this;
    if (store === null) return { runs: [], isCut: false };
    if (ids !== null) {
      const all = store.queryRuns({ sort: ORDERS[order], where: undefined }).map(({ run }) => run);
      const wanted = idsOf(store, ids);
      return { runs: all.filter(({ id }) => wanted.has(id)), isCut: false };
    }
    const found = store.queryRuns({ sort: ORDERS[order], limit: MOST_RUNS + 1 });
    return { runs: found.slice(0, MOST_RUNS).map(({ run }) => run), isCut: found.length > MOST_RUNS };
  }

  close(): void {
    this.#followed.close();
  }
}

function idsOf(store: RunStore, ids: ReadonlySet<string>): ReadonlySet<string> {
  return new Set([...ids].flatMap((id) => store.findGroup(id)?.runs.map((run) => run.id) ?? [id]));
}
