/** @file Predictions of a run as Parquet: one row per sample (or token) and task, enough to evaluate and tune again. */
import { at, f32At, i32At } from "../arrays.js";
import type { ScoredSplit, ScoredTask, SplitOutputs } from "../analysis/score.js";
import { scalesPerRow } from "../data/labels/unit-scale.js";
import { type Cell, scanParquet, type TableColumn, writeTable } from "../data/tables/table-writer.js";
import { axisOf, type FlowGraph, hasTokenTasks } from "../flow/graph.js";
import { answerWidth, neededOffsets, offsetsOf, tokensIn } from "../flow/masks.js";
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
  // predictions of earlier versions have no such columns, and no tasks that need them
  const optional = [
    ...(hasTokenTasks(graph) ? ["position"] : []),
    ...(graph.tasks.some(({ spec }) => scalesPerRow(spec) > 1) ? ["unit_scale_y"] : []),
    ...(graph.tasks.some(({ spec }) => scalesPerRow(spec) > 2) ? ["frame"] : []),
  ];
  const extent = await readExtent(file, optional.includes("position"));
  const { rows } = extent;
  const offsets = extent.lengths === null ? null : offsetsOf(extent.lengths);
  const ids = new Array<string>(rows);
  const byPath = new Map(
    graph.tasks.map(({ path, spec }) => {
      const perToken = offsets !== null && axisOf(spec) === "token" ? offsets : null;
      return [path, { ...emptyColumns(spec, perToken === null ? rows : tokensIn(perToken)), perToken }] as const;
    }),
  );
  await scanParquet(file, ['"row"', "sample", "task_path", "label", "logits", "unit_scale", ...optional], (chunk) => {
    const [rowNumbers, samples, paths, labels, logits, scales, ...more] = chunk as StoredColumns;
    const numbersOf = (name: string) => more[optional.indexOf(name)] as (number | null)[] | undefined;
    const [positions, scalesY] = [numbersOf("position"), numbersOf("unit_scale_y")];
    const frames = more[optional.indexOf("frame")] as (readonly number[] | null)[] | undefined;
    for (let i = 0; i < rowNumbers.length; i++) {
      const row = at(rowNumbers, i);
      const columns = byPath.get(at(paths, i));
      if (columns === undefined) continue;
      ids[row] ??= at(samples, i);
      const position = positions?.[i] ?? null;
      // a row without tokens stands there to be counted
      if (columns.perToken !== null && position === null) continue;
      const index = columns.perToken === null ? row : i32At(columns.perToken, row) + (position as number);
      copyInto(columns.outputs, index, at(logits, i));
      copyInto(columns.answers, index, labels[i] ?? []);
      copyScales(columns.unitScale, index, columns.perRow, [
        at(scales, i),
        scalesY?.[i] ?? Number.NaN,
        ...(frames?.[i] ?? []),
      ]);
    }
  });
  const columns = graph.tasks.map((task) => byPath.get(task.path) as ReturnType<typeof emptyColumns>);
  return {
    split,
    ids,
    offsets,
    outputs: columns.map((column) => column.outputs),
    labels: columns.map(({ answers, unitScale }): Labels => ({ answers, unitScale })),
  };
}

type StoredColumns = [
  rows: number[],
  samples: string[],
  paths: string[],
  labels: (readonly (number | null)[] | null)[],
  logits: number[][],
  scales: number[],
  ...optional: (number | readonly number[] | null)[][],
];

/** How many rows a split has and, where tasks are asked per token, the tokens of each: one more than its last position. */
async function readExtent(
  file: string,
  hasPositions: boolean,
): Promise<{ readonly rows: number; readonly lengths: Int32Array | null }> {
  const lengths: number[] = [];
  await scanParquet(file, ['"row"', ...(hasPositions ? ["position"] : [])], (chunk) => {
    const [rowNumbers = [], positions = []] = chunk as (number | null)[][];
    rowNumbers.forEach((row, i) => {
      if (row !== null) lengths[row] = Math.max(lengths[row] ?? 0, (positions[i] ?? -1) + 1);
    });
  });
  return { rows: lengths.length, lengths: hasPositions ? Int32Array.from(lengths, (length) => length ?? 0) : null };
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

function copyScales(target: UnitScale, index: number, perRow: number, scales: readonly number[]): void {
  for (let i = 0; target !== null && i < perRow; i++) target[index * perRow + i] = at(scales, i);
}

function copyInto(target: Float32Array, index: number, values: readonly (number | null)[]): void {
  values.forEach((value, i) => {
    target[index * values.length + i] = value ?? Number.NaN;
  });
}
