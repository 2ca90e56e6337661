/** @file The store as a server sees it for hours: read only, told of changes, found again where it was moved or replaced. */
import { StoreError } from "../../errors.js";
import { FollowedStore } from "../../storage/followed-store.js";
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
  readonly #followed: FollowedStore;
  readonly #options: LiveStoreOptions;
  readonly #listeners = new Set<(change: StoreChange) => void>();
  readonly #timer: NodeJS.Timeout;
  /** Beside the reader that it was opened with: what lies there later is another store. */
  #writer: { readonly store: RunStore; readonly reader: RunStore } | null = null;
  #change = 0;

  /** @throws StoreError where there is no store, or none that can be read */
  constructor(options: LiveStoreOptions) {
    this.#options = options;
    this.#followed = new FollowedStore(options.dir);
    this.#timer = setInterval(() => this.look(), options.pollMs ?? POLL_MS);
    this.#timer.unref();
  }

  get dir(): string {
    return this.#followed.dir;
  }

  /** Copy of an older store that was migrated when this one was opened. */
  get backup(): string | null {
    return this.#followed.backup;
  }

  get state(): StoreChange {
    return { change: this.#change, problem: this.#followed.problem?.message ?? null };
  }

  /** @throws StoreError while there is no store, or a newer one */
  read<T>(use: (store: RunStore) => T): T {
    if (this.#followed.store?.isThere() !== true) this.look();
    const { problem, store } = this.#followed;
    if (problem !== null) throw problem;
    if (store === null) throw new StoreError(`The run store ${this.dir} is closed.`, { dir: this.dir });
    return use(store);
  }

  /**
   * Changes runs through a connection of its own, so that readers see the change as one of another's.
   * @throws StoreError while there is no store
   */
  edit<T>(use: (store: RunStore) => T): T {
    if (!this.#options.canEdit) throw new StoreError("This server only reads. Start cool ui with --edit.");
    return this.read((reader) => {
      const result = use(this.#writerBeside(reader));
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
    if (!this.#followed.look()) return;
    this.#change++;
    for (const listener of [...this.#listeners]) listener(this.state);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#listeners.clear();
    this.#writer?.store.close();
    this.#writer = null;
    this.#followed.close();
  }

  #writerBeside(reader: RunStore): RunStore {
    if (this.#writer?.reader === reader) return this.#writer.store;
    this.#writer?.store.close();
    const store = openRunStore(this.dir, { create: false });
    this.#writer = { store, reader };
    return store;
  }
}
