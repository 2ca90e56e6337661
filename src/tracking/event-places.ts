/** @file Event files as other programs lay them out: where they lie, and what their folders say of their curves. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { SummaryValue } from "../logging/tensorboard/index.js";
import { STORE_FILE } from "../provenance/git.js";
import { splitOf } from "./names.js";

const NOT_LOOKED_INTO = new Set(["node_modules", ".git", "__pycache__"]);
const DEEPEST = 12;

/** What a file's folder says of its curves, and what is left of it. */
export function placeOf(folder: readonly string[], tag: string) {
  const [last = "", rest] = [folder.at(-1), folder.slice(0, -1)];
  const curve = curveOf(folder, tag);
  if (curve !== null) {
    const isSplit = splitOf(curve.name) !== undefined;
    return { name: isSplit ? tag : `${tag}_${curve.name}`, split: isSplit ? curve.name : undefined, rest: curve.rest };
  }
  if (splitOf(last) !== undefined) return { name: tag, split: last, rest };
  // SummaryWriter.add_hparams names its folder by the time
  return { name: tag, split: undefined, rest: /^\d{9,}(\.\d+)?$/.test(last) ? rest : folder };
}

/** SummaryWriter.add_scalars gives every curve of one tag a folder: `<tag>_<curve>`, or in tensorboardX `<tag>/<curve>`. */
export function curveOf(folder: readonly string[], tag: string) {
  const [last = "", rest] = [folder.at(-1), folder.slice(0, -1)];
  const prefix = `${tag.replaceAll("/", "_")}_`;
  if (last.length > prefix.length && last.startsWith(prefix)) return { name: last.slice(prefix.length), rest };
  const depth = tag.split("/").length;
  if (rest.length < depth || rest.slice(-depth).join("/") !== tag) return null;
  return { name: last, rest: rest.slice(0, -depth) };
}

export function pictureOf(value: SummaryValue, plugin: string | undefined): Uint8Array | undefined {
  // width, height, then the pictures
  return value.image ?? (plugin === "images" ? stringsOf(value)[2] : undefined);
}

export function stringsOf({ tensor }: SummaryValue): readonly Uint8Array[] {
  return Array.from<unknown>(tensor?.values ?? []).filter((one) => one instanceof Uint8Array);
}

export function eventFilesBelow(folder: string): string[] {
  const found: string[] = [];
  const walk = (dir: string, depth: number): void => {
    // a run store's files are those of runs
    if (existsSync(join(dir, STORE_FILE))) return;
    for (const entry of entriesOf(dir)) {
      const path = join(dir, entry.name);
      if (entry.isFile() && entry.name.includes("tfevents")) found.push(path);
      else if (entry.isDirectory() && depth < DEEPEST && !NOT_LOOKED_INTO.has(entry.name)) walk(path, depth + 1);
    }
  };
  walk(folder, 0);
  return found.sort();
}

/** A folder that is not there yet has none. */
function entriesOf(dir: string) {
  try {
    return readdirSync(dir, { withFileTypes: true });
  } catch {
    return [];
  }
}
