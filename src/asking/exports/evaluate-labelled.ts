/** @file `cool evaluate --table`: a run or an export on a labelled table, with slices by its columns. */
import { dirname, join, resolve } from "node:path";
import type { ContractCount } from "../../analysis/contracts/count-contracts.js";
import { exportedTokenizer } from "../../data/tokenizers/stored-tokenizer.js";
import { isQuery } from "../../data/tables/sql.js";
import { UsageError } from "../../errors.js";
import { type RunSummary, summarize } from "../../records/run-summary.js";
import type { EvaluatedGates, EvaluationRow } from "../../tasks/evaluation.js";
import { type EvaluatedRun, type EvaluatedTable, evaluateTable } from "../evaluate-table.js";
import { loadRun, type ScoreOptions } from "../load-run.js";
import { type SlicedRun, sliceScored } from "../slices/slice-run.js";
import type { OpenRunOptions } from "../stored-run.js";
import { type FoundExport, openExport } from "./open-export.js";

/** What `cool evaluate --table --json` prints. */
export interface LabelledResult {
  /** Of an export the place of the run. */
  readonly export?: {
    readonly path: string;
    readonly format: string;
    readonly run: FoundExport["document"]["run"];
    /** Where it is written with branches, which true gates cannot be evaluated with. */
    readonly gates?: "if";
  };
  readonly run?: RunSummary;
  readonly table: string;
  /** What its rows are called: their value in the column of the run's split where all have one, else `table`. */
  readonly rows_of: string;
  /** Rows that were answered, and those that were left out because of their pictures. */
  readonly rows: number;
  readonly skipped: number;
  /** What the numbers leave out, and why. */
  readonly notes: readonly string[];
  readonly evaluation: readonly EvaluationRow[];
  readonly contracts?: readonly ContractCount[];
  readonly slices?: SlicedRun;
}

export interface LabelledOptions extends OpenRunOptions, Omit<ScoreOptions, "coverage" | "given"> {
  /** Default: all kinds. */
  readonly gates?: EvaluatedGates | undefined;
  /** Columns that cut together, several times. */
  readonly by?: readonly (readonly string[])[] | undefined;
  /** Slices to find; default: none. */
  readonly worst?: number | undefined;
}

/**
 * @param table a file, relative to the working folder, or a SQL query
 * @throws UsageError for true gates of an export with branches
 */
export async function evaluateExport(
  found: FoundExport,
  table: string,
  options: LabelledOptions = {},
): Promise<LabelledResult> {
  const { path, format, document } = found;
  const hasBranches = document.gates === "if";
  if (hasBranches && options.gates === "truth") {
    throw new UsageError(
      `${path} is exported with --gates if: a question that the model does not ask has no answer, so that true gates cannot be evaluated. Use --gates predicted or end_to_end, or export the run with --gates tensors.`,
      { export: path },
    );
  }
  const opened = await openExport(found, options);
  try {
    const evaluated = await evaluateTable(opened.asked, opened.answerer, placed(table), {
      ...options,
      cacheDir: undefined,
      stored: {
        fileOf: (input) => join(folderOf(found), exportedTokenizer(input)),
        packagesDir: opened.asked.project?.dir ?? process.cwd(),
      },
    });
    const { run, gates } = document;
    const result = resultOf(opened.asked, evaluated, table, options, hasBranches ? "predicted" : "truth");
    return {
      export: { path, format, run, ...(gates === undefined ? {} : { gates }) },
      ...(hasBranches ? withoutTruth(result) : result),
    };
  } finally {
    await opened.close();
  }
}

/** Where what goes with its model lies. */
function folderOf({ path, format, model }: FoundExport): string {
  return format === "onnx" && path === model ? dirname(path) : path;
}

/** @param storeDir folder of the run store */
export async function evaluateRunOn(
  storeDir: string,
  reference: string,
  table: string,
  options: LabelledOptions = {},
): Promise<LabelledResult> {
  const run = await loadRun(storeDir, reference, options);
  try {
    const evaluated = await run.evaluateTable(placed(table), options);
    return { run: summarize(run.run, run.dir), ...resultOf(run.evaluated, evaluated, table, options) };
  } finally {
    run.close();
  }
}

/** Logits of what is not asked are 0 where a branch has not run: no answers, with which labels could be compared. */
function withoutTruth<R extends Pick<LabelledResult, "evaluation" | "notes">>(result: R): R {
  return {
    ...result,
    notes: [
      ...result.notes,
      "exported with --gates if: a question that the model does not ask has no answer, so that true gates are left out",
    ],
    evaluation: result.evaluation.filter(({ gates }) => gates !== "truth"),
  };
}

/** Where whoever typed it means it. */
function placed(table: string): string {
  return isQuery(table) ? table : resolve(table);
}

function rowsOf({ config }: EvaluatedRun, columns: EvaluatedTable["columns"]): string {
  const { split } = config.settings.data;
  const column = "column" in split ? columns.find(({ name }) => name === split.column) : undefined;
  if (column?.kind !== "text" || column.codes.includes(-1)) return "table";
  const [only = "table", ...more] = column.values;
  return more.length === 0 ? only : "table";
}

function resultOf(
  asked: EvaluatedRun,
  { evaluation, contracts, scored, columns, skipped, notes }: EvaluatedTable,
  table: string,
  { gates, by = [], worst, metrics }: LabelledOptions,
  sliced: EvaluatedGates = "truth",
): Omit<LabelledResult, "run" | "export"> {
  const isSliced = by.length > 0 || worst !== undefined;
  const slices = isSliced
    ? sliceScored(asked, scored, columns, { split: "test", gates: gates ?? sliced, by, worst, metrics })
    : null;
  return {
    ...{ table, rows_of: rowsOf(asked, columns), rows: scored.ids.length, skipped: skipped.length, notes },
    evaluation: evaluation.filter((row) => gates === undefined || row.gates === gates),
    ...(contracts.length === 0 ? {} : { contracts }),
    ...(slices === null ? {} : { slices }),
  };
}
