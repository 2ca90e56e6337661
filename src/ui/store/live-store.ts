/** @file The store as a server sees it for hours: read only, told of changes, found again where it was moved or replaced. */
import { lineOf, StoreError } from "../../errors.js";
import { openRunStore, type RunStore } from "../../storage/run-store.js";

export interface LiveStoreOptions {
  readonly dir: string;
  /** Whether runs may be changed. */
  readonly canEdit: boolean;
  /** Between two looks for changes. */
  readonly pollMs?: number;
}

/** What is told when something has changed. */
export interface StoreChange {
  /** Rises with each change. */
  readonly change: number;
  /** Why nothing can be read at the moment; null: it can. */
  readonly problem: string | null;
}

const POLL_MS = 500;

export class LiveStore {
  readonly dir: string;
  /** Copy of an older store that was migrated when this one was opened. */
  readonly backup: string | null;
  readonly #options: LiveStoreOptions;
  readonly #listeners = new Set<(change: StoreChange) => void>();
  readonly #timer: NodeJS.Timeout;
  #reader: RunStore | null;
  #writer: RunStore | null = null;
  #problem: StoreError | null = null;
  #seen: number;
  #change = 0;

  /** @throws StoreError where there is no store, or none that can be read */
  constructor(options: LiveStoreOptions) {
    this.#options = options;
    const reader = openRunStore(options.dir, { readonly: true });
    this.#reader = reader;
    this.dir = reader.dir;
    this.backup = reader.backup;
    this.#seen = reader.dataVersion();
    this.#timer = setInterval(() => this.look(), options.pollMs ?? POLL_MS);
    this.#timer.unref();
  }

  get state(): StoreChange {
    return { change: this.#change, problem: this.#problem?.message ?? null };
  }

  /** @throws StoreError while there is no store, or a newer one */
  read<T>(use: (store: RunStore) => T): T {
    if (this.#reader?.isThere() !== true) this.look();
    if (this.#problem !== null) throw this.#problem;
    if (this.#reader === null) throw new StoreError(`The run store ${this.dir} is closed.`, { dir: this.dir });
    return use(this.#reader);
  }

  /**
   * Changes runs through a connection of its own, so that readers see the change as one of another's.
   * @throws StoreError while there is no store
   */
  edit<T>(use: (store: RunStore) => T): T {
    if (!this.#options.canEdit) throw new StoreError("This server only reads. Start cool ui with --edit.");
    return this.read(() => {
      this.#writer ??= openRunStore(this.dir, { create: false });
      const result = use(this.#writer);
      this.look();
      return result;
    });
  }

  /** @returns how to hear no more */
  onChange(listener: (change: StoreChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Looks for changes now. */
  look(): void {
    const before = this.#problem?.message ?? null;
    const hasChanged = this.#renew();
    if (!hasChanged && (this.#problem?.message ?? null) === before) return;
    this.#change++;
    for (const listener of [...this.#listeners]) listener(this.state);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#listeners.clear();
    this.#shut();
  }

  /** @returns whether what is stored may be another */
  #renew(): boolean {
    try {
      const isNew = this.#reopen();
      const reader = this.#reader;
      if (reader === null) return false;
      const seen = reader.dataVersion();
      const hasChanged = isNew || seen !== this.#seen;
      this.#seen = seen;
      reader.refuseNewer();
      this.#problem = null;
      return hasChanged;
    } catch (error) {
      this.#problem = problemOf(error, this.dir);
      return false;
    }
  }

  /** What lies there is opened where the file that was open is gone. @returns whether it was */
  #reopen(): boolean {
    if (this.#reader?.isThere() === true) return false;
    this.#shut();
    this.#reader = openRunStore(this.dir, { readonly: true });
    return true;
  }

  #shut(): void {
    this.#reader?.close();
    this.#writer?.close();
    this.#reader = null;
    this.#writer = null;
  }
}

function problemOf(error: unknown, dir: string): StoreError {
  if (error instanceof StoreError) return error;
  return new StoreError(`The run store ${dir} cannot be read: ${lineOf(error)}`, { dir }, { cause: error });
}
