/** @file Predictions of a run as Parquet: one row per sample and task, enough to evaluate and tune again. */
import type { ScoredSplit, SplitOutputs } from "../analysis/score.js";
import { type Cell, readParquet, type TableColumn, writeTable } from "../data/table-writer.js";
import type { FlowGraph } from "../flow/graph.js";
import { answerWidth } from "../flow/masks.js";
import type { Split } from "../tasks/evaluation.js";
import { behaviourOf, type Labels } from "../tasks/index.js";

const COLUMNS: readonly TableColumn[] = [
  { name: "row", type: "INTEGER" },
  { name: "sample", type: "VARCHAR" },
  { name: "task_path", type: "VARCHAR" },
  /** Answer in numbers: 0/1, class index, 0/1 per label, number; NULL where missing. */
  { name: "label", type: "FLOAT[]" },
  { name: "label_text", type: "VARCHAR" },
  { name: "logits", type: "FLOAT[]" },
  { name: "activated", type: "FLOAT[]" },
  { name: "decoded", type: "FLOAT[]" },
  { name: "decoded_text", type: "VARCHAR" },
  { name: "loss", type: "FLOAT" },
  { name: "active_by_truth", type: "BOOLEAN" },
  { name: "active_by_prediction", type: "BOOLEAN" },
  /** Label units per unit of the task's [min, max]; 1 where the task is not scaled by the image. */
  { name: "unit_scale", type: "FLOAT" },
];

/** Writes one split. */
export async function writePredictions(file: string, scored: ScoredSplit): Promise<void> {
  await writeTable(file, COLUMNS, predictionRows(scored));
}

function* predictionRows(scored: ScoredSplit): Generator<Cell[]> {
  for (const answer of scored.tasks) {
    const { task, labels, logits, activated, decoded, perSampleLoss } = answer;
    const behaviour = behaviourOf(task.spec);
    const [width, answers] = [behaviour.logitWidth(task.spec), answerWidth(task.spec)];
    for (let row = 0; row < scored.ids.length; row++) {
      yield [
        row,
        scored.ids[row] as string,
        task.path,
        answer.labelled[row] === 1 ? cells(labels.answers, row, answers) : null,
        text(behaviour.describe(task.spec, labels.answers, row)),
        cells(logits, row, width),
        cells(activated, row, width),
        cells(decoded, row, answers),
        text(behaviour.describe(task.spec, decoded, row)),
        nullIfNaN(perSampleLoss[row] as number),
        answer.activeTruth[row] === 1,
        answer.activePredicted[row] === 1,
        labels.unitScale === null ? 1 : (labels.unitScale[row] as number),
      ];
    }
  }
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
  const [rowNumbers, samples, paths, labels, logits, scales] = (await readParquet(
    file,
    ["row", "sample", "task_path", "label", "logits", "unit_scale"],
    '"row"',
  )) as [number[], string[], string[], (readonly (number | null)[] | null)[], number[][], number[]];
  const rows = rowNumbers.length / Math.max(1, graph.tasks.length);
  const ids = new Array<string>(rows);
  const byPath = new Map(graph.tasks.map((task) => [task.path, emptyColumns(task.spec, rows)]));
  for (let i = 0; i < rowNumbers.length; i++) {
    const row = rowNumbers[i] as number;
    const columns = byPath.get(paths[i] as string);
    if (columns === undefined) continue;
    ids[row] = samples[i] as string;
    copyInto(columns.logits, row, logits[i] as number[]);
    copyInto(columns.answers, row, labels[i] ?? []);
    if (columns.unitScale !== null) columns.unitScale[row] = scales[i] as number;
  }
  const columns = graph.tasks.map((task) => byPath.get(task.path) as ReturnType<typeof emptyColumns>);
  return {
    split,
    ids,
    logits: columns.map((column) => column.logits),
    labels: columns.map(({ answers, unitScale }): Labels => ({ answers, unitScale })),
  };
}

function emptyColumns(spec: FlowGraph["tasks"][number]["spec"], rows: number) {
  const scaled = spec.kind === "boundedRegression" && spec.scale !== null;
  return {
    logits: new Float32Array(rows * behaviourOf(spec).logitWidth(spec)),
    answers: new Float32Array(rows * answerWidth(spec)).fill(Number.NaN),
    unitScale: scaled ? new Float32Array(rows).fill(1) : null,
  };
}

function copyInto(target: Float32Array, row: number, values: readonly (number | null)[]): void {
  values.forEach((value, i) => {
    target[row * values.length + i] = value ?? Number.NaN;
  });
}
