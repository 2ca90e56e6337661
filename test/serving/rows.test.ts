/** @file A run over a text, numbers, a category and a known answer, served: the answers of `cool predict` on a table. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type LoadedRun, loadRun } from "../../src/asking/load-run.js";
import { loadProject } from "../../src/project/load-project.js";
import { shipRun } from "../../src/shipping/export-run.js";
import { openRunStore } from "../../src/storage/run-store.js";
import { trainRun } from "../../src/training/train-run.js";
import { type ServedApp, servedApp } from "../support/served.js";

const CONFIG = `import { binary, categorical, classification, defineProject, defineTasks, known, numeric, tokens } from "dnn-cool";

const tasks = defineTasks({
  features: ["row", "words"],
  tasks: { member: known(), warm: binary(), kind: classification({ classes: ["x", "y", "z"], per: "token" }) },
}).flow("main", (flow, x, out) => {
  out.add(flow.member());
  out.add(flow.warm(x.row).given(out.member));
  out.add(flow.kind(x.words));
});

export default defineProject({
  name: "mixed",
  tasks,
  flow: "main",
  data: {
    table: "rows.csv",
    inputs: {
      text: tokens({ column: "sentence", vocabulary: ["a", "b", "c", "d"], maxLength: 6, unknown: "<unk>" }),
      at: numeric({ columns: ["when", "where"] }, { missing: "mean" }),
      room: categorical({ column: "room", categories: ["hall", "attic"], missing: "category" }),
    },
    split: { column: "split" },
  },
  trunk: ({ text, at, room }, layers) => {
    const words = layers.embedding({ inputDim: 6, outputDim: 4 }).apply(text);
    const pooled = layers.globalAveragePooling1d({}).apply(words);
    return { words, row: layers.concatenate().apply([pooled, at, room]) };
  },
  train: { epochs: 3, batchSize: 8 },
});
`;

const WORDS = ["a", "b", "c", "d", "e"];
const KINDS = ["x", "y", "z"];
const TRAIN = Array.from({ length: 40 }, (_, i) => {
  const words = Array.from({ length: 1 + (i % 7) }, (_, k) => WORDS[(i * 3 + k) % 5]);
  const kinds = words.map((_, k) => KINDS[(i + k) % 3]);
  // seconds of a clock: large numbers that differ in their last digits
  const when = 1_700_000_000 + i * 7;
  const cells = [words.join(" "), when, i % 9 === 0 ? "" : i / 3, i % 2 ? "hall" : "attic", i % 3 ? 1 : 0, i % 2];
  return [...cells, `"${JSON.stringify(kinds).replaceAll('"', '""')}"`, i % 4 ? "train" : "valid"].join(",");
});

const ASKED = [
  { sentence: "a b c", when: 1_700_000_003.5, where: 2.25, room: "hall", member: true },
  { sentence: "d", when: 1_700_000_100, where: null, room: "attic", member: false },
  { sentence: "e e a b c d a b", when: 1_700_000_200, where: -1, room: null, member: null },
  { sentence: "b a c", when: 1_700_000_277, where: 0, room: "hall", member: true },
] as const;

let dir = "";
let run: LoadedRun;
let served: ServedApp;
let expected: unknown;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "served-rows-"));
  writeFileSync(join(dir, "cool.config.ts"), CONFIG);
  writeFileSync(join(dir, "rows.csv"), `sentence,when,where,room,member,warm,kind,split\n${TRAIN.join("\n")}\n`);
  const { run: trained } = await trainRun(await loadProject(dir));
  run = await loadRun(join(dir, ".cool"), trained.id);
  const table = join(dir, "asked.csv");
  const lines = ASKED.map((row) =>
    Object.values(row)
      .map((cell) => (cell === null ? "" : String(cell)))
      .join(","),
  );
  writeFileSync(table, `${Object.keys(ASKED[0]).join(",")}\n${lines.join("\n")}\n`);
  expected = JSON.parse(JSON.stringify(await run.predict([table])));
  served = await servedApp(trained.id, join(dir, ".cool"));
});
afterAll(async () => {
  await served.close();
  run.close();
  rmSync(dir, { recursive: true, force: true });
});

const post = (app: ServedApp, rows: readonly unknown[], path = "/predict") =>
  app.post(path, JSON.stringify({ inputs: rows }), { "content-type": "application/json" });

it("rows by their columns answer as a table of them", async () => {
  const { status, json } = await post(served, ASKED);
  expect([status, json]).toEqual([200, { run: run.id, rows: 4, predictions: expected }]);
});

it("rows by their inputs answer the same, each alone, too", async () => {
  for (const [i, { sentence, when, where, ...rest }] of ASKED.entries()) {
    const { json } = await post(served, [{ text: i === 0 ? ["a", "b", "c"] : sentence, at: [when, where], ...rest }]);
    const [own] = (json as { readonly predictions: readonly { readonly answers: unknown }[] }).predictions;
    expect(own?.answers).toEqual((expected as { readonly answers: unknown }[])[i]?.answers);
  }
});

it("a form without files is one row", async () => {
  const data = new FormData();
  for (const [name, value] of Object.entries(ASKED[0])) data.append(name, String(value));
  const { json } = await served.post("/predict", data);
  expect(json).toEqual({ run: run.id, rows: 1, predictions: [(expected as unknown[])[0]] });
});

it("trees show the words of the row", async () => {
  const { text } = await served.post("/explain", JSON.stringify({ inputs: [ASKED[0]] }), {
    "content-type": "application/json",
    accept: "text/plain",
  });
  expect(text).toContain("1: a b c");
  expect(text).toMatch(/warm \| decoded/);
});

it.each([
  [{ member: undefined }, /does not say the known task "member"\. Give it as true, false, or null/],
  [{ member: "perhaps" }, /does not say the known task "member"/],
  [{ when: "soon" }, /has "soon" for "when" of the input "at", which is no finite number/],
  [{ where: "1e999" }, /has "1e999" for "where" of the input "at"/],
  [{ when: { a: 1 } }, /has \{"a":1\} for "when"/],
  [{ at: [1, 2, 3] }, /The input "at" takes 2 numbers, NaN where one is missing, and was given a list of 3/],
  [{ room: "cellar" }, /The input "room" takes one of hall, attic, and was given "cellar"/],
  [{ sentence: 3.5, room: ["hall"] }, /the input "room" that is a list/],
  [{ sentence: { a: 1 } }, /the input "text" that is an object/],
  [{ sentence: [["a"]] }, /The input "text" takes a text, or a list of tokens/],
  [{ romo: "hall" }, /has "romo", which is no input\. Did you mean room\?/],
])("refuses %j, naming the row", async (change, message) => {
  const { status, json } = await post(served, [ASKED[0], { ...ASKED[1], ...change }]);
  expect([status, json]).toEqual([
    400,
    { error: "bad_row", message: expect.stringMatching(message), facts: expect.objectContaining({ row: 2 }) },
  ]);
  expect((json as { readonly message: string }).message).toMatch(/^Row 2/);
});

it("a picture is refused where none is read", async () => {
  const { status, json } = await served.post("/predict", "x", { "content-type": "image/png" });
  expect(status).toBe(415);
  expect(json).toMatchObject({
    message: expect.stringMatching(/^The model reads text \(tokens\), at \(numeric\), room/),
  });
});

it("an export of it answers the same", async () => {
  const store = openRunStore(join(dir, ".cool"), { readonly: true });
  const { out } = await shipRun(store, run.id, { format: "layers", to: join(dir, "layers") });
  store.close();
  const shipped = await servedApp(out, join(dir, "nowhere"));
  try {
    const { json } = await post(shipped, ASKED);
    const numbers = (value: unknown): unknown =>
      JSON.parse(JSON.stringify(value), (_, one) => (typeof one === "number" ? Number(one.toFixed(4)) : one));
    expect(numbers(json)).toEqual(numbers({ run: run.id, rows: 4, predictions: expected }));
  } finally {
    await shipped.close();
  }
});
