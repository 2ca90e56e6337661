/** @file The script and the style of the pages, as they were built: read once, and sent under names of their content. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { extname, join } from "node:path";
import { StoreError } from "../../errors.js";

export interface Asset {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly type: string;
}

/** What pages refer to, by addresses that change with what is there. */
export interface Assets {
  readonly script: string;
  readonly style: string;
  /** By the last part of their addresses: nothing else can be asked for. */
  readonly files: ReadonlyMap<string, Asset>;
}

/** @param dir where scripts/pages.mjs has put them @throws StoreError where they are not there */
export function readAssets(dir: string): Assets {
  const script = readAsset(dir, "ui.js", "text/javascript; charset=utf-8");
  const style = readAsset(dir, "ui.css", "text/css; charset=utf-8");
  return {
    script: `/assets/${script.name}`,
    style: `/assets/${style.name}`,
    files: new Map([script, style].map(({ name, asset }) => [name, asset])),
  };
}

function readAsset(dir: string, file: string, type: string): { readonly name: string; readonly asset: Asset } {
  const bytes = bytesOf(join(dir, file));
  const digest = createHash("sha256").update(bytes).digest("hex").slice(0, 16);
  const ending = extname(file);
  return { name: `${file.slice(0, -ending.length)}-${digest}${ending}`, asset: { bytes, type } };
}

function bytesOf(file: string): Uint8Array<ArrayBuffer> {
  try {
    return Uint8Array.from(readFileSync(file));
  } catch (error) {
    throw new StoreError(
      `The pages of cool ui are not at ${file}. Install dnn-cool again; in its repository: npm run build.`,
      { file },
      { cause: error },
    );
  }
}
