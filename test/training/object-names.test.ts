/** @file Classes, labels and categories with the names that every JavaScript object has, from the table to the answers. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { loadRun } from "../../src/asking/load-run.js";
import { tuneRun } from "../../src/asking/tune-run.js";
import { at } from "../../src/arrays.js";
import { categorical } from "../../src/data/inputs/inputs.js";
import { mlp } from "../../src/engine/model/ready-trunks.js";
import { defineTasks } from "../../src/flow/define.js";
import { defineProject } from "../../src/project/define-project.js";
import { resolveProject } from "../../src/project/resolve-project.js";
import { openRunStore } from "../../src/storage/run-store.js";
import { binary, classification, multilabel } from "../../src/tasks/index.js";
import { trainRun } from "../../src/training/train-run.js";

const NAMES = ["constructor", "toString", "__proto__", "hasOwnProperty", "valueOf", "isPrototypeOf"] as const;

let dir = "";
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "object-names-"));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

it("a run with such names is trained, tuned and asked, and tells them apart", async () => {
  // each row's category is its class and its only label
  const rows = Array.from({ length: 120 }, (_, i) => at(NAMES, i % NAMES.length));
  const cells = rows.map(
    (name, i) => `${name},${Number(name !== "valueOf")},${name},${name},${i % 4 === 0 ? "valid" : "train"}`,
  );
  writeFileSync(join(dir, "labels.csv"), `kind,present,color,marks,split\n${cells.join("\n")}\n`);
  const project = defineProject({
    name: "object names",
    tasks: defineTasks({
      features: ["f"],
      tasks: { present: binary(), color: classification({ classes: NAMES }), marks: multilabel({ labels: NAMES }) },
    }).flow("main", (flow, x, out) => {
      out.add(flow.present(x.f));
      out.add(flow.color(x.f).given(out.present));
      out.add(flow.marks(x.f).given(out.color.isOneOf(["__proto__", "constructor", "toString"])));
    }),
    flow: "main",
    data: {
      table: "labels.csv",
      split: { column: "split" },
      inputs: { kind: categorical({ column: "kind", categories: NAMES }) },
    },
    trunk: ({ kind }, layers) => ({ f: mlp({ units: [16] })(kind, layers) }),
    train: { epochs: 15, batchSize: 16, optimizer: { kind: "adamw", learningRate: 0.1 } },
  });
  const store = join(dir, "store");
  await trainRun(resolveProject(project, { projectDir: dir }), { store, backend: "wasm" });
  const opened = openRunStore(store);
  const { thresholds } = await tuneRun(opened, "latest", "accuracy");
  opened.close();
  expect(thresholds.marks).toHaveLength(NAMES.length);
  const run = await loadRun(store, "latest", { backend: "wasm" });
  try {
    writeFileSync(join(dir, "asked.csv"), `kind\n${NAMES.join("\n")}\n`);
    const answers = (await run.predict([join(dir, "asked.csv")])).map(({ answers }) => answers);
    NAMES.forEach((name, i) => {
      const { color, marks } = at(answers, i);
      expect(color?.decoded).toEqual(name === "valueOf" ? undefined : name);
      const isMarked = name === "__proto__" || name === "constructor" || name === "toString";
      expect(marks?.decoded).toEqual(isMarked ? [name] : undefined);
    });
  } finally {
    run.close();
  }
});
