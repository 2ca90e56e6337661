/** @file Which tracker a path is of, by what lies there. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { DataError, UsageError } from "../errors.js";
import { isSqliteFile, readOtherDatabase } from "../storage/database/other-database.js";
import { eventFilesBelow } from "../tracking/event-places.js";
import type { Source, SourceKind } from "./shape.js";
import { csvFilesBelow, openCsv } from "./sources/csv.js";
import { mlflowDatabaseSource } from "./sources/mlflow-database.js";
import { isMlruns, openMlruns } from "./sources/mlflow-folder.js";
import { columnsOf, has } from "./sources/tables.js";
import { openTensorboard } from "./sources/tensorboard.js";
import { isTrackio, trackioSource } from "./sources/trackio.js";
import { openWandb, wandbFilesBelow } from "./sources/wandb.js";

/** A source that was found: what it is, and where exactly. */
export interface FoundSource {
  readonly kind: SourceKind;
  readonly path: string;
}

const MLFLOW_DATABASE = "mlflow.db";
const MLRUNS = "mlruns";

/**
 * What lies at a path; null where it may only be a run or store of our own.
 * @param wanted the kind that the user has named
 * @throws UsageError where there is nothing of that kind, or nothing that is known, or several kinds
 */
export function findSource(path: string, wanted?: SourceKind): FoundSource | null {
  const root = resolve(path);
  const stats = statSync(root, { throwIfNoEntry: false });
  if (stats === undefined) throw new UsageError(`There is no ${root}.`, { path: root });
  if (wanted === undefined && isOurs(root, stats.isDirectory())) return null;
  const found = stats.isDirectory() ? sourcesIn(root, wanted) : sourcesOfFile(root, wanted);
  const fitting = wanted === undefined ? found : found.filter(({ kind }) => kind === wanted);
  const [first] = fitting;
  const kinds = [...new Set(fitting.map(({ kind }) => kind))];
  if (kinds.length > 1) {
    throw new UsageError(`${root} holds runs of ${kinds.join(" and ")}. Say which are meant with --from.`, {
      ...{ path: root, kinds },
    });
  }
  if (first !== undefined) return first;
  const what = wanted === undefined ? "no runs that are known here" : `no runs of ${wanted}`;
  throw new UsageError(
    `${root} holds ${what}. Name an exported run or store of dnn-cool, a folder of TensorBoard event files, mlflow.db or mlruns, W&B's wandb folder, a trackio database, or a CSV file.`,
    { path: root, from: wanted ?? null },
  );
}

function isOurs(root: string, isFolder: boolean): boolean {
  if (isFolder) return existsSync(join(root, "cool.db"));
  return /\.(tar\.gz|tgz)$/i.test(root);
}

/** Of a folder: what its own files say, else what lies in the folders below. */
function sourcesIn(root: string, wanted: SourceKind | undefined): FoundSource[] {
  const own: FoundSource[] = [];
  const add = (kind: SourceKind, path: string): void => void own.push({ kind, path });
  const database = join(root, MLFLOW_DATABASE);
  if (existsSync(database)) add("mlflow", database);
  else if (isMlruns(root)) add("mlflow", root);
  else if (isMlruns(join(root, MLRUNS))) add("mlflow", join(root, MLRUNS));
  const trackio = readdirSync(root).filter((name) => name.endsWith(".db") && name !== MLFLOW_DATABASE);
  for (const name of trackio)
    if (isSqliteFile(join(root, name)) && kindOfDatabase(join(root, name)) === "trackio")
      add("trackio", join(root, name));
  if (own.filter(({ kind }) => kind === "trackio").length > 1 && wanted !== "mlflow") {
    const projects = own.filter(({ kind }) => kind === "trackio").map(({ path }) => basename(path));
    throw new UsageError(
      `${root} holds ${projects.length} projects of trackio: ${projects.slice(0, 10).join(", ")}. Name one of the files.`,
      { path: root, projects },
    );
  }
  const wandb = wandbFilesBelow(root);
  if (wandb.length > 0) add("wandb", root);
  // W&B and MLflow keep event files and tables among the files of their runs, and tables lie beside event files
  const isAsked = (kind: SourceKind): boolean => wanted === kind || own.length === 0;
  if (isAsked("tensorboard") && eventFilesBelow(root).length > 0) add("tensorboard", root);
  if (isAsked("csv") && csvFilesBelow(root).length > 0) add("csv", root);
  return own;
}

function sourcesOfFile(file: string, wanted: SourceKind | undefined): FoundSource[] {
  if (isSqliteFile(file) || /\.(db|sqlite3?)$/i.test(file)) {
    const kind = kindOfDatabase(file);
    return kind === null ? [] : [{ kind, path: file }];
  }
  if (file.endsWith(".wandb")) return [{ kind: "wandb", path: file }];
  if (/\.(csv|tsv)$/i.test(file) || wanted === "csv") return [{ kind: "csv", path: file }];
  return basename(file).includes("tfevents") ? [{ kind: "tensorboard", path: dirname(file) }] : [];
}

/** @throws DataError where it is no database, or cannot be read */
function kindOfDatabase(file: string): SourceKind | null {
  return readOtherDatabase(file, (database) => {
    if (has(database, "runs") && columnsOf(database, "runs").has("run_uuid") && has(database, "experiments"))
      return "mlflow";
    return isTrackio(database) ? "trackio" : null;
  });
}

/** Opens a source for the time of `use`. @throws DataError where it cannot be read */
export function withSource<T>({ kind, path }: FoundSource, use: (source: Source) => T): T {
  switch (kind) {
    case "tensorboard":
      return use(openTensorboard(path));
    case "wandb":
      return use(openWandb(path));
    case "csv":
      return use(openCsv(path));
    case "mlflow":
      if (statSync(path).isDirectory()) return use(openMlruns(path));
      return readOtherDatabase(path, (database) => use(mlflowDatabaseSource(database, path)));
    case "trackio":
      return readOtherDatabase(path, (database) => {
        if (!isTrackio(database)) throw new DataError(`${path} is no database of trackio.`, { path });
        return use(trackioSource(database, path));
      });
    default:
      return kind satisfies never;
  }
}
