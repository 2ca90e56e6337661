/** @file CSV files → runs: a row per step, or a row per run, by their header. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryDir, thrownBy } from "../storage/support.js";
import { curvesOf, fixture, imported } from "./support.js";

function values(store: Parameters<typeof curvesOf>[0], name: string) {
  return Object.fromEntries(
    Object.entries(curvesOf(store, name)).map(([curve, points]) => [
      curve,
      points.map(([step, value]) => [step, value]),
    ]),
  );
}

test("Keras's and Lightning's logs are a row per step; empty cells are no points", () => {
  const folder = fixture("csv");
  const keras = imported(join(folder, "keras.csv"));
  expect(keras.result.source.understood).toEqual([
    ...["a row is a step", "step: epoch", "metrics: accuracy, loss, val_accuracy, val_loss"],
  ]);
  expect(values(keras.store, "keras")).toEqual({
    "train/_total/accuracy": [
      [0, 0.5],
      [1, 0.75],
    ],
    "train/_total/loss": [
      [0, 1],
      [1, 0.5],
    ],
    "valid/_total/accuracy": [
      [0, 0.25],
      [1, 0.5],
    ],
    "valid/_total/loss": [
      [0, 1.5],
      [1, 1.25],
    ],
  });
  const lightning = imported(join(folder, "lightning.csv"));
  expect(values(lightning.store, "lightning")).toEqual({
    "train/_total/loss": [
      [9, 1],
      [19, 0.5],
    ],
    "valid/_total/loss": [
      [9, 1.5],
      [19, Number.NaN],
    ],
  });
  expect(lightning.store.findRun("lightning").epochsDone).toBe(1);
});

test("a table of a sweep is a row per run: settings, metrics, states", () => {
  const { store, result } = imported(join(fixture("csv"), "sweep.csv"));
  expect(result.added.map(({ name, state }) => [name, state])).toEqual([
    ["a, b", "finished"],
    ["c", "failed"],
  ]);
  expect(store.readConfig(store.findRun("a, b").id)).toEqual({ lr: 0.1, optimizer: "adam" });
  expect(values(store, "a, b")).toEqual({ "test/_total/accuracy": [[0, 0.9]], "valid/_total/loss": [[0, 0.5]] });
  expect(values(store, "c")).toEqual({ "valid/_total/loss": [[0, 0.7]] });
});

test("columns of MLflow's own export are told by their prefixes", () => {
  const { store } = imported(join(fixture("csv"), "mlflow.csv"));
  expect(store.findRun("abc")).toMatchObject({ startedAt: "2023-11-14T22:13:20.000Z", tags: ["team=vision"] });
  expect(store.readConfig(store.findRun("abc").id)).toEqual({ lr: 0.1 });
  expect(values(store, "abc")).toEqual({ "train/_total/loss": [[0, 0.5]] });
});

test("several runs in one table are told apart by their column, splits by theirs", () => {
  const { store } = imported(join(fixture("csv"), "long.csv"));
  expect(values(store, "x")).toEqual({ "train/_total/loss": [[1, 0.5]], "valid/_total/loss": [[1, 0.75]] });
  expect(values(store, "y")).toEqual({ "train/_total/loss": [[1, 0.25]] });
});

test("quotes, line breaks in cells, a byte order mark and CRLF are read as RFC 4180 has them", () => {
  const file = join(temporaryDir(), "quoted.csv");
  writeFileSync(file, '\uFEFFstep,"loss","a ""b"", c/acc"\r\n1,0.5,"0.25"\r\n2,"0.125",\r\n');
  const { store } = imported(file);
  expect(values(store, "quoted")).toEqual({
    "train/_total/loss": [
      [1, 0.5],
      [2, 0.125],
    ],
    'train/_foreign/a "b", c/acc': [[1, 0.25]],
  });
});

test("a table without metrics is an error that says what is looked for", () => {
  const file = join(temporaryDir(), "names.csv");
  writeFileSync(file, "first,last\na,b\n");
  expect(() => imported(file)).toThrow(/has no column with a metric.*Columns: first, last/);
});

test("a file that is no table is one short error", () => {
  const dir = temporaryDir();
  const [noise, long] = [join(dir, "noise.csv"), join(dir, "long.csv")];
  writeFileSync(noise, Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * 7919) % 251)));
  expect(() => imported(noise)).toThrow(/noise.csv is no CSV file in UTF-8: its first line has other bytes.$/);
  const header = Array.from({ length: 300 }, (_, i) => `${"word ".repeat(500)}${i}`).join(",");
  writeFileSync(long, `${header}\n${"a,".repeat(299)}b\n`);
  const message = thrownBy(() => imported(long)).message;
  expect(message).toMatch(/… 280 more\.$/);
  expect(message.length).toBeLessThan(1500);
});
