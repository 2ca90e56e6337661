/** @file Importance of a trained run's columns: what it permutes is what its table says. */
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { permutationOf } from "../../../src/analysis/importance/importance.js";
import { at } from "../../../src/arrays.js";
import { permutableColumns, withPermuted } from "../../../src/asking/importance/permuted-inputs.js";
import { type LoadedRun, loadRun } from "../../../src/asking/load-run.js";
import type { InputSource } from "../../../src/data/dataset.js";
import { loadProject } from "../../../src/project/load-project.js";
import { runFiles } from "../../../src/records/run-folder.js";
import { trainRun } from "../../../src/training/train-run.js";
import { numberConfig, NUMBERS } from "../../support/number-project.js";

const dir = mkdtempSync(join(tmpdir(), "cool-importance-"));
let run: LoadedRun;
const home = process.cwd();
beforeAll(async () => {
  writeFileSync(join(dir, "cool.config.ts"), numberConfig());
  // of test no row is labelled
  writeFileSync(join(dir, "labels.csv"), NUMBERS.replaceAll(/[01],test/g, ",test"));
  await trainRun(await loadProject(dir, ["train.epochs=40"]), { name: "first", backend: "cpu" });
  process.chdir(dir);
  run = await loadRun(join(dir, ".cool"), "first", { backend: "cpu" });
}, 60_000);
afterAll(() => {
  run.close();
  process.chdir(home);
  rmSync(dir, { recursive: true, force: true });
});

describe("importance of a run's columns", () => {
  it("is what its metric loses on a table whose cells are permuted by hand", async () => {
    const { importance, split } = await run.importance({ repeats: 2, seed: 3 });
    expect(split).toBe("valid");
    const lines = readFileSync("labels.csv", "utf8").trim().split("\n").slice(1);
    const valid = lines.map((line) => line.split(",")).filter((cells) => cells[3] === "valid");
    const accuracyOf = async (rows: readonly (readonly string[])[]): Promise<number> => {
      writeFileSync("permuted.csv", `x,y,right,split\n${rows.map((cells) => cells.join(",")).join("\n")}\n`);
      const evaluated = await run.evaluate({ table: "permuted.csv" });
      return evaluated.find((row) => row.metric_name === "accuracy" && row.gates === "truth")?.metric_res ?? Number.NaN;
    };
    const base = await accuracyOf(valid);
    expect(importance.map(({ columns }) => columns)).toHaveLength(2);
    for (const { columns, importance: found, score } of importance) {
      const column = columns[0] === "x" ? 0 : 1;
      const rows = Int32Array.from(valid.keys());
      const drops: number[] = [];
      for (const repeat of [0, 1]) {
        const from = permutationOf(3, columns, rows, repeat);
        const permuted = valid.map((cells, i) => cells.with(column, at(at(valid, at(from, i)), column)));
        drops.push(base - (await accuracyOf(permuted)));
      }
      expect(score).toBeCloseTo(base, 6);
      expect(found).toBeCloseTo(((drops[0] ?? 0) + (drops[1] ?? 0)) / 2, 6);
    }
  });

  it("says so where no row counts, and refuses columns, tasks and splits that are not there", async () => {
    const { importance, warnings } = await run.importance({ split: "test" });
    expect(importance).toEqual([]);
    expect(warnings).toEqual(["right: no row of test is active and labelled, so that nothing is known of it"]);
    await expect(run.importance({ together: [["x", "yy"]] })).rejects.toThrow('No column named "yy"');
    await expect(run.importance({ together: [["x", "x"]] })).rejects.toThrow("Name it once");
    await expect(run.importance({ task: "rihgt" })).rejects.toThrow('Did you mean "right"?');
    const both = await run.importance({ together: [["x", "y"]], repeats: 1 });
    expect(both.importance.map(({ columns }) => columns)).toEqual([["x", "y"]]);
  });

  it("is that of rows which were not trained on, where there are any", async () => {
    const valid = runFiles(run.dir).predictions("valid");
    renameSync(valid, `${valid}.away`);
    expect((await run.importance({ repeats: 1 })).split).toBe("test");
    renameSync(`${valid}.away`, valid);
  });

  it("ends with one clear error where rows have gone from the table", async () => {
    const before = readFileSync("labels.csv", "utf8");
    writeFileSync("labels.csv", before.split("\n").slice(0, 10).join("\n"));
    await expect(run.importance()).rejects.toThrow(/of the 8 rows of valid .* are no longer in its tables/);
    writeFileSync("labels.csv", before);
  });
});

describe("columns that can be permuted", () => {
  it("are those of numbers and categories, wherever they stand", () => {
    const numeric = {
      kind: "numeric",
      listLength: null,
      standardize: false,
      missing: "error",
      statistics: null,
    } as const;
    const places = permutableColumns({
      one: { ...numeric, columns: ["a", "b"] },
      list: { ...numeric, columns: ["c"], listLength: 3 },
      hot: { kind: "categorical", column: "a", categories: ["1", "2"], encoding: "one-hot" },
      index: { kind: "categorical", column: "d", categories: ["1", "2"], encoding: "index" },
      picture: { kind: "image", column: "img", size: [8, 8], channels: 3 },
    });
    expect(Object.fromEntries(places)).toEqual({
      a: [
        { input: "one", offset: 0, length: 1 },
        { input: "hot", offset: 0, length: 2 },
      ],
      b: [{ input: "one", offset: 1, length: 1 }],
      c: [{ input: "list", offset: 0, length: 3 }],
      d: [{ input: "index", offset: 0, length: 1 }],
    });
    const source: InputSource = {
      spec: { ...numeric, columns: ["a", "b"] },
      read: (rows) => Float32Array.from(Array.from(rows).flatMap((row) => [row, 10 * row])),
      close() {},
    };
    const permuted = withPermuted({ one: source }, places.get("b") ?? [], Int32Array.of(2, 1, 0));
    expect([...(permuted.one?.read([0, 2, 1]) ?? [])]).toEqual([0, 20, 2, 0, 1, 10]);
  });
});
