/** @file A run's predictions read block by block, against a reader that takes them cell by cell. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type SplitOutputs, scoreSplit } from "../../../src/analysis/score.js";
import { at, i32At } from "../../../src/arrays.js";
import { createRandom } from "../../../src/data/rng.js";
import { type Block, copyList, listLength, withParquet } from "../../../src/data/tables/parquet-blocks.js";
import { type Cell, readParquet, writeTable } from "../../../src/data/tables/table-writer.js";
import { scalesPerRow } from "../../../src/data/labels/unit-scale.js";
import { StoreError } from "../../../src/errors.js";
import { defineTasks } from "../../../src/flow/define.js";
import { axisOf, type FlowGraph, type TaskSpec } from "../../../src/flow/graph.js";
import { answerWidth, neededOffsets, offsetsOf, tokensIn } from "../../../src/flow/masks.js";
import { traceFlow } from "../../../src/flow/trace.js";
import { readPredictions } from "../../../src/records/predictions/read.js";
import { writePredictions } from "../../../src/records/predictions/write.js";
import {
  behaviourOf,
  binary,
  boundedRegression,
  box,
  classification,
  type Labels,
  multilabel,
  ordinal,
  point,
  regression,
} from "../../../src/tasks/index.js";

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "cool-predictions-"));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const CLASSES = ["a", "b", "c"] as const;
const PER_ROW: Readonly<Record<string, TaskSpec>> = {
  open: binary(),
  it_s: binary(),
  color: classification({ classes: CLASSES }),
  level: ordinal({ levels: CLASSES }),
  marks: multilabel({ labels: ["x", "y", "z"] }),
  weight: { ...regression(), statistics: { mean: 1, deviation: 2 } },
  left: boundedRegression({ max: 10 }),
  wide: boundedRegression({ scale: "image-width" }),
  body: { ...box({ columns: ["x", "y", "w", "h"], scale: "image" }), framed: true as const },
  corner: point({ columns: ["u", "v"], scale: "image" }),
};
const PER_TOKEN: Readonly<Record<string, TaskSpec>> = {
  part: classification({ classes: CLASSES, per: "token" }),
  name: binary({ per: "token" }),
};

function flowOf(tasks: Readonly<Record<string, TaskSpec>>): FlowGraph {
  return traceFlow(
    defineTasks({ features: ["f"], tasks }).flow("all", (flow, x, out) => {
      for (const task of Object.keys(tasks)) out.add(flow[task]?.(x.f) ?? expect.fail());
    }),
    "all",
  );
}

/** Random answers in the range of each kind, of which some are missing, wholly or in part. */
function drawSplit(graph: FlowGraph, rows: number, seed: string): SplitOutputs {
  const random = createRandom(seed);
  const { next } = random;
  const isTokens = graph.tasks.some(({ spec }) => axisOf(spec) === "token");
  const offsets = isTokens ? offsetsOf(Int32Array.from({ length: rows }, () => random.int(4))) : null;
  const entriesOf = (spec: TaskSpec): number => (axisOf(spec) === "token" ? tokensIn(neededOffsets(offsets)) : rows);
  const labels = graph.tasks.map(({ spec }): Labels => {
    const entries = entriesOf(spec);
    const [width, perRow] = [answerWidth(spec), scalesPerRow(spec)];
    const answers = Float32Array.from({ length: entries * width }, () => {
      if (spec.kind === "multilabel" && next() < 0.1) return Number.NaN;
      if (spec.kind === "regression") return 1e9 * (next() - 0.5) * 2 ** -random.int(160);
      return spec.kind === "classification" || spec.kind === "ordinal" ? random.int(3) : random.int(2);
    });
    for (let i = 0; i < entries; i++) if (next() < 0.2) answers.fill(Number.NaN, i * width, (i + 1) * width);
    return {
      answers,
      unitScale: perRow === 0 ? null : Float32Array.from({ length: entries * perRow }, () => 1 + 100 * next()),
    };
  });
  const outputs = graph.tasks.map(({ spec }) =>
    Float32Array.from({ length: entriesOf(spec) * behaviourOf(spec).logitWidth(spec) }, () => 8 * (next() - 0.5)),
  );
  return { split: "test", ids: Array.from({ length: rows }, (_, row) => `näme ${row}'s`), offsets, outputs, labels };
}

