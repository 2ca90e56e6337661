/** @file Predictions of a run, read back block by block as the network's outputs and the labels they were made with. */
import { f64At, i32At } from "../../arrays.js";
import type { SplitOutputs } from "../../analysis/score.js";
import { scalesPerRow } from "../../data/labels/unit-scale.js";
import { type Block, copyList, listLength, type ParquetFile, withParquet } from "../../data/tables/parquet-blocks.js";
import { type FlowGraph, hasTokenTasks, isPerElement, isPerPixel, pixelsPerSample } from "../../flow/graph.js";
import { answerWidth, evenOffsets, neededOffsets, type Offsets, offsetsOf, tokensIn } from "../../flow/masks.js";
import type { Split } from "../../tasks/evaluation.js";
import { type Labels, scoringOf } from "../../tasks/index.js";

/** Reads a split back as the network's outputs and the labels they were made with. */
export async function readPredictions(file: string, graph: FlowGraph, split: Split): Promise<SplitOutputs> {
  return withParquet(file, (parquet) => readSplit(parquet, graph, split));
}

/** Rows of a split whose predictions a file keeps. @throws StoreError where it cannot be read */
export async function countRows(file: string): Promise<number> {
  return withParquet(file, rowsIn);
}

async function rowsIn(parquet: ParquetFile): Promise<number> {
  const [last = Number.NaN] = await parquet.summarize(['max("row")']);
  return Number.isNaN(last) ? 0 : last + 1;
}

async function readSplit(parquet: ParquetFile, graph: FlowGraph, split: Split): Promise<SplitOutputs> {
  const { rows, lengths } = await readExtent(parquet, hasTokenTasks(graph));
  const pixels = pixelsPerSample(graph);
  const offsets = pixels !== null ? evenOffsets(rows, pixels) : lengths === null ? null : offsetsOf(lengths);
  const names = new RowNames(rows);
  const columns: TaskColumns[] = [];
  // one task after the other: its rows lie together, and it needs but a few columns
  for (const { path, spec } of graph.tasks) {
    // all pixels of a picture stand in its row
    const perToken = isPerElement(spec) && !isPerPixel(spec) ? neededOffsets(offsets) : null;
    const own = emptyColumns(spec, isPerElement(spec) ? tokensIn(neededOffsets(offsets)) : rows);
    const { perRow } = own;
    columns.push(own);
    const wanted = {
      ...({ row: "number", label: "lists", logits: "lists" } as const),
      ...(names.isComplete ? {} : ({ sample: "text" } as const)),
      ...(perToken === null ? {} : ({ position: "number" } as const)),
      // predictions of earlier versions lack the columns of what their tasks had not
      ...(perRow > 0 ? ({ unit_scale: "number" } as const) : {}),
      ...(perRow > 1 ? ({ unit_scale_y: "number" } as const) : {}),
      ...(perRow > 2 ? ({ frame: "lists" } as const) : {}),
    };
    const isNaming = !names.isComplete;
    await parquet.scan(wanted, { where: { task_path: path } }, (block) => {
      const rowNumbers = block.numbers("row");
      if (isNaming) names.add(rowNumbers, block.texts("sample"));
      copyBlock(block, own, placesOf(rowNumbers, perToken === null ? null : [perToken, block.numbers("position")]));
    });
  }
  return {
    split,
    ids: names.ids,
    offsets,
    outputs: columns.map((column) => column.outputs),
    labels: columns.map(({ answers, unitScale }): Labels => ({ answers, unitScale })),
  };
}

/** What rows are called, as far as tasks have said it. */
class RowNames {
  readonly ids: string[];
  #left: number;

  constructor(rows: number) {
    this.ids = new Array<string>(rows);
    this.#left = rows;
  }

  get isComplete(): boolean {
    return this.#left === 0;
  }

  add(rows: Float64Array, samples: readonly (string | null)[]): void {
    samples.forEach((sample, i) => {
      const row = f64At(rows, i);
      if (sample === null || this.ids[row] !== undefined) return;
      this.ids[row] = sample;
      this.#left--;
    });
  }
}

/** Where entries of a block stand in a task's arrays; −1: a row without tokens, which is there to be counted. */
function placesOf(rows: Float64Array, tokens: readonly [offsets: Offsets, positions: Float64Array] | null): Int32Array {
  if (tokens === null) return Int32Array.from(rows);
  const [offsets, positions] = tokens;
  return Int32Array.from(rows, (row, i) => {
    const position = f64At(positions, i);
    return Number.isNaN(position) ? -1 : i32At(offsets, row) + position;
  });
}

function copyBlock(block: Block, { outputs, answers, perRow, unitScale }: TaskColumns, places: Int32Array): void {
  const [labels, logits] = [block.lists("label"), block.lists("logits")];
  for (let i = 0; i < places.length; i++) {
    const place = i32At(places, i);
    if (place < 0) continue;
    copyList(labels, i, answers, place * listLength(labels, i));
    copyList(logits, i, outputs, place * listLength(logits, i));
  }
  if (unitScale === null) return;
  const scales = ["unit_scale", "unit_scale_y"].slice(0, perRow).map((name) => block.numbers(name));
  const frames = perRow > 2 ? block.lists("frame") : null;
  for (let i = 0; i < places.length; i++) {
    const to = i32At(places, i) * perRow;
    if (to < 0) continue;
    scales.forEach((own, k) => {
      unitScale[to + k] = f64At(own, i);
    });
    if (frames !== null && copyList(frames, i, unitScale, to + 2) === 0)
      unitScale.fill(Number.NaN, to + 2, to + perRow);
  }
}

/** How many rows a split has and, where tasks are asked per token, the tokens of each: one more than its last position. */
async function readExtent(
  parquet: ParquetFile,
  hasPositions: boolean,
): Promise<{ readonly rows: number; readonly lengths: Int32Array | null }> {
  const rows = await rowsIn(parquet);
  if (!hasPositions) return { rows, lengths: null };
  const lengths = new Int32Array(rows);
  await parquet.scan({ row: "number", position: "number" }, {}, (block) => {
    const positions = block.numbers("position");
    block.numbers("row").forEach((row, i) => {
      const position = f64At(positions, i);
      if (position >= i32At(lengths, row)) lengths[row] = position + 1;
    });
  });
  return { rows, lengths };
}

/** @param entries rows, or tokens of a task per token */
function emptyColumns(spec: FlowGraph["tasks"][number]["spec"], entries: number) {
  const behaviour = scoringOf(spec);
  const perRow = scalesPerRow(spec);
  const width = behaviour.answeredBy === "training" ? 0 : behaviour.logitWidth(spec);
  return {
    outputs: new Float32Array(entries * width),
    answers: new Float32Array(entries * answerWidth(spec)).fill(Number.NaN),
    perRow,
    unitScale: perRow > 0 ? new Float32Array(entries * perRow).fill(1) : null,
  };
}

type TaskColumns = ReturnType<typeof emptyColumns>;
