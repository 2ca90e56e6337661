/** @file Several tables as one dataset: folders, columns, splits, names and labels of each. */
import { describe, expect, test } from "vitest";
import type { Dataset } from "../../../src/data/dataset.js";
import { firstPixels } from "../../../src/data/dataset.js";
import { type LoadOptions, loadDataset, loadLabels } from "../../../src/data/load.js";
import { binary, boundedRegression, classification, multilabel } from "../../../src/tasks/index.js";
import { graphOf, imageSpec, newFolder, plain, write } from "../files.js";

const graph = graphOf({
  shirt: classification({ classes: ["red", "blue"] }),
  x1: boundedRegression({ scale: "image-width" }),
});

/** Shirts are labelled in one folder, boxes in another; both have a picture "1.png". */
async function project(): Promise<LoadOptions> {
  const projectDir = newFolder();
  const draw = async (name: string, width: number, grey: number) =>
    write(projectDir, name, await plain(width, 8, [grey, grey, grey]).png().toBuffer());
  await Promise.all([draw("shirts/1.png", 10, 1), draw("shirts/2.png", 10, 2), draw("shirts/5.png", 10, 5)]);
  await Promise.all([draw("boxes/1.png", 30, 3), draw("boxes/4.png", 40, 4)]);
  write(projectDir, "shirts/labels.csv", "img,fold,shirt\n1.png,train,red\n2.png,valid,blue\n5.png,train,blue\n");
  write(projectDir, "boxes/labels.csv", "path,x1\n1.png,15\n4.png,40\n");
  return {
    graph,
    tables: [
      { table: "shirts/labels.csv", split: { column: "fold" } },
      { table: "boxes/labels.csv", columns: { img: "path" } },
    ],
    inputs: { image: imageSpec(4, 4) },
    split: { train: 1, valid: 0, test: 0, seed: 1 },
    projectDir,
    onBadImage: "error",
  };
}

function firstBytes(dataset: Dataset): (number | undefined)[] {
  return Array.from({ length: dataset.rows }, (_, row) => dataset.inputs.image?.read([row])[0]);
}

