/** @file A new run: its row, tags, configuration and folder. */
import { mkdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { StoreError } from "../errors.js";
import { type ConfigChange, insertConfig, replaceEnvironment } from "./tables/config-values.js";
import type { Database } from "./database/database.js";
import { currentProcess } from "../platform/process.js";
import { checkedName, checkedRunName, isRunId, newRunId } from "./run-record.js";
import { takeKey } from "./tables/keys.js";
import { insertRun, freeRunName, insertTags, nextRunName, type RunRow } from "./tables/runs.js";
import { explained } from "./database/store-errors.js";
import { packageVersion } from "../platform/version.js";

/** A run about to begin, in this process. */
export interface NewRun {
  readonly project: string;
  /** Where another run has it, it is given the next number. Default: the project's name and a number. */
  readonly name?: string | undefined;
  /** The whole configuration, nested; it is stored as flat, typed values. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Settings that were not taken from the project, with what changed them. */
  readonly configChanges?: Readonly<Record<string, ConfigChange>>;
  /** Machine, system and versions, nested; stored as flat, typed values. */
  readonly environment?: Readonly<Record<string, unknown>>;
  /** Hex sha256 of the table with its images. */
  readonly dataDigest?: string | null;
  /** Hex sha256 of the project's source files. */
  readonly sourceDigest?: string | null;
  readonly seed?: number | null;
  readonly backend?: string | null;
  readonly backendVersion?: string | null;
  /** Planned epochs. */
  readonly epochs?: number | null;
  readonly commandLine?: string | null;
  readonly git?: {
    readonly commit: string | null;
    readonly branch: string | null;
    readonly dirty: boolean | null;
  } | null;
  readonly tags?: readonly string[];
  readonly note?: string | null;
  /** Under which it is started, and gone on with by whoever starts it again; one run of a project has it. */
  readonly key?: string | undefined;
}

/**
 * Makes the folder of a new run and stores the run, in state `running`. A process that is killed on its way leaves a
 * folder at most: a run that is stored has its folder with all that `fill` wrote.
 * @param runsDir folder of all runs' folders
 * @param random uniform numbers in [0, 1)
 * @param fill writes what belongs to the run from its start into its folder
 * @returns the run's id
 * @throws StoreError where another run has its key
 */
export function createRun(
  database: Database,
  runsDir: string,
  run: NewRun,
  now: Date,
  random: () => number,
  fill: (dir: string) => void,
): string {
  if (run.name !== undefined) checkedRunName(run.name);
  const tags = (run.tags ?? []).map((tag) => checkedName("tag", tag));
  const { id, dir } = makeRunDir(runsDir, now, random);
  try {
    fill(dir);
    database.write(() => {
      const name =
        run.name === undefined
          ? checkedRunName(nextRunName(database, run.project))
          : freeRunName(database, checkedRunName(run.name));
      insertRun(database, newRunRow(id, name, run, now.toISOString()));
      if (run.key !== undefined) takeKey(database, { project: run.project, key: run.key }, { runId: id });
      insertTags(database, id, tags);
      insertConfig(database, id, run.config ?? {}, run.configChanges);
      replaceEnvironment(database, id, run.environment ?? {});
    });
  } catch (error) {
    rmSync(dir, { recursive: true, force: true });
    throw error;
  }
  return id;
}

/** The folder is what makes the id unique: two runs cannot make the same one. */
function makeRunDir(runsDir: string, now: Date, random: () => number): { readonly id: string; readonly dir: string } {
  explained(runsDir, () => mkdirSync(runsDir, { recursive: true }));
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const id = newRunId(now, random);
    const dir = join(runsDir, id);
    if (makeDir(dir)) return { id, dir };
  }
  throw new StoreError(`No free run id was found in ${runsDir}. Try again in a second.`, { dir: runsDir });
}

/** Whether the folder is new. */
function makeDir(dir: string): boolean {
  try {
    mkdirSync(dir);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    return explained(dirname(dir), () => {
      throw error;
    });
  }
}

/** The row of a run that begins now, in this process. */
export function newRunRow(id: string, name: string, run: NewRun, startedAt: string): RunRow {
  const dirty = run.git?.dirty ?? null;
  return {
    ...currentProcess(),
    id,
    name,
    project: run.project,
    state: "running",
    note: run.note ?? null,
    createdAt: startedAt,
    startedAt,
    sessionAt: null,
    earlierS: 0,
    endedAt: null,
    heartbeatAt: startedAt,
    deletedAt: null,
    error: null,
    seed: run.seed ?? null,
    backend: run.backend ?? null,
    backendVersion: run.backendVersion ?? null,
    epochs: run.epochs ?? null,
    epochsDone: 0,
    bestEpoch: null,
    gitCommit: run.git?.commit ?? null,
    gitBranch: run.git?.branch ?? null,
    gitDirty: dirty === null ? null : dirty ? 1 : 0,
    commandLine: run.commandLine ?? null,
    starred: 0,
    dataDigest: run.dataDigest ?? null,
    sourceDigest: run.sourceDigest ?? null,
    nodeVersion: process.versions.node,
    packageVersion: packageVersion(),
  };
}

/** A run of which only the folder is left. */
export interface AdoptedRun extends NewRun {
  readonly id: string;
  readonly state: "finished" | "interrupted";
  readonly startedAt: string;
  readonly endedAt: string;
}

/** Stores a run for a folder that is there; to be called within `write`. */
export function adoptRun(database: Database, run: AdoptedRun, now: Date): void {
  if (!isRunId(run.id)) throw new StoreError(`"${run.id}" is not the id of a run.`, { id: run.id });
  const name = checkedRunName(run.name ?? nextRunName(database, run.project));
  const { state, startedAt, endedAt } = run;
  insertRun(database, {
    ...newRunRow(run.id, name, run, startedAt),
    state,
    createdAt: startedAt,
    endedAt,
    heartbeatAt: now.toISOString(),
  });
  insertTags(
    database,
    run.id,
    (run.tags ?? []).map((tag) => checkedName("tag", tag)),
  );
  insertConfig(database, run.id, run.config ?? {});
}
