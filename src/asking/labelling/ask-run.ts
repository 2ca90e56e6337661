/** @file `cool ask`: which empty cells of a run's tables to label next. */
import { refusePixels } from "../pixels/per-pixel.js";
import { mkdirSync, writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { at } from "../../arrays.js";
import { taskNeeds } from "../../analysis/labelling/gains.js";
import { rankCells, type RankedCell } from "../../analysis/labelling/rank.js";
import { type ScoredSplit, scoreSplit } from "../../analysis/score.js";
import { tableFormat, writeTable } from "../../data/tables/table-writer.js";
import { ConfigError, lineOf, StoreError } from "../../errors.js";
import type { FlowGraph } from "../../flow/graph.js";
import { printCondition } from "../../flow/print.js";
import { refuseExisting } from "../../platform/written-files.js";
import { openRunStore, type RunStore } from "../../storage/run-store.js";
import { behaviourOf, type Described } from "../../tasks/index.js";
import { openRunOrFold } from "../audit/apply-run.js";
import { type AppliedCorrections, applyCorrections } from "../audit/correction-table.js";
import { answerCells } from "../audit/cell-writer.js";
import { heldOutAnswers } from "../audit/held-out.js";
import {
  cellText,
  labelColumnsAt,
  type LabelTable,
  placeOfRow,
  readableCells,
  readLabelTable,
  type RowPlace,
} from "../audit/label-table.js";
import { loadRun } from "../load-run.js";
import type { PredictOptions } from "../open-inputs.js";
import type { OpenRunOptions, StoredRun } from "../stored-run.js";
import { labelSeconds } from "./costs.js";
import { PASS_FILES, passFolder, refuseOtherPasses, removePasses } from "./stale-passes.js";
import { studioPasses } from "./studio-config.js";
import { readStudioExport } from "./studio-export.js";
import { studioTasks } from "./studio-tasks.js";

/** A cell to label. */
export interface AskedCell extends RowPlace {
  readonly sample: string;
  readonly task_path: string;
  /** Cells of one number are worth asking together: a gate with what it opens. */
  readonly bundle: number;
  /** Probability that the question is asked at all. */
  readonly asked: number;
  /** When it is, as far as the labels do not say; null: it surely is. */
  readonly given: string | null;
  /** What the network says. */
  readonly predicted: Described;
  /** Expected: what is not asked in the end brings nothing and takes no time. */
  readonly gain: number;
  readonly seconds: number;
}

/** How many cells of one task are asked for, and why. */
export interface AskedTask {
  readonly task_path: string;
  readonly cells: number;
  readonly labels: number;
  /** Share of wrong answers on valid. */
  readonly error_rate: number;
}

export interface AskResult {
  readonly run: { readonly id: string; readonly name: string };
  /** In the order in which they were drawn: rows that are worth more come first more often. */
  readonly cells: readonly AskedCell[];
  readonly tasks: readonly AskedTask[];
  /** Expected number of questions, and seconds that they take. */
  readonly questions: number;
  readonly seconds: number;
  readonly out: string | null;
  /** Files of the labelling projects, one folder for each pass. */
  readonly studio: readonly { readonly folder: string; readonly tasks: number; readonly controls: readonly string[] }[];
  /** Cells that the passes leave out until the answers to the first one are read. */
  readonly postponed: number;
}

export interface AskOptions extends OpenRunOptions, Pick<PredictOptions, "signal" | "onProgress"> {
  /** Expected number of questions at most. */
  readonly budget: number;
  /** File of seconds by task. */
  readonly costs?: string | undefined;
  readonly out?: string | undefined;
  /** Folder for a labelling project of Label Studio. */
  readonly studio?: string | undefined;
}

/**
 * @param storeDir folder of the run store
 * @throws UnknownNameError, StoreError, DataError, ConfigError
 */
export async function askRun(storeDir: string, reference: string, options: AskOptions): Promise<AskResult> {
  if (options.out !== undefined) {
    tableFormat(options.out);
    refuseExisting(options.out);
  }
  if (options.studio !== undefined) refuseOtherPasses(options.studio);
  const { stored, heldOut } = await withStore(storeDir, async (store) => ({
    stored: await openRunOrFold(store, reference, options),
    heldOut: await heldOutAnswers(store, reference, options),
  }));
  const { graph, config, thresholds, run } = stored;
  refusePixels(
    graph,
    "what a mask would teach is not weighed cell by cell: cool interpret shows the pictures of least overlap",
  );
  const seconds = labelSeconds(graph, options.costs);
  const table = await readLabelTable(stored);
  const network = await loadRun(storeDir, run.id, { project: options.project });
  const { scored, features } = await network.scoreTables(options).finally(() => network.close());
  const valid = scoreSplit(graph, heldOut.outputs, heldOut.stored.thresholds ?? thresholds);
  const counts = scored.tasks.map(({ lossMask }) => lossMask.reduce((sum, used) => sum + used, 0));
  const needs = taskNeeds(graph, valid, counts, config.settings.evaluate.tolerance);
  // a label of valid or test teaches nothing
  const excluded = heldOut.kind === "held_out" ? new Set(heldOut.outputs.ids) : new Set<string>();
  const ranked = rankCells(graph, scored, {
    ...{ budget: options.budget, seconds, needs, features, seed: `ask/${run.id}` },
    isCandidate: (row) => !excluded.has(at(scored.ids, row)),
  });
  if (ranked === null) {
    throw new ConfigError(
      `The conditions of the flow "${graph.flow}" hang together in more ways than can be weighed for every row. Split it into flows that read fewer gates at once.`,
      { flow: graph.flow },
    );
  }
  const cells = ranked.map((cell) => describedCell(graph, scored, table, cell));
  if (options.out !== undefined) await writeCells(options.out, graph, table, cells, options.signal);
  const { studio, postponed } =
    options.studio === undefined
      ? { studio: [], postponed: 0 }
      : writeStudio(stored, scored, table, ranked, options.studio);
  return {
    run: { id: run.id, name: run.name },
    cells,
    tasks: graph.tasks.flatMap(({ index, path }): AskedTask[] => {
      const need = needs[index];
      if (need == null) return [];
      const own = cells.filter(({ task_path }) => task_path === path).length;
      return [{ task_path: path, cells: own, labels: need.labels, error_rate: need.errorRate }];
    }),
    questions: ranked.reduce((sum, { asked }) => sum + asked, 0),
    seconds: ranked.reduce((sum, cell) => sum + cell.seconds, 0),
    out: options.out ?? null,
    studio,
    postponed,
  };
}

async function withStore<T>(storeDir: string, use: (store: RunStore) => Promise<T>): Promise<T> {
  const store = openRunStore(storeDir, { readonly: true });
  try {
    return await use(store);
  } finally {
    store.close();
  }
}

function describedCell(graph: FlowGraph, scored: ScoredSplit, table: LabelTable, cell: RankedCell): AskedCell {
  const { row, task, bundle, asked, after, gain, seconds } = cell;
  const { path, precondition, spec } = at(graph.tasks, task);
  const sample = at(scored.ids, row);
  return {
    ...placeOfRow(table, table.rowOf.get(sample) ?? 0),
    ...{ sample, task_path: path, bundle: bundle + 1, asked },
    given: after.length === 0 || precondition === null ? null : printCondition(graph, precondition),
    predicted: behaviourOf(spec).describe(spec, at(scored.tasks, task).decoded, row),
    gain,
    seconds,
  };
}

const COLUMNS = [
  { name: "table", type: "VARCHAR" },
  { name: "row", type: "INTEGER" },
  { name: "sample", type: "VARCHAR" },
  { name: "column", type: "VARCHAR" },
  { name: "given", type: "VARCHAR" },
  { name: "label", type: "VARCHAR" },
  { name: "corrected", type: "VARCHAR" },
  { name: "predicted", type: "VARCHAR" },
  { name: "bundle", type: "INTEGER" },
  { name: "asked", type: "DOUBLE" },
  { name: "gain", type: "DOUBLE" },
  { name: "seconds", type: "DOUBLE" },
] as const;

/** A line for each cell: what is written into `corrected` is applied by `cool audit --apply`. */
async function writeCells(
  out: string,
  graph: FlowGraph,
  table: LabelTable,
  cells: readonly AskedCell[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const byPath = new Map(graph.tasks.map((task) => [task.path, task]));
  const rows = cells.flatMap(
    ({ table: name, row, sample, task_path, given, predicted, bundle, asked, gain, seconds }) => {
      const task = byPath.get(task_path);
      if (task === undefined) return [];
      const columns = labelColumnsAt(table, task, table.rowOf.get(sample) ?? 0);
      const texts = answerCells(task.spec, columns, predicted);
      return columns.map(({ column, cells: known, row: own }, i) => {
        const numbers = [bundle, Number(asked.toFixed(4)), Number(gain.toPrecision(4)), Number(seconds.toPrecision(4))];
        return [name, row, sample, column, given, cellText(known.at(own)), "", at(texts, i), ...numbers];
      });
    },
  );
  await writeTable(out, COLUMNS, rows, signal);
}

function writeStudio(
  { config, graph, run }: StoredRun,
  scored: ScoredSplit,
  table: LabelTable,
  cells: readonly RankedCell[],
  folder: string,
): Pick<AskResult, "studio" | "postponed"> {
  const image = Object.values(config.inputs).find(({ kind }) => kind === "image");
  const object = image === undefined ? "text" : "image";
  const wanted = new Set(cells.map(({ task }) => at(graph.tasks, task).path));
  const passes = studioPasses(graph, wanted, object);
  let postponed = 0;
  const studio = passes.map((pass, i) => {
    const own = new Set(pass.tasks.map(({ index }) => index));
    // a later pass has no conditions: it asks what the labels say is asked
    const possible = cells.filter(({ task, after }) => own.has(task) && (i === 0 || after.length === 0));
    if (i > 0) postponed += cells.filter(({ task }) => own.has(task)).length - possible.length;
    const tasks = studioTasks(pass, scored, possible, (row) => shownRow(row), { object, run: run.name });
    const target = passFolder(resolve(folder), i + 1);
    write(target, PASS_FILES.config, pass.config);
    write(target, PASS_FILES.tasks, `${JSON.stringify(tasks, null, 2)}\n`);
    return { folder: target, tasks: tasks.length, controls: pass.tasks.map(({ path }) => path) };
  });
  removePasses(folder, passes.length);
  return { studio, postponed };

  function shownRow(row: number) {
    const sample = at(scored.ids, row);
    const place = placeOfRow(table, table.rowOf.get(sample) ?? 0);
    const source = table.joined.tables[table.sources.findIndex((one) => one.table === place.table)];
    const columns = Object.values(config.inputs).flatMap((spec) => ("columns" in spec ? spec.columns : [spec.column]));
    const cellIn = (column: string): string => cellText(source?.columns.get(column)?.at(place.row - 1));
    if (image === undefined || !("column" in image)) {
      return { ...place, sample, shown: readableCells(columns, cellIn) };
    }
    // as Label Studio serves local files: relative to the root that it is given
    const path = relative(table.projectDir, resolve(source?.baseDir ?? table.projectDir, cellIn(image.column)));
    return { ...place, sample, shown: `/data/local-files/?d=${encodeURI(path)}` };
  }
}

function write(folder: string, name: string, text: string): void {
  const file = join(folder, name);
  try {
    mkdirSync(folder, { recursive: true });
    writeFileSync(file, text);
  } catch (error) {
    throw new StoreError(
      `${file} cannot be written: ${lineOf(error)}. Name another folder.`,
      { file },
      { cause: error },
    );
  }
}

export interface ReadResult extends AppliedCorrections {
  readonly run: { readonly id: string; readonly name: string };
}

/**
 * Reads what people answered in Label Studio into new tables, beside the old ones.
 * @throws DataError where it is no such export, UsageError where it changes nothing
 */
export async function readAnswers(
  store: RunStore,
  reference: string,
  file: string,
  options: OpenRunOptions = {},
): Promise<ReadResult> {
  const stored = await openRunOrFold(store, reference, options);
  const table = await readLabelTable(stored);
  const { cells, needless } = readStudioExport(file, stored.graph, table);
  const { tables, refused } = await applyCorrections(stored.graph, table, cells);
  return { run: { id: stored.run.id, name: stored.run.name }, tables, refused: [...needless, ...refused] };
}
