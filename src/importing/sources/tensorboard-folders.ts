/** @file Event files below a folder → runs: which files are one run's, and what their folders say of their curves. */
import { closeSync, openSync, readSync } from "node:fs";
import { basename, relative, resolve, sep } from "node:path";
import { CoolError } from "../../errors.js";
import { wholeEvents } from "../../logging/tensorboard/event-reader.js";
import { curveOf, eventFilesBelow } from "../../tracking/event-places.js";
import { splitOf } from "../../tracking/names.js";

/** An event file, as part of a run. */
export interface RunFile {
  readonly path: string;
  /** The split that its folder is named after. */
  readonly split: string | undefined;
  /** The curve that its folder is named after: `add_scalars` gives each curve of a tag a folder. */
  readonly curve: string | undefined;
}

export interface RunFolder {
  /** Below the source, with `/` between its parts; empty: the source itself. */
  readonly folder: string;
  readonly files: readonly RunFile[];
  /** Of its first event, in seconds since 1970. */
  readonly startedAt: number | null;
  /** Tells the run apart wherever it lies: the name of its first file, and when that was begun. */
  readonly id: string;
}

/** The folders that are runs, sorted. */
export function runFolders(source: string): RunFolder[] {
  const root = resolve(source);
  const files = eventFilesBelow(root).map((path) => {
    const parts = relative(root, path).split(sep).slice(0, -1);
    return { path, parts, folder: parts.join("/"), ...beginningOf(path) };
  });
  const withFiles = new Set(files.map(({ folder }) => folder));
  const sessions = sessionFolders(withFiles);
  const byRun = new Map<string, (RunFile & { readonly time: number | null })[]>();
  for (const { path, parts, folder, tag, time } of files) {
    const place = placeIn(parts, tag, withFiles, sessions.get(folder));
    byRun.set(place.folder, [
      ...(byRun.get(place.folder) ?? []),
      { path, time, split: place.split, curve: place.curve },
    ]);
  }
  return [...byRun].map(([folder, own]) => {
    const [first] = own.toSorted((a, b) => (a.time ?? Infinity) - (b.time ?? Infinity));
    const id = `${basename(first?.path ?? "")}/${first?.time ?? 0}`;
    return { folder, files: own, startedAt: first?.time ?? null, id };
  });
}

/** The folders that `add_hparams` names by the time, with the run that each belongs to: where it is the only one there. */
function sessionFolders(withFiles: ReadonlySet<string>): Map<string, string> {
  const byParent = new Map<string, string[]>();
  for (const folder of withFiles) {
    const at = folder.lastIndexOf("/");
    const parent = at === -1 ? "" : folder.slice(0, at);
    if (!/^\d{9,}(\.\d+)?$/.test(folder.slice(at + 1)) || folder === "" || !withFiles.has(parent)) continue;
    byParent.set(parent, [...(byParent.get(parent) ?? []), folder]);
  }
  return new Map(
    [...byParent].flatMap(([parent, [only = "", second]]) => (second === undefined ? [[only, parent]] : [])),
  );
}

function placeIn(parts: readonly string[], tag: string, withFiles: ReadonlySet<string>, session: string | undefined) {
  const curve = curveOf(parts, tag);
  // a run may by chance be named like a tag and something: then no files lie in the folder around it
  if (curve !== null && withFiles.has(curve.rest.join("/"))) {
    const isSplit = splitOf(curve.name) !== undefined;
    return {
      folder: curve.rest.join("/"),
      split: isSplit ? curve.name : undefined,
      curve: isSplit ? undefined : curve.name,
    };
  }
  const last = parts.at(-1) ?? "";
  if (splitOf(last) !== undefined) return { folder: parts.slice(0, -1).join("/"), split: last, curve: undefined };
  return { folder: session ?? parts.join("/"), split: undefined, curve: undefined };
}

const PEEK_BYTES = 1 << 16;

/** The tag of its first curve, and the time of its first event. */
function beginningOf(path: string): { readonly tag: string; readonly time: number | null } {
  const block = Buffer.alloc(PEEK_BYTES);
  let time: number | null = null;
  const opened = openSync(path, "r");
  try {
    for (const { wallTime, content } of wholeEvents(block.subarray(0, readSync(opened, block)), path)) {
      time ??= wallTime;
      if (content.kind !== "summary") continue;
      const scalar = content.values.find((value) => value.scalar !== undefined);
      if (scalar !== undefined) return { tag: scalar.tag, time };
    }
  } catch (error) {
    // reading it says what is wrong
    if (!(error instanceof CoolError)) throw error;
  } finally {
    closeSync(opened);
  }
  return { tag: "", time };
}
