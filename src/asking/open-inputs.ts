/** @file Unlabelled inputs of a run, opened for reading: images, texts, or a table with the run's input columns. */
import { existsSync } from "node:fs";
import { extname } from "node:path";
import type { Dataset, InputSource, SkippedRow } from "../data/dataset.js";
import type { OnBadImage } from "../data/inputs/image-source.js";
import { isQuery } from "../data/tables/sql.js";
import type { TableImageOptions } from "../data/inputs/table-images.js";
import type { OnUnseen } from "../data/inputs/vectors.js";
import { ConfigError } from "../errors.js";
import type { AnswerColumn } from "../flow/masks.js";
import { constantAnswers, type GivenAnswers, readKnown } from "./given-answers.js";
import type { CoverageOptions } from "./sets/coverage-run.js";
import { type StoredRun, storedPlaces } from "./stored-run.js";

export interface PredictOptions {
  /** Images that cannot be read stop the work, or are left out and reported; default `error`. */
  readonly onBadImage?: OnBadImage;
  /** Answers of known tasks that hold for all inputs; they win over the columns of a table. */
  readonly given?: GivenAnswers | undefined;
  /** Also makes sets that hold the true answers with a given probability. */
  readonly coverage?: CoverageOptions | undefined;
  /** Categories that the run does not know are told in `OpenInputs.unseen` and read as missing ones; else an error. */
  readonly letUnseenPass?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((what: string, done: number, total: number) => void) | undefined;
}

/** Inputs opened for reading, row by row. */
export interface OpenInputs {
  readonly sources: Readonly<Record<string, InputSource>>;
  readonly ids: readonly string[];
  readonly skipped: readonly SkippedRow[];
  /** Of known tasks, by path, where the inputs bring them. */
  readonly known: ReadonlyMap<string, AnswerColumn>;
  /** Of each input: the categories that the run does not know, of the rows that have them. */
  readonly unseen?: ReadonlyMap<string, readonly string[]>;
  close(): void;
}

/**
 * @param inputs images, folders of them and patterns, texts, or one table (a file or a query)
 * @param given answers of known tasks that hold for all of them
 * @throws ConfigError where the run reads more than one input and no table is given
 */
export async function openInputs(
  stored: StoredRun,
  inputs: readonly string[],
  options: PredictOptions,
  given: ReadonlyMap<string, boolean>,
): Promise<OpenInputs> {
  const load = {
    onBadImage: options.onBadImage ?? ("error" as const),
    signal: options.signal,
    onProgress: (done: number, total: number) => options.onProgress?.("decoding images", done, total),
  };
  const [only] = inputs;
  const [entry, ...more] = Object.entries(stored.config.inputs);
  const readsTexts = more.length === 0 && entry?.[1].kind === "tokens";
  if (inputs.length === 1 && only !== undefined && isTable(only) && !(readsTexts && isSentence(only))) {
    return openTable(stored, only, { ...load, letUnseenPass: options.letUnseenPass === true }, given);
  }
  if (entry === undefined || more.length > 0) throw needsTable(stored);
  const [name, spec] = entry;
  if (spec.kind === "tokens") return openTexts(stored, inputs, load, given);
  if (spec.kind !== "image") throw needsTable(stored);
  const [{ loadImages }, { imagePaths }] = await Promise.all([
    import("../data/inputs/image-source.js"),
    import("../data/inputs/image-paths.js"),
  ]);
  const { images, skipped } = await loadImages(await imagePaths(inputs, load.signal), spec, load);
  const ids = images.paths;
  return { sources: { [name]: images }, ids, skipped, known: everyRow(given, ids), close: () => images.close() };
}

function needsTable({ run, config }: StoredRun): ConfigError {
  const specs = Object.entries(config.inputs);
  const inputs = specs.map(([name, { kind }]) => `${name} (${kind})`);
  const columns = specs.flatMap(([, spec]) => ("columns" in spec ? spec.columns : [spec.column]));
  const query = `select ${columns.map((column) => `… as "${column}"`).join(", ")}`;
  return new ConfigError(
    `Run ${run.id} reads ${inputs.join(", ")}, so images or texts alone are not enough. Give a table with the columns of all its inputs, a file or a query: '${query}'.`,
    { run: run.id, inputs, columns },
  );
}

