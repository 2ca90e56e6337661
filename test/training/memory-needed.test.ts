/** @file What a run takes in memory is told before it starts, where there is less. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { withDuckDB } from "../../src/data/tables/duckdb.js";
import { estimateRows } from "../../src/data/tables/estimate-rows.js";
import { quoted } from "../../src/data/tables/sql.js";
import { defineTasks } from "../../src/flow/define.js";
import { traceFlow } from "../../src/flow/trace.js";
import { parseSettings } from "../../src/project/settings.js";
import { binary } from "../../src/tasks/index.js";
import { earlyWarning, memoryNeeded, memoryWarning } from "../../src/training/memory-needed.js";

const flow = defineTasks({ features: ["f"], tasks: { a: binary(), b: binary() } }).flow("all", (tasks, x, out) => {
  out.add(tasks.a(x.f));
  out.add(tasks.b(x.f));
});
const graph = traceFlow(flow, "all");
const columns = ["x", "y", "z"];
const spec = {
  kind: "numeric",
  columns,
  listLength: null,
  standardize: true,
  missing: "error",
  statistics: null,
} as const;
const dataset = (rows: number) => ({
  rows,
  inputs: { x: { spec } },
  splits: { train: new Int32Array(0.8 * rows), valid: new Int32Array(0.1 * rows), test: new Int32Array(0.1 * rows) },
});

it("grows with the rows: 4 bytes a label, logit and number, and as many times more in the largest split", () => {
  const slope = (memoryNeeded(graph, dataset(2000)) - memoryNeeded(graph, dataset(1000))) / 1000;
  // 2 labels, 2 logits, 3 numbers, 120 besides; in train 2 × 2 labels, 2 logits, and 9 for each of two tasks
  expect(slope).toBeCloseTo(4 * (2 + 2 + 3) + 120 + 0.8 * (4 * (4 + 2) + 18), 6);
});

it("is a warning only where there is less", () => {
  expect(memoryWarning(graph, dataset(1000), 8e9)).toBeNull();
  expect(memoryWarning(graph, dataset(1000), 4e8)).toContain(
    "this run takes about 0.5 GB of memory for 1000 rows, and there are 0.4 GB",
  );
});

describe("before the table is read", () => {
  const folder = mkdtempSync(join(tmpdir(), "cool-memory-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const project = { graph, inputs: { x: spec }, projectDir: folder };
  const split = { train: 0.8, valid: 0.1, test: 0.1, seed: 1 };
  const early = (table: string, available: number, leastBytes = 0) =>
    earlyWarning(project, parseSettings({ data: { table, split } }, folder), available, leastBytes);

  it("lines of a text are counted by its size", async () => {
    // 1 + 3000 lines of 12 bytes
    writeFileSync(join(folder, "rows.csv"), `x,y,z,a,b,c\n${"1,2,3,1,0,0\n".repeat(3000)}`);
    expect(await estimateRows(["rows.csv"], folder, 0)).toBe(3001);
    expect(await early("rows.csv", 4e8)).toContain("for 3001 rows, and there are 0.4 GB");
    expect(await early("rows.csv", 8e9)).toBeNull();
    expect(await early("rows.csv", 4e8, 1e6), "a small file").toBeNull();
  });

  it("a Parquet file says its rows", async () => {
    const from = join(folder, "it's.csv");
    writeFileSync(from, `x\n${"1\n".repeat(2500)}`);
    const to = join(folder, "it's.parquet");
    await withDuckDB((connection) => connection.run(`COPY (FROM read_csv(${quoted(from)})) TO ${quoted(to)}`));
    expect(await estimateRows(["it's.parquet", "rows.csv"], folder, 0)).toBe(2500 + 3001);
  });

  it("nothing is said of what is not cheap to tell", async () => {
    expect(await estimateRows(["SELECT 1"], folder, 0)).toBeNull();
    expect(await estimateRows(["gone.csv"], folder, 0)).toBeNull();
    writeFileSync(join(folder, "no.parquet"), "x");
    expect(await estimateRows(["no.parquet"], folder, 0)).toBeNull();
  });
});
