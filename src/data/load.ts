/** @file A project's tables and images → the dataset that training reads. */
import { createHash } from "node:crypto";
import { resolve } from "node:path";
import { at, i32At } from "../arrays.js";
import { ConfigError, DataError } from "../errors.js";
import { inSlices, yieldTo } from "../platform/yield-to.js";
import type { FlowGraph } from "../flow/graph.js";
import type { Offsets } from "../flow/masks.js";
import { SPLITS, type Split } from "../tasks/evaluation.js";
import type { Labels } from "../tasks/index.js";
import type { Dataset, ImpliedLabels, TableRows } from "./dataset.js";
import { withImpliedLabels } from "./labels/implied-labels.js";
import { assertLabelled, needsImageSize, readLabelsSliced, withImageSizes } from "./labels/labels.js";
import { strataOf } from "./labels/strata.js";
import type { SplitSpec, Splits } from "./split.js";
import { splitTables } from "./split-tables.js";
import {
  type InputSpecs,
  loadTableInputs,
  readCells,
  type TableInputOptions,
  tableIds,
  warningsOf,
} from "./inputs/table-inputs.js";
import {
  cellsOf,
  type JoinedTables,
  joinedDigest,
  readTables,
  rowIn,
  type TableSource,
  tableNames,
} from "./tables/tables.js";
import { rowColumns } from "./tables/row-columns.js";
import { readPixelLabels } from "./labels/pixel-labels.js";
import { readRowWeights } from "./labels/row-weights.js";
import { selectEntries, selectLabels, selectOffsets } from "./labels/select-labels.js";
import { type ElementSpans, tokenSpans } from "./labels/token-labels.js";

/** What to read: one table, several, or one and several more. */
export interface TableOptions {
  /** File or SQL query; see readTable. */
  readonly table?: string | undefined;
  readonly tables?: readonly TableSource[] | undefined;
  /** Folders and files that queries may read besides the project's folder and those of the tables. */
  readonly allow?: readonly string[] | undefined;
  /** Whether a query was written by the caller just now: then it may read whatever it names. */
  readonly typed?: boolean | undefined;
}

export interface LoadRowsOptions extends TableInputOptions, TableOptions {
  readonly graph: FlowGraph;
}

export interface LoadOptions extends LoadRowsOptions {
  /** Of every table that brings none of its own; each table is split by itself. */
  readonly split: SplitSpec;
  /** Whether missing labels of gates are taken from the labels of what they gate; see withImpliedLabels. */
  readonly impliedLabels?: boolean | undefined;
  /** Column of how much each row counts in training; see readRowWeights. */
  readonly weight?: string | null | undefined;
}

/**
 * Loads a labelled dataset. Names, splits, labels and cells are checked before the first image is decoded, so that a
 * slip in a table costs a second and not an hour.
 * @throws DataError for problems of the tables, their labels or images; ConfigError for a wrong split;
 *   InterruptedError if the signal fires
 */
export async function loadDataset(options: LoadOptions): Promise<Dataset> {
  const { graph } = options;
  // over all rows of the tables, so that a bad image does not move the others
  const read = await readLabelled(options);
  const offsets = read.spans?.offsets;
  assertTrainable(graph, completeLabels(options, read.labels, offsets).labels, read.splits, offsets);
  const dataset = await withInputs(read, options, read.splits.train);
  try {
    assertTrainable(graph, dataset.labels, dataset.splits, dataset.offsets);
  } catch (error) {
    dataset.close();
    throw error;
  }
  return dataset;
}

/**
 * Loads a labelled table to evaluate on: all its rows are in the test split. Its inputs are read as the specs say,
 * which must be complete.
 * @throws the same as loadDataset
 */
export async function loadRows(options: LoadRowsOptions): Promise<Dataset> {
  const joined = await readTables(sourcesOf(options), options.projectDir, options);
  const none = new Int32Array(0);
  const splits = { train: none, valid: none, test: rowRange(0, joined.rows) };
  const spans = await elementSpans(options, joined);
  const labels = await inSlices(readLabelsSliced(options.graph, joined, spans), options.signal);
  return withInputs({ joined, labels, splits, spans, weights: null, warnings: [] }, options, null);
}

