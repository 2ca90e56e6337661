/** @file `cool predict`: a finished run's answers to unlabelled inputs, as a table. */
import { statSync } from "node:fs";
import { resolve } from "node:path";
import { quoted } from "../data/tables/sql.js";
import { InterruptedError, UsageError } from "../errors.js";
import type { ScoredSplit, ScoredTask } from "../analysis/score.js";
import { type Cell, type TableColumn, tableFormat, writeTable } from "../data/tables/table-writer.js";
import { refuseInputs } from "../data/tables/read-files.js";
import { at, f32At } from "../arrays.js";
import { answerProbabilities } from "../analysis/probability/answer-probabilities.js";
import { isPerElement, isPerPixel, type FlowGraph, taskAt, type TaskNode, type TaskSpec } from "../flow/graph.js";
import { areasOf, pixelsOf, regionsOf } from "../decoding/areas.js";
import { hasMasks, type MaskFiles, writeMasks } from "./pixels/predicted-masks.js";
import { answerSpaceOf } from "../tasks/answer-space.js";
import { behaviourOf } from "../tasks/index.js";
import { type Answer, answersOf } from "./answers.js";
import { NO_SETS, type SetColumns, setColumns } from "./sets/set-columns.js";
import type { LoadedRun, Prediction } from "./load-run.js";
import type { PredictOptions } from "./open-inputs.js";
import { nanInputs } from "./suppose/answer-warnings.js";

export interface PredictResult {
  readonly run: string;
  readonly rows: number;
  /** File that holds the answers; null where they are in `predictions`. */
  readonly out: string | null;
  readonly skipped: number;
  readonly predictions?: readonly Prediction[];
  /** Answers that are NaN, and what the guarantee of a coverage does not reach; missing where there is nothing to say. */
  readonly warnings?: readonly string[];
}

/**
 * @param out file to write (.parquet, .csv, .jsonl), none of the inputs or of the run's tables, and with `force` alone
 *   one that is something else than earlier answers; without it the answers are returned
 */
export async function predictRun(
  run: LoadedRun,
  inputs: readonly string[],
  options: PredictOptions & { readonly out?: string | undefined; readonly force?: boolean | undefined } = {},
): Promise<PredictResult> {
  const { out } = options;
  // a wrong name is found before the work, not after
  if (out !== undefined) {
    tableFormat(out);
    await refuseInputs(out, inputs, run.tables);
    if (options.force !== true) await refuseOthers(out, predictionColumns(run.graph), options.signal);
  }
  if (out === undefined) {
    const { predictions, skipped, warnings } = await run.predictWithSkipped(inputs, options);
    const { length: rows } = predictions;
    const said = await warningsOf(run, options, warnings);
    return { run: run.id, rows, out: null, skipped: skipped.length, predictions, ...said };
  }
  const { scored, sets, skipped } = await run.score(inputs, options);
  const beside = sets === null ? NO_SETS : setColumns(run.graph, sets);
  const columns = [...predictionColumns(run.graph), ...beside.columns];
  const maskOf = await writeMasks(out, scored, options.signal);
  await writeTable(out, columns, tableRows(run.graph, scored, beside, maskOf), options.signal);
  const said = await warningsOf(run, options, nanInputs(run.graph, scored));
  return { run: run.id, rows: scored.ids.length, out, skipped: skipped.length, ...said };
}

/** @throws UsageError where the file is there, and is no earlier table of answers */
async function refuseOthers(out: string, own: readonly TableColumn[], signal: AbortSignal | undefined): Promise<void> {
  const size = statSync(out, { throwIfNoEntry: false })?.size ?? 0;
  if (size === 0) return;
  const found = await columnsIn(out, signal);
  const isEarlier = found[0] === "input" && own.some(({ name }, i) => i > 0 && found.includes(name));
  if (isEarlier) return;
  throw new UsageError(
    `${out} is there already, and is no table of this run's answers that cool predict has written. Name another file with --out, or write over it with --force.`,
    { out },
  );
}

/** Columns of a table; none of what is no table. */
async function columnsIn(file: string, signal: AbortSignal | undefined): Promise<string[]> {
  const { literalPath, withDuckDB } = await import("../data/tables/duckdb.js");
  try {
    return await withDuckDB(async (connection) => {
      const result = await connection.runAndReadAll(`SELECT * FROM ${quoted(literalPath(resolve(file)))} LIMIT 0`);
      return result.columnNames();
    }, signal);
  } catch (error) {
    if (error instanceof InterruptedError) throw error;
    return [];
  }
}

async function warningsOf(
  run: LoadedRun,
  { coverage }: PredictOptions,
  ofAnswers: readonly string[],
): Promise<Pick<PredictResult, "warnings">> {
  if (coverage === undefined) return ofAnswers.length === 0 ? {} : { warnings: ofAnswers };
  return { warnings: [...ofAnswers, ...(await run.coverageWarnings(coverage))] };
}