/** Texts that stand on the command line: a table of one column, whose rows are named after themselves. */
async function openTexts(
  run: StoredRun,
  texts: readonly string[],
  load: Omit<TableImageOptions, "projectDir">,
  given: ReadonlyMap<string, boolean>,
): Promise<OpenInputs> {
  const [{ joinTables }, { loadTableInputs }] = await Promise.all([
    import("../data/tables/tables.js"),
    import("../data/inputs/table-inputs.js"),
  ]);
  const projectDir = process.cwd();
  const columns = Object.values(run.config.inputs).flatMap((spec) => ("column" in spec ? [spec.column] : []));
  const table = {
    ...{ rows: texts.length, file: "the texts given", baseDir: projectDir, firstLine: null },
    columns: new Map(columns.map((column) => [column, texts])),
  };
  const options = { ...load, inputs: run.config.inputs, projectDir, stored: storedPlaces(run) };
  const { inputs, skipped, close } = await loadTableInputs(joinTables([table]), options, null);
  return { sources: inputs, ids: texts, skipped, known: everyRow(given, texts), close };
}

async function openTable(
  run: StoredRun,
  source: string,
  { letUnseenPass, ...load }: Omit<TableImageOptions, "projectDir"> & { readonly letUnseenPass: boolean },
  given: ReadonlyMap<string, boolean>,
): Promise<OpenInputs> {
  const { config, graph } = run;
  const [{ readTables }, { loadTableInputs }] = await Promise.all([
    import("../data/tables/tables.js"),
    import("../data/inputs/table-inputs.js"),
  ]);
  const projectDir = process.cwd();
  const tables = await readTables([{ table: source }], projectDir, { typed: true, signal: load.signal });
  const cells: { readonly input: string; readonly row: number; readonly category: string }[] = [];
  const onUnseen: OnUnseen = (input, row, category) => cells.push({ input, row, category });
  const options = {
    ...{ ...load, inputs: config.inputs, projectDir, stored: storedPlaces(run) },
    ...(letUnseenPass ? { onUnseen } : {}),
  };
  const { inputs, ids, kept, skipped, close } = await loadTableInputs(tables, options, null);
  try {
    const known = new Map([...readKnown(graph, tables, kept, given), ...everyRow(given, ids)]);
    const rows = new Set(kept);
    const unseen = new Map<string, string[]>();
    for (const { input, row, category } of cells) {
      if (rows.has(row)) unseen.set(input, [...(unseen.get(input) ?? []), category]);
    }
    return { sources: inputs, ids, skipped, known, unseen, close };
  } catch (error) {
    close();
    throw error;
  }
}

function everyRow(given: ReadonlyMap<string, boolean>, ids: readonly string[]): ReadonlyMap<string, AnswerColumn> {
  return new Map([...given].map(([path, value]) => [path, constantAnswers(value, ids.length)]));
}

const TABLE_ENDINGS = new Set([".csv", ".tsv", ".parquet", ".json", ".jsonl", ".ndjson", ".gz"]);

function isTable(input: string): boolean {
  return TABLE_ENDINGS.has(extname(input).toLowerCase()) || isQuery(input);
}

// what a query needs besides its first word
const SQL = /^(?:[\s(]*select\b.*\b(?:as|from)\b|[\s(]*with\b.*\bselect\b|[\s(]*from\s*['"(])/is;

/** Whether what may be a table is a text that begins or ends like one: "With kind regards", "I miss my data.csv". */
function isSentence(input: string): boolean {
  return isQuery(input) ? !SQL.test(input) : /\s/.test(input.trim()) && !existsSync(input);
}

/**
 * The tables that a run was made of, with their labels and all their rows; images that cannot be read are left out.
 * @param options.cacheDir where decoded pictures are kept
 * @param options.what is being decoded, for whoever watches
 * @throws DataError, ConfigError where a table is gone, or does not fit the run's flow and inputs
 */
export async function openOwnTables(
  stored: StoredRun,
  options: Pick<PredictOptions, "signal" | "onProgress"> & { readonly cacheDir: string; readonly what?: string },
): Promise<Dataset> {
  const { graph, config, project } = stored;
  const { table, tables, allow } = config.settings.data;
  const { what = "decoding images", onProgress } = options;
  const { loadRows } = await import("../data/load.js");
  return loadRows({
    ...{ graph, table, tables, allow },
    inputs: config.inputs,
    projectDir: project?.dir ?? config.projectDir,
    cacheDir: options.cacheDir,
    stored: storedPlaces(stored),
    onBadImage: "skip",
    signal: options.signal,
    onProgress: (done, total) => onProgress?.(what, done, total),
  });
}