async function written(graph: FlowGraph, split: SplitOutputs, name: string): Promise<string> {
  const file = join(dir, `${name}.parquet`);
  const thresholds = graph.tasks.map(({ spec }) => behaviourOf(spec).defaultThresholds(spec));
  await writePredictions(file, scoreSplit(graph, split, thresholds));
  return file;
}

type Lists = (readonly (number | null)[] | null)[];

/** As it was read before: every cell as a value of its own, all tasks at once. */
async function readCells(file: string, graph: FlowGraph): Promise<SplitOutputs> {
  const names = ['"row"', "sample", "task_path", "label", "logits", "unit_scale", "position", "unit_scale_y", "frame"];
  const cells: Cell[][] = await readParquet(file, names, '"row"');
  const [rowNumbers, samples, paths, labels, logits, scales, positions, scalesY, frames] = cells as [
    number[],
    string[],
    string[],
    Lists,
    Lists,
    number[],
    (number | null)[],
    (number | null)[],
    Lists,
  ];
  const lengths: number[] = [];
  rowNumbers.forEach((row, i) => {
    lengths[row] = Math.max(lengths[row] ?? 0, (positions[i] ?? -1) + 1);
  });
  const rows = lengths.length;
  const isTokens = graph.tasks.some(({ spec }) => axisOf(spec) === "token");
  const offsets = isTokens ? offsetsOf(Int32Array.from(lengths)) : null;
  const ids = new Array<string>(rows);
  const byPath = new Map(
    graph.tasks.map(({ path, spec }) => {
      const perToken = axisOf(spec) === "token" ? neededOffsets(offsets) : null;
      const entries = perToken === null ? rows : tokensIn(perToken);
      const perRow = scalesPerRow(spec);
      const own = {
        outputs: new Float32Array(entries * behaviourOf(spec).logitWidth(spec)),
        answers: new Float32Array(entries * answerWidth(spec)).fill(Number.NaN),
        unitScale: perRow > 0 ? new Float32Array(entries * perRow).fill(1) : null,
      };
      return [path, { ...own, perRow, perToken }] as const;
    }),
  );
  const copy = (target: Float32Array, index: number, values: readonly (number | null)[]): void => {
    values.forEach((value, i) => {
      target[index * values.length + i] = value ?? Number.NaN;
    });
  };
  rowNumbers.forEach((row, i) => {
    ids[row] ??= at(samples, i);
    const own = byPath.get(at(paths, i));
    const position = positions[i] ?? null;
    if (own === undefined || (own.perToken !== null && position === null)) return;
    const index = own.perToken === null ? row : i32At(own.perToken, row) + (position ?? 0);
    copy(own.outputs, index, logits[i] ?? []);
    copy(own.answers, index, labels[i] ?? []);
    const unit = [at(scales, i), scalesY[i] ?? Number.NaN, ...(frames[i] ?? [])].slice(0, own.perRow);
    unit.forEach((value, k) => {
      if (own.unitScale !== null) own.unitScale[index * own.perRow + k] = value ?? Number.NaN;
    });
  });
  const columns = graph.tasks.map(({ path }) => byPath.get(path) ?? expect.fail());
  return {
    split: "test",
    ids,
    offsets,
    outputs: columns.map((own) => own.outputs),
    labels: columns.map(({ answers, unitScale }) => ({ answers, unitScale })),
  };
}

/** Every bit of the numbers. */
function bits({ ids, offsets, outputs, labels }: SplitOutputs): unknown {
  const of = (values: Float32Array | null): string | null =>
    values === null ? null : Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString("base64");
  return {
    ids,
    offsets: offsets == null ? null : [...offsets],
    outputs: outputs.map(of),
    labels: labels.map(({ answers, unitScale }) => [of(answers), of(unitScale)]),
  };
}