describe("two tables", () => {
  test("each bring their own folder, columns, split and labels; missing columns are missing labels", async () => {
    const dataset = await loadDataset(await project());
    expect(dataset.rows).toBe(5);
    expect(firstBytes(dataset)).toEqual([1, 2, 5, 3, 4]);
    expect(firstPixels(dataset.inputs)?.paths).toEqual(["1.png", "2.png", "5.png", "1.png", "4.png"]);
    expect(dataset.splits).toEqual({
      train: Int32Array.of(0, 2, 3, 4),
      valid: Int32Array.of(1),
      test: Int32Array.of(),
    });
    const NO = Number.NaN;
    expect(dataset.labels).toEqual([
      { answers: Float32Array.of(0, 1, 1, NO, NO), unitScale: null },
      { answers: Float32Array.of(NO, NO, NO, 15, 40), unitScale: Float32Array.of(10, 10, 10, 30, 40) },
    ]);
    expect(dataset.tables).toEqual([
      { table: "shirts/labels.csv", rows: Int32Array.of(0, 1, 2) },
      { table: "boxes/labels.csv", rows: Int32Array.of(3, 4) },
    ]);
    dataset.close();
  });

  test("name their rows by the table only where both have the name", async () => {
    const dataset = await loadDataset(await project());
    expect(dataset.ids).toEqual(["shirts/labels.csv:1.png", "2.png", "5.png", "boxes/labels.csv:1.png", "4.png"]);
    dataset.close();
  });

  test("follow the one that stands alone", async () => {
    const { tables, ...options } = await project();
    const dataset = await loadDataset({ ...options, table: "shirts/labels.csv", tables: tables?.slice(1) });
    expect(firstBytes(dataset)).toEqual([1, 2, 5, 3, 4]);
    dataset.close();
  });

  test("are each split by themselves, as if the other were not there", async () => {
    const projectDir = newFolder();
    const names = (count: number) => Array.from({ length: count }, (_, i) => `${i},1`).join("\n");
    write(projectDir, "a.csv", `img,open\n${names(100)}\n`);
    write(projectDir, "b.csv", `img,open\n${names(10)}\n`);
    const options = {
      graph: graphOf({ open: binary() }),
      inputs: { image: imageSpec(4, 4) },
      split: { train: 0.8, valid: 0.1, test: 0.1, seed: 7 },
      projectDir,
    };
    const both = await loadLabels({ ...options, tables: [{ table: "a.csv" }, { table: "b.csv" }] });
    const alone = await loadLabels({ ...options, table: "b.csv" });
    const ofB = (rows: Int32Array) => [...rows].filter((row) => row >= 100).map((row) => row - 100);
    for (const split of ["train", "valid", "test"] as const) {
      expect(ofB(both.splits[split])).toEqual([...alone.splits[split]]);
    }
    expect([both.splits.train.length, both.splits.valid.length, both.splits.test.length]).toEqual([88, 11, 11]);
  });

  test("leave out a bad row by its table and its row there", async () => {
    const options = await project();
    write(options.projectDir, "boxes/labels.csv", "path,x1\n9.png,15\n4.png,40\n");
    const dataset = await loadDataset({ ...options, onBadImage: "skip" });
    expect(dataset.skipped).toEqual([{ table: "boxes/labels.csv", row: 1, sample: "9.png", reason: "is not found" }]);
    expect(dataset.tables.map(({ rows }) => [...rows])).toEqual([[0, 1, 2], [3]]);
    dataset.close();
    await expect(loadDataset(options)).rejects.toThrow(
      '1 of 5 images of shirts/labels.csv and boxes/labels.csv cannot be used: boxes/labels.csv, row 1: "9.png" is not found.',
    );
  });

  test("name the file of a bad label", async () => {
    const options = await project();
    write(options.projectDir, "boxes/labels.csv", "path,x1\n1.png,15\n4.png,far\n");
    await expect(loadDataset(options)).rejects.toThrow(
      '1 label in shirts/labels.csv and boxes/labels.csv cannot be read: boxes/labels.csv, row 2 (line 3), column "x1": "far" is not a number',
    );
  });

  test("without a column for a task are an error, as are a wrong column name and a table that comes twice", async () => {
    const options = await project();
    await expect(loadDataset({ ...options, graph: graphOf({ hat: binary() }) })).rejects.toThrow(
      'No table has a label column for the task "hat": there is no "hat" in shirts/labels.csv or boxes/labels.csv.',
    );
    const [shirts, boxes] = options.tables ?? [];
    if (shirts === undefined || boxes === undefined) throw new Error("two tables");
    await expect(loadDataset({ ...options, tables: [shirts, { ...boxes, columns: { img: "paht" } }] })).rejects.toThrow(
      'boxes/labels.csv has no column "paht" for the column "img". Did you mean "path"?',
    );
    await expect(loadDataset({ ...options, tables: [shirts, shirts] })).rejects.toThrow("is listed twice");
    const marks = graphOf({ marks: multilabel({ labels: ["u", "v"], column: ["shirt", "v"] }) });
    await expect(loadDataset({ ...options, graph: marks })).rejects.toThrow(
      'shirts/labels.csv has no label column for the task "marks": there is no "v".',
    );
  });
});

test("implied labels are counted over the rows that are kept, and train their gate", async () => {
  const options = await project();
  const gated = graph.tasks.map((task) =>
    task.path === "x1" ? { ...task, precondition: { kind: "isOneOf", task: "shirt", classes: [1] } as const } : task,
  );
  const withGate = { ...options, graph: { ...graph, tasks: gated } };
  write(options.projectDir, "boxes/labels.csv", "path,x1\n1.png,15\n9.png,3\n4.png,40\n");
  const dataset = await loadDataset({ ...withGate, onBadImage: "skip", impliedLabels: true });
  expect(dataset.implied).toEqual([{ task_path: "shirt", implied: 2 }]);
  expect([...(dataset.labels[0]?.answers ?? [])]).toEqual([0, 1, 1, 1, 1]);
  dataset.close();
  const without = await loadDataset({ ...withGate, onBadImage: "skip" });
  expect(without.implied).toEqual([]);
  expect([...(without.labels[0]?.answers ?? [])]).toEqual([0, 1, 1, Number.NaN, Number.NaN]);
  without.close();
});
