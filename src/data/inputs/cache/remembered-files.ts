/**
 * @file What files hold, remembered by their path, size and time of change, so that a file that nobody has touched is not
 * read to be known again.
 */
import { createHash, randomUUID } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { at, i32At } from "../../../arrays.js";
import { HASH_BYTES } from "./shard-images.js";

/** What changes with a file's content, but for one that is made to look untouched. */
interface FileState {
  readonly size: number;
  readonly mtimeMs: number;
}

const MAGIC = Buffer.from("DNNFILES");
const FORM = 1;
const HEADER_BYTES = 8 + 4 + 4 + HASH_BYTES;
/** Size, time, digest, and the length of the path behind them. */
const RECORD_BYTES = 8 + 8 + HASH_BYTES + 4;
/** A file of this moment may change again within what its time tells apart. */
const RECENT_MS = 2000;
/** More files of these than so many are written into one. */
const MOST_SEGMENTS = 8;
const EMPTY = -1;

/**
 * Segments `<folder>/<uuid>.bin` hold records one after another, each segment written under another name and renamed, and
 * not changed after that, so that any number of processes may use the folder at once. What is damaged, of another form or
 * gone is read again from the files.
 */
export class RememberedFiles {
  readonly #folder: string;
  #names: string[] = [];
  readonly #segments: Buffer[] = [];
  /** Of each file the segment and the place of its record there. */
  #places = new Int32Array(0);
  #count = 0;
  #slots = new Int32Array(2048).fill(EMPTY);
  readonly #added: Buffer[] = [];
  /** The file after the one found last: tables name their files in one order. */
  #next = 0;

  constructor(folder: string) {
    this.#folder = folder;
    for (const name of segmentsIn(folder)) this.#load(name);
  }

  /** sha256 of a file's content, hex; null where it is not known. */
  find(path: string, { size, mtimeMs }: FileState): string | null {
    const file = this.#fileOf(path);
    if (file === EMPTY) return null;
    this.#next = file + 1;
    const [segment, from] = this.#placeOf(file);
    if (segment.readDoubleLE(from) !== size || segment.readDoubleLE(from + 8) !== mtimeMs) return null;
    return segment.toString("hex", from + 16, from + 16 + HASH_BYTES);
  }

  /** @param state before the file was read, and `hash` of what was read */
  add(path: string, { size, mtimeMs }: FileState, hash: string): void {
    if (Date.now() - mtimeMs < RECENT_MS) return;
    const name = Buffer.from(path);
    const record = Buffer.alloc(RECORD_BYTES);
    record.writeDoubleLE(size, 0);
    record.writeDoubleLE(mtimeMs, 8);
    record.write(hash, 16, "hex");
    record.writeUInt32LE(name.length, 16 + HASH_BYTES);
    this.#added.push(record, name);
  }

