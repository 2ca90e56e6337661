/** @file Predictions of a run as Parquet: one row per sample (or token) and task, enough to evaluate and tune again. */
import { at, f32At, f64At, i32At } from "../arrays.js";
import type { ScoredSplit, ScoredTask, SplitOutputs } from "../analysis/score.js";
import { scalesPerRow } from "../data/labels/unit-scale.js";
import { type Block, copyList, listLength, type ParquetFile, withParquet } from "../data/tables/parquet-blocks.js";
import { type Cell, type TableColumn, writeTable } from "../data/tables/table-writer.js";
import { axisOf, type FlowGraph, hasTokenTasks } from "../flow/graph.js";
import { answerWidth, neededOffsets, type Offsets, offsetsOf, tokensIn } from "../flow/masks.js";
import type { Split } from "../tasks/evaluation.js";
import { behaviourOf, type Labels, scoringNumbers, scoringOf } from "../tasks/index.js";
import type { UnitScale } from "../decoding/decoders.js";

const COLUMNS: readonly TableColumn[] = [
  { name: "row", type: "INTEGER" },
  { name: "sample", type: "VARCHAR" },
  /** Index of the token in its row, from 0; NULL for tasks that are asked once per row, and for a row without tokens. */
  { name: "position", type: "INTEGER" },
  { name: "task_path", type: "VARCHAR" },
  /** Answer in numbers: 0/1, class index, 0/1 per label, number; NULL where missing. */
  { name: "label", type: "FLOAT[]" },
  { name: "label_text", type: "VARCHAR" },
  /** Of a task per token with very many classes, as activated: the summary that it is scored by. */
  { name: "logits", type: "FLOAT[]" },
  { name: "activated", type: "FLOAT[]" },
  { name: "decoded", type: "FLOAT[]" },
  { name: "decoded_text", type: "VARCHAR" },
  { name: "loss", type: "FLOAT" },
  { name: "active_by_truth", type: "BOOLEAN" },
  { name: "active_by_prediction", type: "BOOLEAN" },
  /** Label units per unit of the task's [min, max]; 1 where the task is not scaled by the image. */
  { name: "unit_scale", type: "FLOAT" },
  /** The same along the image's height, of tasks that are scaled by both sides; else NULL. */
  { name: "unit_scale_y", type: "FLOAT" },
  /** Left, top, width and height of what the network sees, in fractions of the picture, for boxes and points; else NULL. */
  { name: "frame", type: "FLOAT[]" },
];

/** Writes one split. */
export async function writePredictions(file: string, scored: ScoredSplit, signal?: AbortSignal): Promise<void> {
  await writeTable(file, COLUMNS, predictionRows(scored), signal);
}

function* predictionRows(scored: ScoredSplit): Generator<Cell[]> {
  for (const answer of scored.tasks) {
    const { spec } = answer.task;
    // masked tokens are guessed in training alone
    if (behaviourOf(spec).answeredBy === "training") continue;
    const perToken = axisOf(spec) === "token" ? neededOffsets(scored.offsets) : null;
    for (let row = 0; row < scored.ids.length; row++) {
      const names = [row, at(scored.ids, row)] as const;
      if (perToken === null) {
        yield [...names, null, answer.task.path, ...answerCells(answer, row)];
        continue;
      }
      const [from, to] = [i32At(perToken, row), i32At(perToken, row + 1)];
      if (from === to) yield [...names, null, answer.task.path, ...COLUMNS.slice(4).map(() => null)];
      for (let token = from; token < to; token++) {
        yield [...names, token - from, answer.task.path, ...answerCells(answer, token)];
      }
    }
  }
}

/** Everything about one entry of a task's arrays, but what it is called. */
function answerCells(answer: ScoredTask, index: number): Cell[] {
  const { task, labels, kept, decoded, perSampleLoss } = answer;
  const { logits, activated } = scoringNumbers(kept);
  const behaviour = scoringOf(task.spec);
  const [width, answers] = [behaviour.logitWidth(task.spec), answerWidth(task.spec)];
  return [
    answer.labelled[index] === 1 ? cells(labels.answers, index, answers) : null,
    text(behaviour.describe(task.spec, labels.answers, index)),
    cells(logits, index, width),
    cells(activated, index, width),
    cells(decoded, index, answers),
    text(behaviour.describe(task.spec, decoded, index)),
    nullIfNaN(f32At(perSampleLoss, index)),
    answer.activeTruth[index] === 1,
    answer.activePredicted[index] === 1,
    ...scaleCells(labels.unitScale, index, scalesPerRow(task.spec)),
  ];
}

function scaleCells(unitScale: UnitScale, index: number, perRow: number): [Cell, Cell, Cell] {
  if (unitScale === null) return [1, null, null];
  const [first = 1, second = null, ...frame] = unitScale.subarray(index * perRow, (index + 1) * perRow);
  return [first, second, frame.length === 0 ? null : frame];
}

function cells(values: Float32Array, row: number, width: number): (number | null)[] {
  return Array.from(values.subarray(row * width, (row + 1) * width), nullIfNaN);
}

function nullIfNaN(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}

function text(described: unknown): string | null {
  if (described === null || described === undefined) return null;
  return typeof described === "string" ? described : JSON.stringify(described);
}

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
  const offsets = lengths === null ? null : offsetsOf(lengths);
  const names = new RowNames(rows);
  const columns: TaskColumns[] = [];
  // one task after the other: its rows lie together, and it needs but a few columns
  for (const { path, spec } of graph.tasks) {
    const perToken = axisOf(spec) === "token" ? neededOffsets(offsets) : null;
    const own = emptyColumns(spec, perToken === null ? rows : tokensIn(perToken));
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
