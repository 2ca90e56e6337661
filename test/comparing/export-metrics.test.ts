/** @file Evaluation frames and curves as tables, read back by other programs. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { expect, test } from "vitest";
import { csvCell, formatOf, metricsTable, toText, writeMetrics } from "../../src/comparing/export-metrics.js";
import { openStore, temporaryDir } from "../storage/support.js";
import { finishedRun } from "../support/folders.js";

test("Parquet, CSV, JSON and JSON lines hold the same rows, numbers exact", async () => {
  const store = openStore(temporaryDir());
  const id = finishedRun(store, 'a "quoted", name');
  const table = metricsTable(store, [id], "evaluation");
  const common = {
    run_id: id,
    run_name: 'a "quoted", name',
    split: "test",
    task_path: "door",
    metric_name: "f1_score",
  };
  const expected = [
    { ...common, gates: "truth", metric_res: 0.1, num_samples: 7, baseline: 0.05 },
    { ...common, gates: "predicted", metric_res: null, num_samples: 7, baseline: null },
  ];
  const dir = temporaryDir();
  const connection = await (await DuckDBInstance.create(":memory:")).connect();
  for (const format of ["parquet", "csv", "jsonl"]) {
    const file = join(dir, `out.${format}`);
    await writeMetrics(file, table);
    const rows = (await connection.runAndReadAll(`SELECT * FROM '${file}'`)).getRowObjectsJson();
    expect(rows.map((row) => ({ ...row, num_samples: Number(row.num_samples) }))).toEqual(expected);
  }
  connection.closeSync();
  await writeMetrics(join(dir, "out.json"), table);
  expect(JSON.parse(readFileSync(join(dir, "out.json"), "utf8"))).toEqual(expected);
  expect(toText(table, "csv").split("\n")[1]).toBe(`${id},"a ""quoted"", name",test,truth,door,f1_score,0.1,7,0.05`);
});

test("curves have a row per point; what is not finite is a word in CSV and null in JSON", () => {
  const store = openStore(temporaryDir());
  const id = finishedRun(store, "a");
  const table = metricsTable(store, ["a"], "curves");
  expect(toText(table, "csv")).toBe(
    `run_id,run_name,split,task_path,metric_name,step,epoch,value,wall_time\n${id},a,train,door,loss,1,1,0.5,1.25\n${id},a,train,door,loss,2,1,NaN,1.25\n`,
  );
  expect(JSON.parse(toText(table, "jsonl").split("\n")[1] ?? "")).toMatchObject({ step: 2, value: null });
});

test("a file's ending names its format", () => {
  expect(formatOf("a/b.PARQUET")).toBe("parquet");
  expect(() => formatOf("a.xlsx")).toThrow("no ending that names a format");
  expect(csvCell("two\nlines")).toBe('"two\nlines"');
});
