/** @file Tables of other programs: a row per step of a run, or a row per run. */
import { createHash } from "node:crypto";
import { readdirSync, statSync } from "node:fs";
import { basename, dirname, extname, join, relative, resolve } from "node:path";
import { DataError } from "../../errors.js";
import { sha256Of } from "../../records/run-files.js";
import { NO_FACTS, type RunFacts, type RunSink, type Source, type SourceRun } from "../shape.js";
import { nested, numberOf, tagText, typedText } from "../texts.js";
import { type Columns, columnsOf, understoodColumns } from "./csv-columns.js";
import { csvRows } from "./csv-reader.js";

type Row = ReadonlyMap<string, string>;

const DEEPEST = 6;
/** As many rows tell what the columns hold. */
/** Columns that an error names, and how much of each. */
const MOST_NAMED = 20;
const LONGEST_NAMED = 40;
const SAMPLE_ROWS = 200;

/** Tables at or below a path. */
export function csvFilesBelow(path: string, depth = 0): string[] {
  if (statSync(path).isFile()) return [path];
  return readdirSync(path, { withFileTypes: true })
    .flatMap((entry) => {
      const inner = join(path, entry.name);
      if (entry.isFile() && /\.(csv|tsv)$/i.test(entry.name)) return [inner];
      const isFolder = entry.isDirectory() && !entry.name.startsWith(".") && entry.name !== "node_modules";
      return isFolder && depth < DEEPEST ? csvFilesBelow(inner, depth + 1) : [];
    })
    .sort();
}

/** @throws DataError where there is no table, or one has no metrics */
export function openCsv(path: string): Source {
  const root = resolve(path);
  const files = csvFilesBelow(root);
  if (files.length === 0) throw new DataError(`There are no CSV files below ${root}.`, { path: root });
  const parts = files.map((file) => openFile(file, root));
  return {
    ...{ kind: "csv", path: root, left: parts.flatMap(({ left }) => left) },
    runs: parts.flatMap(({ runs }) => runs),
    understood: parts.flatMap(({ understood }, i) =>
      files.length === 1 ? understood : understood.map((line) => `${relative(root, files[i] ?? "")}: ${line}`),
    ),
  };
}

/** @param header of a file that may be anything */
function withoutMetrics(file: string, header: readonly string[]): DataError {
  const hasOddBytes = header.some((name) => name.includes("\0") || name.includes("\uFFFD"));
  if (hasOddBytes) return new DataError(`${file} is no CSV file in UTF-8: its first line has other bytes.`, { file });
  const names = header
    .slice(0, MOST_NAMED)
    .map((name) => (name.length > LONGEST_NAMED ? `${name.slice(0, LONGEST_NAMED)}…` : name).replaceAll(/\s+/g, " "));
  const more = header.length > MOST_NAMED ? `, … ${header.length - MOST_NAMED} more` : "";
  return new DataError(
    `${file} has no column with a metric: a row per step has a column step or epoch, a row per run has metrics such as loss or test/accuracy. Columns: ${names.join(", ") || "none"}${more}.`,
    { file, columns: header.length },
  );
}

function openFile(file: string, root: string): Omit<Source, "kind" | "path"> {
  const rows = rowsOf(file);
  const sample: Row[] = [];
  for (const row of rows) if (sample.push(row) === SAMPLE_ROWS) break;
  const header = [...(sample[0]?.keys() ?? [])];
  const columns = columnsOf(header, (name) => isNumeric(sample, name));
  if (columns.metrics.length === 0) throw withoutMetrics(file, header);
  const label =
    file === root ? basename(file, extname(file)) : relative(root, dirname(file)) || basename(file, extname(file));
  const place: CsvPlace = { file, label, columns, project: basename(file === root ? dirname(file) : root) };
  const runs = columns.rows === "runs" ? runsByRow(place) : runsByStep(place);
  return { runs, understood: understoodColumns(columns), left: leftColumns(header, columns) };
}

interface CsvPlace {
  readonly file: string;
  readonly label: string;
  readonly project: string;
  readonly columns: Columns;
}

function isNumeric(sample: readonly Row[], name: string): boolean {
  const cells = sample.map((row) => row.get(name) ?? "").filter((cell) => cell !== "");
  return cells.length > 0 && cells.every((cell) => numberOf(cell) !== undefined);
}

function leftColumns(header: readonly string[], columns: Columns): Source["left"] {
  const { metrics, settings, tags, rows: _, ...places } = columns;
  const used = new Set([...metrics, ...settings, ...tags, ...Object.values(places)]);
  const unused = header.filter((name) => name !== "" && !used.has(name));
  if (unused.length === 0) return [];
  return [{ what: "columns", count: unused.length, reason: `they hold no numbers: ${unused.slice(0, 10).join(", ")}` }];
}

/** Rows under the names of the header; columns of one name: the last one holds. */
function* rowsOf(file: string): Generator<Row> {
  let header: string[] | null = null;
  for (const cells of csvRows(file)) {
    if (header === null) header = cells;
    else yield new Map(header.map((name, i) => [name, cells[i] ?? ""]));
  }
}