/**
 * One column per answer, one per score behind it (of a task per pixel the file of its mask, and the part of the picture
 * that each region takes), and its probabilities: `path`, `path/score` or `path/label`,
 * `path/asked_probability`, `path/joint_probability`.
 */
function predictionColumns(graph: FlowGraph): TableColumn[] {
  const columns = answeredTasks(graph).flatMap(({ path, spec }): TableColumn[] => [
    { name: path, type: answerType(spec) },
    ...scoreNames(spec).map((name): TableColumn => ({ name: `${path}/${name}`, type: "FLOAT" })),
    ...probabilityNames(graph, path).map((name): TableColumn => ({ name: `${path}/${name}`, type: "FLOAT" })),
  ]);
  return [{ name: "input", type: "VARCHAR" }, ...columns];
}

/** Masked tokens are guessed in training alone. */
function answeredTasks({ tasks }: FlowGraph): readonly TaskNode[] {
  return tasks.filter(({ spec }) => behaviourOf(spec).answeredBy !== "training");
}

const COLUMN_TYPES = { truth: "BOOLEAN", number: "FLOAT", numbers: "FLOAT[]", text: "VARCHAR" } as const;

function answerType(spec: TaskSpec): TableColumn["type"] {
  if (isPerPixel(spec)) return hasMasks(spec) ? "VARCHAR" : "FLOAT";
  // a list as JSON
  if (isPerElement(spec)) return "VARCHAR";
  return COLUMN_TYPES[behaviourOf(spec).answerType(spec)];
}

function scoreNames(spec: TaskSpec): readonly string[] {
  if (isPerPixel(spec)) return hasMasks(spec) ? regionsOf(spec).map((name) => name ?? "area") : [];
  return isPerElement(spec) ? [] : behaviourOf(spec).scoreNames(spec);
}

/** Of tasks that are answered row by row: that they are asked where that is not certain, and the joint probability. */
function probabilityNames(graph: FlowGraph, path: string): ("asked_probability" | "joint_probability")[] {
  const { spec, precondition } = taskAt(graph, path);
  if (isPerElement(spec)) return [];
  const form = answerSpaceOf<TaskSpec>(spec)?.form ?? "numbers";
  return [
    ...(precondition === null ? [] : (["asked_probability"] as const)),
    ...(form === "numbers" ? [] : (["joint_probability"] as const)),
  ];
}

/** A described answer as a cell of its column. */
function answerCell(spec: TaskSpec, answer: Answer["decoded"]): Cell {
  if (answer === null) return null;
  if (isPerElement(spec)) return JSON.stringify(answer);
  const type = behaviourOf(spec).answerType(spec);
  if (typeof answer !== "object") return type === "text" ? String(answer) : answer;
  return type === "numbers" ? answer.map(Number) : answer.join(",") || "none";
}

/** The file of the mask, or the mean of numbers, and the part of the picture that each region takes. */
function pictureCells(
  { task: { spec }, decoded, activePredicted }: ScoredTask,
  mask: string | null,
  row: number,
): Cell[] {
  const pixels = pixelsOf(spec);
  const isAsked = activePredicted.subarray(row * pixels, (row + 1) * pixels).includes(1);
  const areas = isAsked ? Array.from(areasOf(spec, decoded, activePredicted, row)) : scoreNames(spec).map(() => null);
  return hasMasks(spec) ? [mask, ...areas] : [areas[0] ?? null];
}

/** Row by row as it is written: the answers of all rows in words take many times the memory of their numbers. */
function* tableRows(graph: FlowGraph, scored: ScoredSplit, beside: SetColumns, maskOf: MaskFiles): Generator<Cell[]> {
  const tasks = answeredTasks(graph);
  const probabilities = answerProbabilities(graph, scored);
  for (const [row, input] of scored.ids.entries()) {
    const answers = answersOf(graph, scored, row, probabilities);
    const cells = tasks.flatMap((task): Cell[] => {
      const { path, spec } = task;
      if (isPerPixel(spec)) return pictureCells(at(scored.tasks, task.index), maskOf(path, row), row);
      const answer = answers[path];
      const names = scoreNames(spec);
      const likely = probabilityNames(graph, path).map((name): Cell => {
        // a question that is not asked has an asked probability all the same
        if (name === "asked_probability") return f32At(at(probabilities.asked, task.index), row);
        const joint = answer?.joint_probability;
        return typeof joint === "number" ? joint : null;
      });
      // a question that was not asked has no answer
      if (answer === undefined) return [null, ...names.map(() => null), ...likely];
      const { decoded, activated } = answer;
      const isNan = decoded === null && activated.some(Number.isNaN) && answerType(spec) === "FLOAT";
      return [isNan ? Number.NaN : answerCell(spec, decoded), ...names.map((_, i) => activated[i] ?? null), ...likely];
    });
    yield [input, ...cells, ...beside.cells(row)];
  }
}
