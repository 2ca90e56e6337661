/** @file What a run takes in memory is told before it starts, where there is less. */
import { expect, it } from "vitest";
import { defineTasks } from "../../src/flow/define.js";
import { traceFlow } from "../../src/flow/trace.js";
import { binary } from "../../src/tasks/index.js";
import { memoryNeeded, memoryWarning } from "../../src/training/memory-needed.js";

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