  /** Writes what was added. It saves time alone: where the disk does not take it, it is left. */
  publish(): void {
    if (this.#added.length === 0) return;
    const isMany = this.#names.length >= MOST_SEGMENTS;
    const parts = isMany ? [...this.#known(), ...this.#added] : this.#added;
    const writing = join(this.#folder, `${randomUUID()}.tmp`);
    try {
      mkdirSync(this.#folder, { recursive: true });
      writeFileSync(writing, sealed(Buffer.concat(parts)));
      const name = `${randomUUID()}.bin`;
      renameSync(writing, join(this.#folder, name));
      if (isMany) for (const old of this.#names) rmSync(join(this.#folder, old), { force: true });
      this.#names = isMany ? [name] : [...this.#names, name];
    } catch {
      removeIfPossible(writing);
    }
    this.#added.length = 0;
  }

  /** The newest record of every file. */
  *#known(): Generator<Buffer> {
    for (const file of this.#slots) {
      if (file === EMPTY) continue;
      const [segment, from] = this.#placeOf(file);
      yield segment.subarray(from, endOf(segment, from));
    }
  }

  #load(name: string): void {
    const records = readSegment(join(this.#folder, name));
    if (records === null) return;
    this.#names.push(name);
    const segment = this.#segments.push(records) - 1;
    const starts: number[] = [];
    for (let from = 0; from < records.length; from = endOf(records, from)) starts.push(from);
    const places = new Int32Array(2 * (this.#count + starts.length));
    places.set(this.#places);
    this.#places = places;
    this.#reserve(this.#count + starts.length);
    for (const from of starts) {
      places[2 * this.#count] = segment;
      places[2 * this.#count + 1] = from;
      this.#put(this.#count++);
    }
  }

  #placeOf(file: number): readonly [segment: Buffer, from: number] {
    return [at(this.#segments, i32At(this.#places, 2 * file)), i32At(this.#places, 2 * file + 1)];
  }

  #pathOf(file: number): string {
    const [segment, from] = this.#placeOf(file);
    return segment.toString("utf8", from + RECORD_BYTES, endOf(segment, from));
  }

  #fileOf(path: string): number {
    const next = this.#next;
    // the record of the path may be an older one than another segment's
    if (next < this.#count && this.#segments.length === 1 && this.#pathOf(next) === path) return next;
    return i32At(this.#slots, this.#slotOf(path));
  }

  /** Where a path stands, or belongs. */
  #slotOf(path: string): number {
    const count = this.#slots.length;
    for (let slot = keyOf(path) % count; ; slot = (slot + 1) % count) {
      const file = i32At(this.#slots, slot);
      if (file === EMPTY || this.#pathOf(file) === path) return slot;
    }
  }

  /** A later record of a path takes the place of an earlier one. */
  #put(file: number): void {
    this.#slots[this.#slotOf(this.#pathOf(file))] = file;
  }

  /** Half of the slots stay empty. */
  #reserve(files: number): void {
    let count = this.#slots.length;
    if (2 * files <= count) return;
    while (2 * files > count) count *= 2;
    const before = this.#slots;
    this.#slots = new Int32Array(count).fill(EMPTY);
    for (const file of before) if (file !== EMPTY) this.#put(file);
  }
}

function endOf(records: Buffer, from: number): number {
  return from + RECORD_BYTES + records.readUInt32LE(from + 16 + HASH_BYTES);
}

/** FNV-1a over the characters. */
function keyOf(path: string): number {
  let key = 0x811c9dc5;
  for (let i = 0; i < path.length; i++) key = Math.imul(key ^ path.charCodeAt(i), 0x01000193);
  return key >>> 0;
}

function sealed(records: Buffer): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  MAGIC.copy(header);
  header.writeUInt32LE(FORM, 8);
  createHash("sha256").update(records).digest().copy(header, 16);
  return Buffer.concat([header, records]);
}

/** @returns null where it is none, or damaged */
function readSegment(path: string): Buffer | null {
  try {
    const bytes = readFileSync(path);
    if (bytes.length < HEADER_BYTES || !bytes.subarray(0, 8).equals(MAGIC) || bytes.readUInt32LE(8) !== FORM)
      return null;
    const records = bytes.subarray(HEADER_BYTES);
    const digest = createHash("sha256").update(records).digest();
    return digest.equals(bytes.subarray(16, HEADER_BYTES)) ? records : null;
  } catch {
    return null;
  }
}

/** From the oldest on; what a killed process left is removed after a day. */
function segmentsIn(folder: string): string[] {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return [];
  }
  const found = names.flatMap((name) => {
    const changed = statSync(join(folder, name), { throwIfNoEntry: false })?.mtimeMs;
    if (changed === undefined) return [];
    if (name.endsWith(".tmp") && Date.now() - changed > STALE_MS) removeIfPossible(join(folder, name));
    return name.endsWith(".bin") ? [{ name, changed }] : [];
  });
  return found.sort((a, b) => a.changed - b.changed || (a.name < b.name ? -1 : 1)).map(({ name }) => name);
}

const STALE_MS = 24 * 3600 * 1000;

function removeIfPossible(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // a folder that may only be read serves as well
  }
}
