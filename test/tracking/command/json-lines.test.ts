/** @file The lines of COOL_TRACK_FILE: what each says, and what is wrong with others. */
import { appendFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startRun } from "dnn-cool/track";
import { expect, test } from "vitest";
import { applyJsonLine } from "../../../src/tracking/command/json-lines.js";
import { LineTail } from "../../../src/tracking/command/line-tail.js";
import { openStore, temporaryDir } from "../../storage/support.js";

test("lines say what is logged, also NaN as Python writes it", async () => {
  const dir = temporaryDir();
  const run = startRun({ store: dir, project: "p", output: false });
  const file = join(dir, "weights.bin");
  writeFileSync(file, "weights");
  for (const line of [
    '{"log": {"loss": 0.5, "val_loss": NaN}, "step": 3, "split": "train", "epoch": 1}',
    '{"log": {"loss": -Infinity, "name NaN": "NaN"}, "step": 4}',
    '{"config": {"lr": 0.1, "net": {"width": 8}}}',
    '{"tags": ["good"]}',
    '{"text": {"tag": "note", "text": "hello", "step": 1}}',
    '{"histogram": {"tag": "w", "values": [0, 1], "step": 1}}',
    '{"table": {"name": "t", "columns": ["a"], "rows": [[1]]}}',
    `{"artifact": ${JSON.stringify(file)}}`,
    `{"checkpoint": ${JSON.stringify(file)}, "name": "best"}`,
    '{"evaluate": [{"split": "test", "metric_name": "accuracy", "metric_res": 0.5, "num_samples": 4}]}',
  ]) {
    applyJsonLine(run, line);
  }
  await run.finish();
  const store = openStore(dir);
  const points = store.readMetrics(run.id).filter(({ taskPath }) => taskPath !== "_system");
  expect(
    points.map(({ split, taskPath, metricName, step, value }) => [split, taskPath, metricName, step, value]),
  ).toEqual([
    ["train", "_foreign", "name NaN", 4, Number.NaN],
    ["train", "_total", "loss", 3, 0.5],
    ["train", "_total", "loss", 4, Number.NEGATIVE_INFINITY],
    ["valid", "_total", "loss", 3, Number.NaN],
  ]);
  expect(store.readConfig(run.id)).toEqual({ lr: 0.1, "net.width": 8 });
  expect(store.getRun(run.id)).toMatchObject({ tags: ["good"], epochsDone: 1 });
  expect(store.readEvaluation(run.id)).toHaveLength(1);
  expect(store.readArtifacts(run.id).map(({ path }) => path)).toEqual(
    expect.arrayContaining(["artifacts/weights.bin", "checkpoints/best", "tables/t.json"]),
  );
});

const WRONG: readonly (readonly [string, string])[] = [
  ['{"log": {"loss": 0.5}', "it is no JSON"],
  ["0.5", '"the line" is 0.5; expected an object'],
  ["{}", "there is no key"],
  ['{"lgo": {"loss": 1}}', 'there is no key "lgo". Did you mean "log"?'],
  ['{"log": {"loss": 1}, "stpe": 1}', 'there is no key "stpe". Did you mean "step"?'],
  ['{"log": {"loss": 1}, "config": {}}', 'it has both "log" and "config"'],
  ['{"log": {"loss": "high"}}', '"loss" is "high"; expected a number'],
  ['{"log": {"loss": 1}, "step": 1.5}', '"step" is 1.5; expected a whole number'],
  ['{"log": {"loss": 1}, "split": "holdout"}', '"split" is "holdout"; expected train, valid or test'],
  [`{"log": {"${"x".repeat(10_000)}": 1}}`, "has 10000 characters; shorten it to 200"],
  ['{"image": {"tag": "a"}}', '"image.path" is missing; expected a text'],
  ['{"artifact": "/nowhere/file"}', "There is no file or folder /nowhere/file"],
];

test("a line that cannot be followed says what is wrong with it", async () => {
  const run = startRun({ store: temporaryDir(), project: "p", output: false });
  for (const [line, message] of WRONG) expect(() => applyJsonLine(run, line), line.slice(0, 60)).toThrow(message);
  await run.finish();
});

test("a file is read line by line while several append to it", () => {
  const file = join(temporaryDir(), "track.jsonl");
  const tail = new LineTail(file);
  expect([...tail.read()]).toEqual([]);
  appendFileSync(file, '{"a": 1}\n{"b": "é');
  expect([...tail.read()]).toEqual([{ number: 1, text: '{"a": 1}' }]);
  // within a character
  const rest = Buffer.from('ü"}\n\n{"c": 3}');
  appendFileSync(file, rest.subarray(0, 1));
  expect([...tail.read()]).toEqual([]);
  appendFileSync(file, rest.subarray(1));
  expect([...tail.read()]).toEqual([
    { number: 2, text: '{"b": "éü"}' },
    { number: 3, text: "" },
  ]);
  expect([...tail.read(true)]).toEqual([{ number: 4, text: '{"c": 3}' }]);
});