/** The tables' labels and splits without their inputs; labels in pixels are as they stand in the tables. */
export async function loadLabels(options: LabelOptions): Promise<LoadedLabels> {
  const { joined, labels, splits, spans, ...read } = await readLabelled(options, true);
  const offsets = spans?.offsets ?? null;
  const tables = tableRows(joined, rowRange(0, joined.rows));
  const cells = await readCells(joined, options, splits.train);
  const none = new Int32Array(0);
  return {
    ...completeLabels(options, labels, offsets),
    ...{ splits, tables, offsets },
    inputs: Object.fromEntries(
      Object.entries(options.inputs).map(([name, spec]) => [name, cells.get(name)?.source(none).spec ?? spec] as const),
    ),
    warnings: [...read.warnings, ...warningsOf(cells)],
    leaks: leaksOf(joined, options.inputs, splits),
  };
}

/** What is read of labelled tables without their images. */
export interface LoadedLabels extends Pick<Dataset, "labels" | "splits" | "implied" | "tables" | "offsets"> {
  /** Complete: with statistics and vocabularies. */
  readonly inputs: InputSpecs;
  readonly warnings: readonly string[];
  readonly leaks: readonly Leak[];
}

/** A picture that rows of several splits show. */
export interface Leak {
  readonly input: string;
  readonly picture: string;
  readonly splits: readonly Split[];
}

function leaksOf(joined: JoinedTables, inputs: InputSpecs, splits: Splits): Leak[] {
  return Object.entries(inputs).flatMap(([input, spec]): Leak[] => {
    if (spec.kind !== "image") return [];
    const cells = cellsOf(joined, spec.column, `the input "${input}"`);
    const splitsOf = new Map<string, Set<Split>>();
    for (const split of SPLITS) {
      for (const row of splits[split]) {
        const cell = cells.at(row);
        if (typeof cell !== "string" || cell === "") continue;
        const picture = resolve(rowIn(joined, row).table.baseDir, cell);
        splitsOf.set(picture, (splitsOf.get(picture) ?? new Set()).add(split));
      }
    }
    return [...splitsOf].flatMap(([picture, found]) =>
      found.size > 1 ? [{ input, picture, splits: SPLITS.filter((split) => found.has(split)) }] : [],
    );
  });
}

type LabelOptions = TableOptions &
  Pick<LoadOptions, "graph" | "inputs" | "split" | "projectDir" | "impliedLabels" | "weight" | "signal">;

/** Labels, as they are written, and splits over all rows of the tables. */
interface LabelledTables {
  readonly joined: JoinedTables;
  readonly labels: readonly Labels[];
  readonly splits: Splits;
  /** null where no task is asked per element. */
  readonly spans: ElementSpans | null;
  /** null where all rows count alike. */
  readonly weights: Float32Array | null;
  /** Of the splits. */
  readonly warnings: readonly string[];
}

/** @param judgesFolds whether declared folds are judged although none of them is asked for */
async function readLabelled(options: LabelOptions, judgesFolds = false): Promise<LabelledTables> {
  const { graph, inputs, projectDir, signal } = options;
  assertSizesKnown(graph, inputs);
  const sources = sourcesOf(options);
  const joined = await readTables(sources, projectDir, options);
  const ids = joined.tables.map((table) => tableIds(table, inputs));
  await yieldTo(signal);
  const specs = sources.map(({ split }) => split ?? options.split);
  const spans = await elementSpans(options, joined);
  const isCut = options.split.fold !== undefined || (judgesFolds && options.split.folds !== undefined);
  const needsLabels = isCut || [options.split, ...specs].some(({ stratify }) => stratify === true);
  const readLabels = () => inSlices(readLabelsSliced(graph, joined, spans), signal);
  const early = needsLabels ? await readLabels() : null;
  const offsets = spans?.offsets ?? null;
  const strata = () => strataOf(graph, completeLabels(options, early ?? [], offsets).labels, joined.rows, offsets);
  const source = { joined, ids, specs, project: options.split, strata, judgesFolds };
  const { splits, warnings } = await inSlices(splitTables(source), signal);
  const weights = options.weight == null ? null : readRowWeights(joined, options.weight, splits.train);
  return { joined, splits, spans, weights, warnings, labels: early ?? (await readLabels()) };
}

type ElementOptions = Pick<LoadRowsOptions, "graph" | "inputs" | "projectDir" | "signal"> &
  Partial<Pick<LoadRowsOptions, "stored">>;

/** What labels per token or per pixel are aligned with: masks are read before all other labels. */
async function elementSpans(
  { graph, inputs, projectDir, stored, signal }: ElementOptions,
  joined: JoinedTables,
): Promise<ElementSpans | null> {
  const tokens = await tokenSpans(graph, inputs, joined, { projectDir, stored, signal });
  return tokens ?? (await readPixelLabels(graph, inputs, joined, { projectDir, signal }));
}

