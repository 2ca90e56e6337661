/** @file A run store that others write to, as who reads it for long sees it: told of changes, found again where it was moved. */
import { lineOf, StoreError } from "../errors.js";
import { openRunStore, type RunStore } from "./run-store.js";

/** Read only. Close it. */
export class FollowedStore {
  readonly dir: string;
  /** Copy of an older store that was migrated when this one was opened. */
  readonly backup: string | null;
  #store: RunStore | null;
  #seen: number;
  #problem: StoreError | null = null;

  /** @throws StoreError where there is no store, or none that can be read */
  constructor(dir: string) {
    const store = openRunStore(dir, { readonly: true });
    this.#store = store;
    this.dir = store.dir;
    this.backup = store.backup;
    this.#seen = store.dataVersion();
  }

  /** null while it is gone. */
  get store(): RunStore | null {
    return this.#store;
  }

  /** Why nothing should be read at the moment: it is gone, or of a newer version; null: it may. */
  get problem(): StoreError | null {
    return this.#problem;
  }

  /** Looks for changes. @returns whether what is stored, or that it may be read, is other than it was */
  look(): boolean {
    const before = this.#problem?.message ?? null;
    const hasChanged = this.#renew();
    return hasChanged || (this.#problem?.message ?? null) !== before;
  }

  close(): void {
    this.#store?.close();
    this.#store = null;
  }

  #renew(): boolean {
    try {
      const isOther = this.#store?.isThere() !== true;
      if (isOther) this.#reopen();
      const seen = this.#store?.dataVersion() ?? this.#seen;
      const hasChanged = isOther || seen !== this.#seen;
      this.#seen = seen;
      this.#store?.refuseNewer();
      this.#problem = null;
      return hasChanged;
    } catch (error) {
      this.#problem = problemOf(error, this.dir);
      return false;
    }
  }

  /** What lies there is opened where the file that was open is gone. */
  #reopen(): void {
    this.close();
    this.#store = openRunStore(this.dir, { readonly: true });
  }
}

function problemOf(error: unknown, dir: string): StoreError {
  if (error instanceof StoreError) return error;
  return new StoreError(`The run store ${dir} cannot be read: ${lineOf(error)}`, { dir }, { cause: error });
}
