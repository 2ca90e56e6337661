/** @file The scripts and styles of the pages, as they were built: read once, and sent by their names alone. */
import { readdirSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";
import { StoreError } from "../../errors.js";

export interface Asset {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly type: string;
}

/** What pages refer to, by addresses that change with their content. */
export interface Assets {
  readonly script: string;
  readonly style: string;
  readonly files: ReadonlyMap<string, Asset>;
}

const TYPES: Readonly<Record<string, string>> = {
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

/** @param dir where scripts/pages.mjs has put them @throws StoreError where they are not there */
export function readAssets(dir: string): Assets {
  const files = new Map(namesIn(dir).map((name) => [name, readAsset(dir, name)] as const));
  const nameOf = (pattern: RegExp): string => {
    const found = [...files.keys()].find((name) => pattern.test(name));
    if (found === undefined) throw notBuilt(dir);
    return `/assets/${found}`;
  };
  return { script: nameOf(/^app-\w+\.js$/), style: nameOf(/^app-\w+\.css$/), files };
}

function readAsset(dir: string, name: string): Asset {
  const bytes = Uint8Array.from(readFileSync(join(dir, name)));
  return { bytes, type: TYPES[extname(name)] ?? "application/octet-stream" };
}

function namesIn(dir: string): string[] {
  try {
    return readdirSync(dir).filter((name) => extname(name) in TYPES);
  } catch {
    throw notBuilt(dir);
  }
}

function notBuilt(dir: string): StoreError {
  return new StoreError(`The pages of cool ui are not at ${dir}. Install dnn-cool again, or build it: npm run build.`, {
    dir,
  });
}
