/** @file What a run says of its labels before it trains. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { binary, defineProject, defineTasks, numeric } from "../../src/index.js";
import { trainRun } from "../../src/training/train-run.js";

test("a task whose gate is never true is named with its precondition before the first epoch", async () => {
  const project = defineProject({
    name: "never",
    tasks: defineTasks({ features: ["f"], tasks: { open: binary(), locked: binary() } }).flow(
      "door",
      (flow, x, out) => {
        out.add(flow.open(x.f));
        out.add(flow.locked(x.f).given(out.open.not()));
      },
    ),
    flow: "door",
    data: {
      table: "select i / 40 as n, true as open, i % 2 = 0 as locked from range(40) t(i)",
      inputs: { number: numeric({ columns: ["n"] }) },
    },
    trunk: ({ number }, layers) => ({ f: layers.dense({ units: 2 }).apply(number) as typeof number }),
    train: { epochs: 1 },
  });
  const folder = mkdtempSync(join(tmpdir(), "cool-never-"));
  const said: string[] = [];
  try {
    const logger = { warning: (text: string) => void said.push(text), epoch: () => void said.push("epoch") };
    await trainRun(project, { store: folder, backend: "cpu", loggers: [logger] });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  expect(said[0]).toBe(
    'locked: is active in no row of the table, so it can never be learnt: its precondition "not open" is never true; label its gates where they are met, or correct what it is given in the flow "door"',
  );
  expect(said[1]).toBe("epoch");
});
