/** @file A cache of bytes on disk by the content that they were made from, with a limit to its size. */
import { randomUUID } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { StoreError } from "../errors.js";

const STALE_MS = 24 * 3600 * 1000;

interface Entry {
  readonly path: string;
  readonly bytes: number;
  readonly usedMs: number;
}

/**
 * Entries are files `<folder>/<first two digits>/<key>`, written beside their place and renamed, so that any number of
 * processes may share a cache and a killed one leaves nothing half-visible. Where a new entry would go over the limit,
 * those that have not been used for longest are removed, but never what this process has read or written itself.
 */
export class ContentCache {
  readonly #folder: string;
  readonly #maxBytes: number;
  readonly #used = new Set<string>();
  /** Found at the first write; null before. */
  #entries: Entry[] | null = null;
  #total = 0;

  /** @param maxBytes of all entries together */
  constructor(folder: string, { maxBytes }: { readonly maxBytes: number }) {
    this.#folder = folder;
    this.#maxBytes = maxBytes;
  }

  /**
   * @param key hex digits
   * @returns null where it is not there, or is not as long as it must be
   */
  read(key: string, expectedBytes: number): Uint8Array | null {
    const path = this.#pathOf(key);
    try {
      const bytes = readFileSync(path);
      if (bytes.length !== expectedBytes) return null;
      this.#touch(path);
      return bytes;
    } catch {
      return null;
    }
  }

  /**
   * @param key hex digits
   * @returns false where it has no room
   * @throws StoreError where the disk does not take it
   */
  write(key: string, bytes: Uint8Array): boolean {
    const path = this.#pathOf(key);
    this.#used.add(path);
    if (!this.#makeRoom(bytes.length)) return false;
    const writing = `${path}.${randomUUID()}.tmp`;
    try {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(writing, bytes);
      renameSync(writing, path);
    } catch (cause) {
      removeIfPossible(writing);
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new StoreError(
        `The cache ${this.#folder} cannot be written: ${reason}. Make room or permit it, or choose another store.`,
        { folder: this.#folder, reason },
        { cause },
      );
    }
    this.#total += bytes.length;
    return true;
  }

  #pathOf(key: string): string {
    return join(this.#folder, key.slice(0, 2), key);
  }

  /** Once per entry and process: the time of a file says when it was used last. */
  #touch(path: string): void {
    if (this.#used.has(path)) return;
    this.#used.add(path);
    const now = new Date();
    try {
      utimesSync(path, now, now);
    } catch {
      // a cache that may only be read serves as well
    }
  }

  #makeRoom(bytes: number): boolean {
    const entries = this.#found();
    while (this.#total + bytes > this.#maxBytes) {
      const oldest = entries.pop();
      if (oldest === undefined) return false;
      if (this.#used.has(oldest.path)) continue;
      rmSync(oldest.path, { force: true });
      this.#total -= oldest.bytes;
    }
    return true;
  }

  /** What was there when this process first wrote, most recently used first. */
  #found(): Entry[] {
    if (this.#entries !== null) return this.#entries;
    const found = listFolder(this.#folder).flatMap((name) =>
      listFolder(join(this.#folder, name)).flatMap((file) => entryOf(join(this.#folder, name, file))),
    );
    this.#total = found.reduce((sum, { bytes }) => sum + bytes, 0);
    this.#entries = found.sort((a, b) => b.usedMs - a.usedMs);
    return this.#entries;
  }
}

function removeIfPossible(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // what made writing fail may make this fail too, and is the one to tell
  }
}

function listFolder(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** None for a file that has gone, and for one that a killed process left. */
function entryOf(path: string): Entry[] {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isFile() !== true) return [];
  if (!path.endsWith(".tmp")) return [{ path, bytes: found.size, usedMs: found.mtimeMs }];
  if (Date.now() - found.mtimeMs > STALE_MS) rmSync(path, { force: true });
  return [];
}