describe("a run's predictions", () => {
  it.each([
    ["of every kind of task", PER_ROW, 300],
    ["of tasks per token, rows without tokens among them", { ...PER_ROW, ...PER_TOKEN }, 150],
    ["of tasks per token alone", PER_TOKEN, 200],
    ["of one row", PER_ROW, 1],
  ])("%s come back bit by bit as cell by cell, and as they were", async (name, tasks, rows) => {
    const graph = flowOf(tasks);
    const split = drawSplit(graph, rows, name);
    const file = await written(graph, split, `${rows}`);
    const read = await readPredictions(file, graph, "test");
    expect(bits(read)).toEqual(bits(await readCells(file, graph)));
    expect(read).toEqual(split);
  });

  it("of no rows are none", async () => {
    const graph = flowOf(PER_ROW);
    const file = await written(graph, drawSplit(graph, 0, "none"), "none");
    expect(await readPredictions(file, graph, "test")).toMatchObject({ ids: [], offsets: null });
  });

  it("are read without what earlier versions did not write", async () => {
    const file = join(dir, "earlier.parquet");
    const types = ["INTEGER", "VARCHAR", "VARCHAR", "FLOAT[]", "FLOAT[]", "FLOAT"] as const;
    const names = ["row", "sample", "task_path", "label", "logits", "unit_scale"];
    const columns = names.map((name, i) => ({ name, type: at(types, i) }));
    await writeTable(file, columns, [
      [1, "second", "open", null, [0.5], 1],
      [0, "first", "open", [1], [-0.25], 1],
      [0, "first", "gone", [1], [7], 1],
    ]);
    const { ids, outputs, labels } = await readPredictions(file, flowOf({ open: binary(), later: binary() }), "test");
    expect({ ids, outputs, labels: labels.map(({ answers }) => answers) }).toEqual({
      ids: ["first", "second"],
      outputs: [Float32Array.of(-0.25, 0.5), new Float32Array(2)],
      labels: [Float32Array.of(1, Number.NaN), Float32Array.of(Number.NaN, Number.NaN)],
    });
  });

  it("that are no table are an error that names the file", async () => {
    await expect(readPredictions(join(dir, "absent.parquet"), flowOf(PER_ROW), "test")).rejects.toThrow(StoreError);
  });
});

describe("blocks of a Parquet file", () => {
  it("hold numbers, texts and lists, missing ones too, of the rows that are asked for", async () => {
    const file = join(dir, "blocks.parquet");
    const columns = [
      { name: "it's", type: "VARCHAR" },
      { name: "n", type: "INTEGER" },
      { name: "f", type: "FLOAT[]" },
    ] as const;
    const rows = Array.from({ length: 5000 }, (_, i): Cell[] => [
      i % 7 === 0 ? null : `t'${i % 3}`,
      i % 5 === 0 ? null : i - 9,
      i % 4 === 0 ? null : Array.from({ length: i % 6 }, (__, k) => (k === 2 ? null : i / 7 + k)),
    ]);
    await writeTable(file, columns, rows);
    const found: Cell[][] = [];
    let most = 0;
    const all = await withParquet(file, async (parquet) => {
      await parquet.scan({ n: "number", f: "lists", "it's": "text" }, { where: { "it's": "t'1" } }, onBlock);
      return parquet.summarize(["max(n)", "count(*)", "min(n) FILTER (n > 9999)"]);
    });
    function onBlock(block: Block): void {
      const [numbers, lists, texts] = [block.numbers("n"), block.lists("f"), block.texts("it's")];
      most = Math.max(most, block.rows);
      for (let i = 0; i < block.rows; i++) {
        const list = new Float32Array(listLength(lists, i));
        expect(copyList(lists, i, list, 0)).toBe(list.length);
        found.push([texts[i] ?? null, numbers[i] ?? null, Array.from(list)]);
      }
    }
    const expected = rows.flatMap(([text = null, number = null, list = null]) =>
      text === "t'1"
        ? [
            [
              text,
              number ?? Number.NaN,
              ((list ?? []) as (number | null)[]).map((one) => Math.fround(one ?? Number.NaN)),
            ],
          ]
        : [],
    );
    const byNumber = (a: readonly unknown[], b: readonly unknown[]): number =>
      JSON.stringify(a) < JSON.stringify(b) ? -1 : 1;
    expect(found.sort(byNumber)).toEqual(expected.sort(byNumber));
    expect(most).toBeLessThanOrEqual(2048);
    expect(all).toEqual([4990, 5000, Number.NaN]);
  });
});
