/** @file Folders of runs without a row, rows without a folder, and their repair. */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { isRunId, type RunRecord } from "../storage/run-record.js";
import type { RunStore } from "../storage/run-store.js";
import { peekJson, recordOf, runFiles } from "./run-folder.js";
import { peekTracked, type TrackedDocument } from "./tracked-run.js";

export interface Orphans {
  /** Folders in `runs/` of which the database knows nothing. */
  readonly folders: readonly string[];
  /** Ids of runs whose folder is gone, but for those already tagged so. */
  readonly rows: readonly string[];
  /** Ids of runs tagged so whose folder is there again. */
  readonly back: readonly string[];
}

export interface Repair {
  readonly what: string;
  readonly deed: string;
}

/** Tag of a run whose folder is gone: its metrics are still there, its weights are not. */
export const FOLDER_MISSING = "folder-missing";
/** A folder this young may belong to a run that another process is storing right now. */
const YOUNG_MS = 60_000;

export function findOrphans(store: RunStore, now: Date = new Date()): Orphans {
  const runs = store.listRuns({ includeTrash: true });
  const known = new Set(runs.map(({ id }) => id));
  const runsDir = join(store.dir, "runs");
  const entries = existsSync(runsDir) ? readdirSync(runsDir) : [];
  const hasFolder = ({ id }: RunRecord): boolean => existsSync(store.runDir(id));
  const isTagged = ({ tags }: RunRecord): boolean => tags.includes(FOLDER_MISSING);
  return {
    folders: entries.filter((name) => !known.has(name) && isOld(join(runsDir, name), now)),
    rows: runs.filter((run) => !hasFolder(run) && !isTagged(run)).map(({ id }) => id),
    back: runs.filter((run) => hasFolder(run) && isTagged(run)).map(({ id }) => id),
  };
}

function isOld(path: string, now: Date): boolean {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats !== undefined && now.getTime() - stats.mtimeMs > YOUNG_MS;
}

/**
 * Stores again the runs whose folder tells enough, moves other folders to `lost/`, and tags rows without a folder as long as they have none.
 * Nothing is deleted but what an import or export left half done.
 */
export function repairOrphans(store: RunStore, { folders, rows, back }: Orphans): Repair[] {
  return [
    ...folders.map((name) => ({ what: join("runs", name), deed: repairFolder(store, name) })),
    ...rows.map((id) => {
      store.addTags(id, [FOLDER_MISSING]);
      return { what: id, deed: `tagged ${FOLDER_MISSING}` };
    }),
    ...back.map((id) => {
      store.removeTags(id, [FOLDER_MISSING]);
      return { what: id, deed: `no longer tagged ${FOLDER_MISSING}: its folder is there again` };
    }),
  ];
}

function repairFolder(store: RunStore, name: string): string {
  const dir = join(store.dir, "runs", name);
  if (name.startsWith(".adding-")) {
    rmSync(dir, { recursive: true, force: true });
    return "deleted: an unfinished copy";
  }
  const run = isRunId(name) ? adoptFolder(store, name, dir) : null;
  if (run !== null) {
    return `stored again as ${run.name} (${run.state})`;
  }
  const lost = join(store.dir, "lost");
  mkdirSync(lost, { recursive: true });
  const target = [name, ...Array.from({ length: 100 }, (_, i) => `${name}-${i + 2}`)]
    .map((free) => join(lost, free))
    .find((path) => !existsSync(path));
  if (target === undefined) return "left as it is: lost/ holds a hundred of this name";
  renameSync(dir, target);
  return `moved to ${target}: it is no folder of a run`;
}

/** null for a folder that no run left behind. */
function adoptFolder(store: RunStore, id: string, dir: string): RunRecord | null {
  const tracked = peekTracked(dir);
  if (tracked !== null) return adoptTracked(store, id, dir, tracked);
  const config = readConfig(dir);
  return config === null ? null : adopt(store, id, dir, config);
}

const RECOVERED = {
  tags: ["recovered"],
  note: "Stored again from its folder: the metrics, tags and note it had are gone.",
};

/** Whether it had finished stood in its row alone. */
function adoptTracked(store: RunStore, id: string, dir: string, { project, config }: TrackedDocument): RunRecord {
  const endedAt = statSync(dir).mtime.toISOString();
  return store.adoptRun({ id, project, state: "interrupted", startedAt: startOf(id), endedAt, config, ...RECOVERED });
}

/** What the folder's own files say; metrics and tags are gone with the row. */
function adopt(
  store: RunStore,
  id: string,
  dir: string,
  { project, settings, seed, epochs, backend, dataDigest }: KnownConfig,
): RunRecord {
  const files = runFiles(dir);
  const isFinished = existsSync(files.thresholds);
  const end = isFinished ? files.thresholds : files.config;
  return store.adoptRun({
    id,
    project,
    state: isFinished ? "finished" : "interrupted",
    startedAt: startOf(id),
    endedAt: statSync(end).mtime.toISOString(),
    config: settings,
    seed,
    backend,
    epochs,
    dataDigest,
    ...RECOVERED,
  });
}

/** The time in a run's id: 20261123-074455-k3f9. */
function startOf(id: string): string {
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)-(\d\d)(\d\d)(\d\d)-/.exec(id) ?? [];
  const time = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return (Number.isNaN(time.getTime()) ? new Date(0) : time).toISOString();
}

/** What of config.json the row is made of. */
interface KnownConfig {
  readonly project: string;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly seed: number | null;
  readonly epochs: number;
  readonly backend: string | null;
  readonly dataDigest: string | null;
}

/** null where the file is not there or was not written by a run. */
function readConfig(dir: string): KnownConfig | null {
  const { project, settings, backend, dataDigest } = recordOf(peekJson(runFiles(dir).config));
  const { epochs, seed } = recordOf(recordOf(settings).train);
  if (typeof project !== "string" || typeof epochs !== "number") return null;
  return {
    project,
    settings: recordOf(settings),
    seed: typeof seed === "number" ? seed : null,
    epochs,
    backend: typeof backend === "string" ? backend : null,
    dataDigest: typeof dataDigest === "string" ? dataDigest : null,
  };
}
