/** @file Folders, tables and pictures for the tests of the data layer. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import sharp from "sharp";
import { afterEach } from "vitest";
import type { ImageInputSpec } from "../../src/data/dataset.js";
import type { FlowGraph, TaskSpec } from "../../src/flow/graph.js";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** A folder that goes when the test ends. */
export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "data-test-"));
  folders.push(folder);
  return folder;
}

/** Writes a file, with the folders above it, and returns its path. */
export function write(folder: string, name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  return path;
}

/** Runs one statement, e.g. COPY … TO. */
export async function duckdb(sql: string): Promise<void> {
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  await connection.run(sql);
  connection.closeSync();
  instance.closeSync();
}

/** A picture of one colour. */
export function plain(width: number, height: number, [r, g, b]: readonly [number, number, number]) {
  return sharp({ create: { width, height, channels: 3, background: { r, g, b } } });
}

export function imageSpec(height: number, width: number, channels: 1 | 3 = 3): ImageInputSpec {
  return { kind: "image", column: "img", size: [height, width], channels };
}

/** A flow without preconditions; a key is a path. */
export function graphOf(specs: Readonly<Record<string, TaskSpec>>): FlowGraph {
  return {
    formatVersion: 1,
    flow: "flow",
    features: ["features"],
    flows: [],
    tasks: Object.entries(specs).map(([path, spec], index) => {
      const name = path.slice(path.lastIndexOf(".") + 1);
      return {
        index,
        path,
        name,
        declaredName: name,
        feature: "features",
        spec,
        lossWeight: 1,
        ownPrecondition: null,
        precondition: null,
        parent: null,
      };
    }),
  };
}
