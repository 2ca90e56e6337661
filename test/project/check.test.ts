/** @file What `cool check` finds before any training. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import type { InputSpec } from "../../src/data/dataset.js";
import { image, numeric } from "../../src/data/inputs/inputs.js";
import { InterruptedError } from "../../src/errors.js";
import { defineTasks } from "../../src/flow/define.js";
import { checkPrepared, checkProject } from "../../src/project/check-project.js";
import { defineProject } from "../../src/project/define-project.js";
import { loadProject } from "../../src/project/load-project.js";
import { resolveProject } from "../../src/project/resolve-project.js";
import { parseSettings } from "../../src/project/settings.js";
import { binary, classification, multilabel } from "../../src/tasks/index.js";
import { measureNetwork } from "../../src/training/measure-network.js";

const folder = mkdtempSync(join(tmpdir(), "cool-check-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function project(table: string, inputs: Record<string, InputSpec> = { x: numeric({ columns: ["x"] }) }, units = 3) {
  writeFileSync(join(folder, "labels.csv"), table);
  const definition = defineProject({
    name: "p",
    tasks: defineTasks({
      features: ["f"],
      tasks: { open: binary(), kind: classification({ classes: ["a", "b"] }), forgotten: binary() },
    }).flow("all", (flow, x, out) => {
      out.add(flow.open(x.f));
      out.add(flow.kind(x.f).given(out.open));
    }),
    flow: "all",
    data: { table: "labels.csv", inputs, split: { column: "split" } },
    trunk: (given, layers) => {
      const [first] = Object.values(given);
      if (first === undefined) throw new Error("there is no input");
      const flat = first.shape.length > 2 ? layers.flatten().apply(first) : first;
      const f = layers.dense({ units }).apply(flat);
      if (Array.isArray(f) || !("sourceLayer" in f)) throw new Error("one symbolic tensor");
      return { f };
    },
  });
  return resolveProject(definition, { projectDir: folder });
}

const ROWS = ["train,1,a,1", "train,1,b,2", "train,0,,3", "valid,1,a,4", "test,0,b,5"];
const table = (rows: readonly string[], head = "split,open,kind,x") => `${[head, ...rows].join("\n")}\n`;

test("usable labels are counted by class and split, and tasks that are never asked are named", async () => {
  const check = await checkProject(project(table(ROWS)));
  expect(check.unasked).toEqual(["forgotten"]);
  expect(check.labels.classes).toEqual([
    { task_path: "open", class: "true", train: 2, valid: 1, test: 0 },
    { task_path: "open", class: "false", train: 1, valid: 0, test: 1 },
    { task_path: "kind", class: "a", train: 1, valid: 1, test: 0 },
    // the row of test is not open, so its kind is not asked
    { task_path: "kind", class: "b", train: 1, valid: 0, test: 0 },
  ]);
});

test("the network is built, and its parameters are counted by part", async () => {
  const loaded = project(table(ROWS));
  const { inputs } = await checkProject(loaded);
  // 1 × 3 + 3, 3 × 1 + 1, 3 × 2 + 2
  expect(await measureNetwork(loaded, inputs)).toEqual({
    parts: [
      { part: "trunk", parameters: 6 },
      { part: "open", parameters: 4 },
      { part: "kind", parameters: 8 },
    ],
    warnings: [],
  });
});

test("a value beside which all others are the same is a warning; heavy tails and rare flags are none", async () => {
  const column = async (values: readonly number[]) =>
    (await checkProject(project(table(values.map((value, i) => `train,${i % 2},a,${value}`))))).warnings;
  const plain = Array.from({ length: 40 }, (_, i) => i % 7);
  expect(await column(plain)).toEqual([]);
  expect(await column([...plain.slice(1), 9.96921e36])).toEqual([
    'the input "x": 1 of 40 cells of the column "x" in train is 9.96921e+36, beside which all others look the same once they are standardized; if it stands for a missing value, leave the cell empty',
  ]);
  expect((await column([...plain, -9999, -9999]))[0]).toContain("2 of 42 cells");
  expect(await column(plain.map((_, i) => 2 ** (i / 4)))).toEqual([]);
  expect(await column(plain.map((_, i) => (i === 3 ? 1 : 0)))).toEqual([]);
});

test("a picture that stands in two splits is a leak, however its path is written", async () => {
  const rows = ["train,1,a,1.png", "train,0,,2.png", "test,1,b,./1.png", "valid,1,b,3.png"];
  const inputs = { img: image({ column: "img", size: [2, 2] }) };
  const check = await checkProject(project(table(rows, "split,open,kind,img"), inputs));
  expect(check.leaks).toEqual([{ input: "img", picture: join(folder, "1.png"), splits: ["train", "test"] }]);
});

describe("a message", () => {
  test("names a cell of a megabyte shortly, and one problem of many rows once, with its count and first rows", async () => {
    const long = "x".repeat(1_000_000);
    const message = await checkProject(project(table([`train,1,${long},1`, ...ROWS]))).catch(
      (error: Error) => error.message,
    );
    expect(String(message).length).toBeLessThan(400);
    const many = Array.from({ length: 125 }, () => "train,perhaps,a,1");
    await expect(checkProject(project(table(many)))).rejects.toThrow(
      '125 labels in labels.csv cannot be read: row 1 (line 2), column "open": "perhaps" is not a yes-or-no label; use 0, 1, true, false, or leave it empty (and so in 124 more: row 2 (line 3), row 3 (line 4), row 4 (line 5), row 5 (line 6), …).',
    );
  });

  test("about a value among few has the path, the values and the nearest", () => {
    const parse = (train: unknown) => parseSettings({ data: { table: "a" }, train }, "here");
    expect(() => parse({ optimizer: { kind: "adan" } })).toThrow(
      'here: "train.optimizer.kind" is "adan"; it may be "adamw" or "adam" or "sgd" or "rmsprop" or "lion"; did you mean "adam"?',
    );
    expect(() => parse({ taskWeighting: 3 })).toThrow(
      'here: "train.taskWeighting" is 3; it may be "constant" or "uncertainty".',
    );
  });

  test("about a setting of another way to write the same names both", () => {
    expect(() => parseSettings({ data: { table: "a", split: { column: "s", train: 0.5 } } }, "here")).toThrow(
      'here: "data.split.train" does not go with "data.split.column"; leave out one or the other.',
    );
    const kinds = { kind: "adamw", learningRate: 0.1, momentum: 0.9 };
    expect(() => parseSettings({ data: { table: "a" }, train: { optimizer: kinds } }, "here")).toThrow(
      '"train.optimizer.momentum" does not go with "train.optimizer.kind", "train.optimizer.learningRate"',
    );
  });

  test("about what a configuration throws has the file and the line", async () => {
    const file = join(folder, "cool.config.ts");
    writeFileSync(file, 'import { binary } from "dnn-cool";\n\nbinary();\nconst nothing = undefined;\nnothing.x;\n');
    await expect(loadProject(folder)).rejects.toThrow(`${file}, line 5 cannot be loaded: Cannot read properties of`);
  });
});

describe("names and seeds", () => {
  test("a seed beyond 2^53 is refused, in the configuration and by --set", () => {
    const parse = (seed: number) => parseSettings({ data: { table: "a" }, train: { seed } }, "here");
    expect(() => parse(2 ** 53)).toThrow("a seed is a whole number of at most 9007199254740991");
    expect(parse(2 ** 53 - 1).train.seed).toBe(9007199254740991);
  });

  test("classes that only differ in their Unicode form are refused; cells may be written in either", async () => {
    const [nfc, nfd] = ["caf\u00e9", "cafe\u0301"];
    const withClasses = (classes: readonly string[]) =>
      resolveProject(
        defineProject({
          name: "p",
          tasks: defineTasks({ features: ["f"], tasks: { kind: classification({ classes }) } }).flow(
            "all",
            (flow, x, out) => {
              out.add(flow.kind(x.f));
            },
          ),
          flow: "all",
          data: { table: "labels.csv", split: { column: "split" }, inputs: { x: numeric({ columns: ["x"] }) } },
          trunk: () => {
            throw new Error("not built");
          },
        }),
        { projectDir: folder },
      );
    expect(() => withClasses([nfc, nfd])).toThrow("twice, in two spellings that look the same");
    writeFileSync(join(folder, "labels.csv"), `split,kind,x\ntrain,${nfd},1\ntrain,b,2\n`);
    const { labels } = await checkProject(withClasses([nfc, "b"]));
    expect(labels.classes.map(({ train }) => train)).toEqual([1, 1]);
  });

  test("a label called none is refused where a cell would mean none by it", () => {
    const projectWith = (column: string | readonly string[]) => () =>
      resolveProject(
        defineProject({
          name: "p",
          tasks: defineTasks({ features: ["f"], tasks: { m: multilabel({ labels: ["none", "b"], column }) } }).flow(
            "all",
            (flow, x, out) => {
              out.add(flow.m(x.f));
            },
          ),
          flow: "all",
          data: { table: "labels.csv", inputs: { x: numeric({ columns: ["x"] }) } },
          trunk: () => {
            throw new Error("not built");
          },
        }),
      );
    expect(projectWith("m")).toThrow('has the label "none", which in a cell means none of the labels');
    expect(projectWith(["none", "b"])).not.toThrow();
  });
});

test("a check whose signal fires is interrupted", async () => {
  await expect(checkPrepared(project(`split,open,kind,x\n${ROWS.join("\n")}`), AbortSignal.abort())).rejects.toThrow(
    InterruptedError,
  );
});