function runsByStep(place: CsvPlace): SourceRun[] {
  const { file, label, columns } = place;
  const names = new Set<string>();
  if (columns.run !== null) for (const row of rowsOf(file)) names.add(row.get(columns.run) ?? "");
  const digest = once(() => sha256Of(file));
  if (columns.run === null) {
    return [{ id: file, label, startedAt: null, digest, read: (sink) => readSteps(place, null, sink) }];
  }
  return [...names].map((name) => ({
    ...{ id: `${file}/${name}`, label: name || label, startedAt: null },
    // a file holds several
    digest: () => createHash("sha256").update(`${digest()}/${name}`).digest("hex"),
    read: (sink) => readSteps(place, name, sink),
  }));
}

function readSteps({ file, label, project, columns }: CsvPlace, name: string | null, sink: RunSink): RunFacts {
  const written = statSync(file).mtimeMs / 1000;
  let number = 0;
  for (const row of rowsOf(file)) {
    if (name !== null && row.get(columns.run ?? "") !== name) continue;
    number += 1;
    const step = columns.step === null ? number : numberOf(row.get(columns.step));
    if (step === undefined) {
      sink.leave("rows", "they have no step");
      continue;
    }
    const split = columns.split === null ? undefined : row.get(columns.split);
    const epoch = numberOf(columns.epoch === null ? undefined : row.get(columns.epoch)) ?? null;
    const place = {
      ...{ step, split, time: timeOf(row.get(columns.time ?? "")) ?? written },
      epoch: epoch !== null && Number.isSafeInteger(epoch) && epoch >= 0 ? epoch : null,
    };
    for (const metric of columns.metrics) {
      const cell = row.get(metric) ?? "";
      const value = numberOf(cell);
      if (value !== undefined) sink.point(metric, value, place);
      else if (cell !== "") sink.leave(`cells of ${JSON.stringify(metric.slice(0, 60))}`, "they are no numbers");
    }
  }
  return {
    ...NO_FACTS,
    name: name || label,
    project,
    ...(columns.time === null ? { startedAt: written, endedAt: written } : {}),
  };
}

function runsByRow(place: CsvPlace): SourceRun[] {
  const { file, label, columns } = place;
  const runs: SourceRun[] = [];
  const ids = new Set<string>();
  let number = 0;
  for (const row of rowsOf(file)) {
    number += 1;
    const content = createHash("sha256")
      .update(JSON.stringify([...row]))
      .digest("hex");
    const own = columns.run === null ? "" : (row.get(columns.run) ?? "");
    const id = own === "" || ids.has(own) ? `row ${number}` : own;
    ids.add(id);
    runs.push({
      ...{ id: `${file}/${id}`, label: own || `${label}-${number}` },
      startedAt: timeOf(row.get(columns.started ?? "")),
      digest: () => createHash("sha256").update(`${file}/${id}/${content}`).digest("hex"),
      read: (sink) => readRow(place, row, own || `${label}-${number}`, sink),
    });
  }
  return runs;
}

function readRow({ file, project, columns }: CsvPlace, row: Row, name: string, sink: RunSink): RunFacts {
  const cell = (column: string | null): string => (column === null ? "" : (row.get(column) ?? ""));
  const started = timeOf(cell(columns.started)) ?? timeOf(cell(columns.time)) ?? statSync(file).mtimeMs / 1000;
  const ended = timeOf(cell(columns.ended)) ?? started;
  for (const metric of columns.metrics) {
    const value = numberOf(cell(metric));
    if (value !== undefined) sink.point(metric.replace(/^metrics\./, ""), value, { step: 0, time: ended });
    else if (cell(metric) !== "") sink.leave(`cells of ${JSON.stringify(metric.slice(0, 60))}`, "they are no numbers");
  }
  const settings = columns.settings
    .filter((column) => cell(column) !== "")
    .map((column): [string, unknown] => [column.replace(/^(params|config)\./, ""), typedText(cell(column))]);
  const tags = columns.tags.flatMap((column) =>
    cell(column) === "" || column.startsWith("tags.mlflow.") ? [] : (tagText(column.slice(5), cell(column)) ?? []),
  );
  const state = stateOf(cell(columns.state));
  return {
    ...NO_FACTS,
    ...{ name, project, state, startedAt: started, endedAt: ended, config: nested(settings), tags },
    error: state === "failed" ? `Its state is ${cell(columns.state)}.` : null,
  };
}

function stateOf(text: string): RunFacts["state"] {
  if (/^(failed|crashed|error)$/i.test(text)) return "failed";
  return /^(killed|interrupted|stopped|running|preempted)$/i.test(text) ? "interrupted" : "finished";
}

/** Seconds or milliseconds since 1970, or ISO 8601; null for other numbers, such as seconds since the start. */
function timeOf(cell: string | undefined): number | null {
  if (cell === undefined || cell === "") return null;
  const number = numberOf(cell);
  if (number !== undefined) return number > 1e11 ? number / 1000 : number > 1e8 ? number : null;
  const time = Date.parse(cell);
  return Number.isNaN(time) ? null : time / 1000;
}

function once(make: () => string): () => string {
  let made: string | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
