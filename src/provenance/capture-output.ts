/** @file What this process writes to stdout and stderr, kept as it was seen. */
import { closeSync, openSync, writeSync } from "node:fs";

type Write = typeof process.stdout.write;
type Sink = (chunk: Uint8Array) => void;

const STREAMS = ["stdout", "stderr"] as const;
type StreamName = (typeof STREAMS)[number];

/** Streams' own `write` while ours stands in its place. */
const originals = new Map<StreamName, { readonly original: Write; readonly ours: Write }>();
/** Several runs may be captured at a time. */
const sinks = new Set<Sink>();

/** Output of a run: kept in memory until its file is known. */
export interface OutputCapture {
  /** Writes what was kept so far, and all that follows, to the end of a file. */
  writeTo(file: string): void;
  /** Adds a line that was not written to a stream. */
  add(text: string): void;
  stop(): void;
}

/** Output beyond this is not kept: a loop that prints must not fill the disk. */
const MOST_BYTES = 64 << 20;
const MOST_PENDING_BYTES = 1 << 20;

/** Starts to keep everything that any code of this process writes to stdout and stderr. */
export function captureOutput(): OutputCapture {
  let pending: Uint8Array[] = [];
  let pendingBytes = 0;
  let left = MOST_BYTES;
  let file: number | null = null;
  const append = (bytes: Uint8Array): void => {
    if (left <= 0 || file === null) return;
    left -= bytes.length;
    try {
      writeSync(file, bytes);
      if (left <= 0) writeSync(file, `\n[output beyond ${MOST_BYTES} bytes was not kept]\n`);
    } catch {
      // a full disk: the run itself says so; its output goes on to the terminal
      left = 0;
    }
  };
  const sink: Sink = (bytes) => {
    if (file !== null) append(bytes);
    else if (pendingBytes < MOST_PENDING_BYTES) {
      // a copy, because the caller may use its buffer again
      pending.push(Uint8Array.from(bytes));
      pendingBytes += bytes.length;
    }
  };
  sinks.add(sink);
  install();
  return {
    writeTo(path) {
      file = openSync(path, "a");
      for (const bytes of pending) append(bytes);
      pending = [];
    },
    add: (text) => sink(Buffer.from(text)),
    stop() {
      sinks.delete(sink);
      if (sinks.size === 0) uninstall();
      if (file !== null) closeSync(file);
      file = null;
      left = 0;
    },
  };
}

/** A stream that writes past every capture, for output that is kept in another way (progress bars). */
export function uncaptured<S extends NodeJS.WriteStream>(stream: S): S {
  const name = STREAMS.find((known) => process[known] === (stream as unknown));
  const write = (...args: Parameters<Write>): boolean => {
    const own = name === undefined ? stream.write : (originals.get(name)?.original ?? stream.write);
    return own.apply(stream, args);
  };
  return Object.create(stream, { write: { value: write, writable: true } }) as S;
}

function install(): void {
  for (const name of STREAMS) {
    if (originals.has(name)) continue;
    const stream = process[name];
    const original = stream.write as Write;
    const ours = function (this: unknown, ...args: Parameters<Write>): boolean {
      keep(args[0], args[1]);
      return original.apply(stream, args);
    } as Write;
    stream.write = ours;
    originals.set(name, { original, ours });
  }
}

function uninstall(): void {
  for (const [name, { original, ours }] of originals) {
    // where other code has put its own write over ours, ours must stay below it; it has no sink and only passes on
    if (process[name].write !== ours) continue;
    process[name].write = original;
    originals.delete(name);
  }
}

/** Never throws: output reaches its stream whatever becomes of the copy. */
function keep(chunk: unknown, encoding: unknown): void {
  if (sinks.size === 0) return;
  const bytes =
    typeof chunk === "string"
      ? Buffer.from(chunk, typeof encoding === "string" ? (encoding as BufferEncoding) : "utf8")
      : chunk instanceof Uint8Array
        ? chunk
        : null;
  if (bytes === null) return;
  for (const sink of sinks) sink(bytes);
}