/** @throws ConfigError where labels are in pixels of an image that is not there */
function assertSizesKnown(graph: FlowGraph, inputs: InputSpecs): void {
  const scaled = graph.tasks.find(needsImageSize);
  if (scaled === undefined || Object.values(inputs).some(({ kind }) => kind === "image")) return;
  throw new ConfigError(
    `The task "${scaled.path}" is scaled by the size of the row's image, but there is no image input. Add one, or give the task a number as its scale.`,
    { task: scaled.path },
  );
}

function sourcesOf({ table, tables = [] }: TableOptions): readonly TableSource[] {
  const sources = [...(table === undefined ? [] : [{ table }]), ...tables];
  if (sources.length > 0) return sources;
  throw new ConfigError("The data has no table. Name a file or a SQL query in data.table, or several in data.tables.");
}

/** With the implied ones, where they are asked for. */
function completeLabels(
  { graph, impliedLabels = false }: Pick<LoadOptions, "graph" | "impliedLabels">,
  labels: readonly Labels[],
  offsets?: Offsets | null,
): { readonly labels: readonly Labels[]; readonly implied: readonly ImpliedLabels[] } {
  return impliedLabels ? withImpliedLabels(graph, labels, offsets) : { labels, implied: [] };
}

/** @param fitRows rows that inputs are fitted to; null where their specs are complete */
async function withInputs(
  read: LabelledTables,
  options: LoadRowsOptions & Partial<Pick<LoadOptions, "impliedLabels" | "split">>,
  fitRows: Int32Array | null,
): Promise<Dataset> {
  const { graph, signal } = options;
  const { joined } = read;
  await yieldTo(signal);
  const opened = await loadTableInputs(joined, options, fitRows);
  try {
    await yieldTo(signal);
    const { kept, ids, inputs, skipped } = opened;
    const sized = withImageSizes(graph, joined, read.labels, opened.sizes);
    const all = read.spans?.offsets ?? null;
    const selected: Labels[] = [];
    for (const { index, spec } of graph.tasks) {
      // those of all rows are as they were read
      const own = at(sized.labels, index);
      selected.push(kept.length === joined.rows ? own : selectLabels(spec, own, kept, all));
      await yieldTo(signal);
    }
    const digest = createHash("sha256")
      .update(await inSlices(joinedDigest(joined), signal))
      .update(opened.digest)
      .digest("hex");
    const offsets = all === null ? null : selectOffsets(all, kept);
    return {
      rows: kept.length,
      ids,
      splits: renumber(read.splits, kept, joined.rows),
      ...completeLabels(options, selected, offsets),
      offsets,
      weights: read.weights === null ? null : selectEntries(read.weights, kept, 1, null),
      inputs,
      tables: tableRows(joined, kept),
      columns: rowColumns(joined, kept, options.split?.groupBy),
      skipped,
      warnings: [...read.warnings, ...opened.warnings, ...sized.warnings],
      digest,
      close: opened.close,
    };
  } catch (error) {
    opened.close();
    throw error;
  }
}

function assertTrainable(
  graph: FlowGraph,
  labels: Dataset["labels"],
  splits: Splits,
  offsets: Dataset["offsets"],
): void {
  if (splits.train.length === 0) {
    throw new DataError("The train split has no rows. Give it a larger fraction, or mark rows as train.", {});
  }
  assertLabelled(graph, labels, splits, offsets);
}

/** Rows of each table among the kept ones, in their numbers. */
function tableRows(joined: JoinedTables, kept: Int32Array): TableRows[] {
  const names = tableNames(joined.tables);
  return joined.tables.map(({ rows }, i) => {
    const first = at(joined.firstRows, i);
    const from = kept.findIndex((row) => row >= first);
    const own = kept.filter((row) => row >= first && row < first + rows).length;
    return { table: at(names, i), rows: own === 0 ? new Int32Array(0) : rowRange(from, from + own) };
  });
}

function rowRange(from: number, to: number): Int32Array {
  return Int32Array.from({ length: to - from }, (_, i) => from + i);
}

/** Splits over the rows of the tables → over the kept rows. */
function renumber(splits: Splits, kept: Int32Array, all: number): Splits {
  const numbers = new Int32Array(all).fill(-1);
  kept.forEach((row, i) => {
    numbers[row] = i;
  });
  const select = (rows: Int32Array) => rows.map((row) => i32At(numbers, row)).filter((number) => number >= 0);
  return { train: select(splits.train), valid: select(splits.valid), test: select(splits.test) };
}
