/** @file A run store that others write to: what has changed, and whether it is still there. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { CoolError } from "../errors.js";
import type { RunRecord } from "../storage/run-record.js";
import { openRunStore, type RunStore } from "../storage/run-store.js";

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
  readonly dir: string;
  #store: RunStore | null;
  /** Counts what was seen to change, over all openings of the store. */
  #version = 0;
  #dataVersion: number;

  /** @throws StoreError where there is no store, or it cannot be read */
  constructor(dir: string) {
    this.dir = dir;
    this.#store = openRunStore(dir, { readonly: true });
    this.#dataVersion = this.#store.dataVersion();
  }

  /** null while it is gone. */
  get store(): RunStore | null {
    return this.#store;
  }

  get version(): number {
    return this.#version;
  }

  /** Looks whether anything was written. @returns whether there is something new to show */
  poll(): boolean {
    if (this.#store !== null && !this.#store.isThere()) {
      this.#store.close();
      this.#store = null;
      this.#version += 1;
      return true;
    }
    if (this.#store === null) return this.#reopen();
    const now = this.#store.dataVersion();
    if (now === this.#dataVersion) return false;
    this.#dataVersion = now;
    this.#version += 1;
    return true;
  }

  /** Runs that are not in the trash. @param ids only these, and those of these groups as they stand now; null: all */
  runs(order: Order, ids: ReadonlySet<string> | null): WatchedRuns {
    if (this.#store === null) return { runs: [], isCut: false };
    if (ids !== null) {
      const all = this.#store.queryRuns({ sort: ORDERS[order], where: undefined }).map(({ run }) => run);
      const wanted = this.#idsOf(this.#store, ids);
      return { runs: all.filter(({ id }) => wanted.has(id)), isCut: false };
    }
    const found = this.#store.queryRuns({ sort: ORDERS[order], limit: MOST_RUNS + 1 });
    return { runs: found.slice(0, MOST_RUNS).map(({ run }) => run), isCut: found.length > MOST_RUNS };
  }

  #idsOf(store: RunStore, ids: ReadonlySet<string>): ReadonlySet<string> {
    return new Set([...ids].flatMap((id) => store.findGroup(id)?.runs.map((run) => run.id) ?? [id]));
  }

  close(): void {
    this.#store?.close();
    this.#store = null;
  }

  #reopen(): boolean {
    if (!existsSync(join(this.dir, "cool.db"))) return false;
    try {
      this.#store = openRunStore(this.dir, { readonly: true });
      this.#dataVersion = this.#store.dataVersion();
      this.#version += 1;
      return true;
    } catch (error) {
      // it is being made
      if (error instanceof CoolError) return false;
      throw error;
    }
  }
}
