/** @file `cool blame`: whom to blame for what a user of a finished run loses, from its stored predictions. */
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { extname } from "node:path";
import { type Blame, type BlamedRow, blameSplit } from "../../analysis/blame/blame.js";
import { headline } from "../../analysis/blame/headline.js";
import { ConfigError, lineOf, StoreError, UnknownNameError, UsageError } from "../../errors.js";
import type { FlowGraph } from "../../flow/graph.js";
import { type BlameFormat, drawBlame, isBlameFormat, isBlamePicture } from "../../logging/panels/blame-panel.js";
import { type RunSummary, summarize } from "../../records/run-summary.js";
import type { RunStore } from "../../storage/run-store.js";
import type { Split } from "../../tasks/evaluation.js";
import { behaviourOf } from "../../tasks/index.js";
import { type OpenRunOptions, openStoredRun, predictedSplits, readScoredSplit, type StoredRun } from "../stored-run.js";

export interface BlameResult extends Blame {
  readonly run: RunSummary;
  readonly headline: string;
  /** Behind each number; null unless they were asked for. */
  readonly rows: readonly BlamedRow[] | null;
  /** The picture that was written. */
  readonly out: string | null;
}

export interface BlameRunOptions extends OpenRunOptions {
  /** Default: test, or what the run has instead. */
  readonly split?: Split | undefined;
  /** Path of one task. */
  readonly task?: string | undefined;
  /** Whether to list the rows behind each number. */
  readonly rows?: boolean;
  /** File for the picture, `.png` or `.svg`. */
  readonly out?: string | undefined;
  /** Whether the picture may replace any file. */
  readonly force?: boolean;
}

/**
 * @returns what is printed, and what hangs where in the run's flow
 * @throws UnknownNameError for a run or a task, UsageError where the flow has no gates or the file for
 *   the picture holds something else, StoreError where the run has no
 *   predictions
 */
export async function blameRun(
  store: RunStore,
  reference: string,
  options: BlameRunOptions = {},
): Promise<{ readonly result: BlameResult; readonly nodes: FlowGraph["tasks"] }> {
  const format = options.out === undefined ? null : formatOf(options.out);
  if (options.out !== undefined && options.force !== true) refuseOther(options.out);
  const stored = await openStoredRun(store, reference, options);
  assertBlamable(stored.graph, stored, options.task);
  const scored = await readScoredSplit(stored, options.split ?? defaultSplit(stored));
  const rows: BlamedRow[] = [];
  const blame = blameSplit(stored.graph, scored, {
    tolerance: stored.config.settings.evaluate.tolerance,
    task: options.task,
    ...(options.rows === true ? { onRow: (row: BlamedRow) => rows.push(row) } : {}),
  });
  const said = headline(blame);
  if (options.out !== undefined && format !== null) {
    writePicture(options.out, await drawBlame(stored.graph, blame, said, format));
  }
  const result = {
    run: summarize(stored.run, stored.dir),
    headline: said,
    ...blame,
    rows: options.rows === true ? rows : null,
    out: options.out ?? null,
  };
  return { result, nodes: stored.graph.tasks };
}

function formatOf(file: string): BlameFormat {
  const format = extname(file).slice(1).toLowerCase();
  if (isBlameFormat(format)) return format;
  throw new UsageError(`${file} has no ending that names a picture. Use .png or .svg.`, { file });
}

/** @throws UsageError where the file is there and is not an earlier picture of the same kind */
function refuseOther(file: string): void {
  if (!existsSync(file) || (statSync(file).isFile() && isBlamePicture(readFileSync(file)))) return;
  throw new UsageError(
    `${file} is there already, and is no picture of cool blame. Name another file with --out, or replace it with --force.`,
    { file },
  );
}

function writePicture(file: string, bytes: Buffer): void {
  try {
    writeFileSync(file, bytes);
  } catch (error) {
    throw new UsageError(`${file} cannot be written: ${lineOf(error)}. Choose another place.`, { file });
  }
}

function defaultSplit({ run, dir }: StoredRun): Split {
  const there = predictedSplits(dir);
  const split = (["test", "valid", "train"] as const).find((one) => there.includes(one));
  if (split !== undefined) return split;
  throw new StoreError(
    `Run ${run.id} (${run.name}) has no predictions: there is nothing to blame anybody for. Train again with a valid or test part in data.split.`,
    { run: run.id },
  );
}

function assertBlamable({ tasks }: FlowGraph, { run }: StoredRun, task: string | undefined): void {
  const judged = tasks.filter(({ spec }) => {
    const { answeredBy, endToEnd } = behaviourOf(spec);
    return answeredBy === "network" && endToEnd !== null;
  });
  if (task !== undefined && !judged.some(({ path }) => path === task)) {
    const known = judged.map(({ path }) => path);
    if (!tasks.some(({ path }) => path === task)) {
      throw new UnknownNameError("task", task, known, "the run's flow", { exitCode: 2 });
    }
    throw new ConfigError(
      `Of the task "${task}" nobody knows which answers are right: it cannot be judged end to end.`,
      {
        task,
      },
    );
  }
  if (tasks.every(({ precondition }) => precondition === null)) {
    throw new UsageError(
      `The flow of run ${run.id} (${run.name}) has no gates: every question is always asked, so nothing is lost but each task's own errors. cool evaluate shows them.`,
      { run: run.id },
    );
  }
}
