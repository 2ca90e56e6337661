/** @file `cool predict`: a finished run's answers to unlabelled inputs, as a table. */
import { type Cell, type TableColumn, tableFormat, writeTable } from "../data/tables/table-writer.js";
import { axisOf, type FlowGraph, type TaskNode, type TaskSpec } from "../flow/graph.js";
import { behaviourOf } from "../tasks/index.js";
import type { Answer } from "./answers.js";
import type { LoadedRun, Prediction } from "./load-run.js";
import type { PredictOptions } from "./open-inputs.js";

export interface PredictResult {
  readonly run: string;
  readonly rows: number;
  /** File that holds the answers; null where they are in `predictions`. */
  readonly out: string | null;
  readonly skipped: number;
  readonly predictions?: readonly Prediction[];
}

/** @param out file to write (.parquet, .csv, .jsonl); without it the answers are returned */
export async function predictRun(
  run: LoadedRun,
  inputs: readonly string[],
  options: PredictOptions & { readonly out?: string | undefined } = {},
): Promise<PredictResult> {
  const { out } = options;
  // a wrong ending is found before the work, not after
  if (out !== undefined) tableFormat(out);
  const { predictions, skipped } = await run.predictWithSkipped(inputs, options);
  const summary = { run: run.id, rows: predictions.length, skipped: skipped.length };
  if (out === undefined) return { ...summary, out: null, predictions };
  await writeTable(out, predictionColumns(run.graph), tableRows(run.graph, predictions));
  return { ...summary, out };
}

/** One column per answer, and one per probability behind it: `path`, `path/score` or `path/label`. */
function predictionColumns(graph: FlowGraph): TableColumn[] {
  const columns = answeredTasks(graph).flatMap(({ path, spec }): TableColumn[] => [
    { name: path, type: answerType(spec) },
    ...scoreNames(spec).map((name): TableColumn => ({ name: `${path}/${name}`, type: "FLOAT" })),
  ]);
  return [{ name: "input", type: "VARCHAR" }, ...columns];
}

/** Masked tokens are guessed in training alone. */
function answeredTasks({ tasks }: FlowGraph): readonly TaskNode[] {
  return tasks.filter(({ spec }) => behaviourOf(spec).answeredBy !== "training");
}

const COLUMN_TYPES = { truth: "BOOLEAN", number: "FLOAT", numbers: "FLOAT[]", text: "VARCHAR" } as const;

function answerType(spec: TaskSpec): TableColumn["type"] {
  // a list as JSON
  if (axisOf(spec) === "token") return "VARCHAR";
  return COLUMN_TYPES[behaviourOf(spec).answerType(spec)];
}

function scoreNames(spec: TaskSpec): readonly string[] {
  return axisOf(spec) === "token" ? [] : behaviourOf(spec).scoreNames(spec);
}

/** A described answer as a cell of its column. */
function answerCell(spec: TaskSpec, answer: Answer["decoded"]): Cell {
  if (answer === null) return null;
  if (axisOf(spec) === "token") return JSON.stringify(answer);
  const type = behaviourOf(spec).answerType(spec);
  if (typeof answer !== "object") return type === "text" ? String(answer) : answer;
  return type === "numbers" ? answer.map(Number) : answer.join(",") || "none";
}

function* tableRows(graph: FlowGraph, predictions: readonly Prediction[]): Generator<Cell[]> {
  for (const { input, answers } of predictions) {
    const cells = answeredTasks(graph).flatMap(({ path, spec }): Cell[] => {
      const answer = answers[path];
      const names = scoreNames(spec);
      // a question that was not asked has no answer
      if (answer === undefined) return [null, ...names.map(() => null)];
      const { decoded, activated } = answer;
      return [answerCell(spec, decoded), ...names.map((_, i) => activated[i] ?? null)];
    });
    yield [input, ...cells];
  }
}
