/** @file The tables of studies: what a sweep searches, and its trials, which several processes share out among themselves. */
import { StoreError, UsageError } from "../../errors.js";
import { currentProcess, isAlive, type ProcessIdentity } from "../../platform/process.js";
import type { Split } from "../../tasks/evaluation.js";
import type { Database } from "../database/database.js";
import { checkedRunName, newRunId } from "../run-record.js";
import { selection } from "./columns.js";
import type { CurveName } from "./metric-points.js";
import { HEARTBEAT_LIMIT_MS } from "./runs.js";

/** The state of a trial; one whose process is gone is `interrupted`, and is taken up again. */
export type TrialState = "running" | "finished" | "pruned" | "failed" | "interrupted";

/** A value of a setting, as JSON has it. */
export type ParameterValue = string | number | boolean | null | readonly unknown[] | Readonly<Record<string, unknown>>;

export interface StoredTrial {
  /** From 1. */
  readonly number: number;
  readonly state: TrialState;
  /** By setting; those that do not apply are missing. */
  readonly parameters: Readonly<Record<string, ParameterValue>>;
  /** In the order of the study's objectives; null where undefined or not known yet. */
  readonly objectives: readonly (number | null)[] | null;
  readonly epochsDone: number;
  /** How often a process has begun it without ending it in good order. */
  readonly attempts: number;
  readonly error: string | null;
  /** Null before it has a run, and after that was deleted. */
  readonly run: string | null;
}

/** How a trial ended. */
export interface TrialEnd {
  readonly state: Exclude<TrialState, "running">;
  readonly objectives?: readonly (number | null)[] | undefined;
  readonly epochsDone?: number | undefined;
  readonly error?: string | undefined;
}

/** A process takes a trial: a new one with these parameters, one that was interrupted, or none. */
export type Claim =
  | { readonly kind: "new"; readonly parameters: StoredTrial["parameters"] }
  | { readonly kind: "again"; readonly number: number };

/** Values of one curve of all runs of a study, by trial and epoch; undefined ones are left out. */
export type StudyCurves = ReadonlyMap<number, readonly { readonly epoch: number; readonly value: number }[]>;

/** Studies of a store: each is a group of the kind `sweep`. */
export interface Studies {
  /**
   * @param study.definition JSON
   * @returns its id
   * @throws UsageError where a run or a group has the name
   */
  createStudy(study: {
    readonly name: string;
    readonly project: string;
    readonly planned: number;
    readonly definition: string;
  }): string;
  /** JSON; null where the group is no study. */
  readStudy(groupId: string): string | null;
  /** How many trials there are to be; a study that has ended goes on. */
  planTrials(groupId: string, planned: number): void;
  /** By number. */
  readTrials(groupId: string): StoredTrial[];
  /** Takes a trial for this process. What `choose` sees no other process changes meanwhile; null: there is nothing left. */
  claimTrial(groupId: string, choose: (trials: readonly StoredTrial[]) => Claim | null): StoredTrial | null;
  /** Tells other hosts that the trial's process lives. */
  trialHeartbeat(groupId: string, number: number): void;
  endTrial(groupId: string, number: number, end: TrialEnd): void;
  readStudyCurves(groupId: string, curve: CurveName): StudyCurves;
}

const FIELDS = [
  ...["number", "state", "parameters", "objectives", "epochsDone", "attempts", "error"],
  ...["pid", "host", "processStart", "heartbeatAt"],
];

interface TrialRow extends ProcessIdentity, Omit<StoredTrial, "parameters" | "objectives"> {
  readonly parameters: string;
  readonly objectives: string | null;
  readonly heartbeatAt: string;
}

/** @param random uniform numbers in [0, 1) for ids */
export function storedStudies(database: Database, now: () => Date, random: () => number): Studies {
  const readTrials = (groupId: string): StoredTrial[] => trialsOf(database, groupId, now());
  return {
    createStudy: ({ name, project, planned, definition }) =>
      database.write(() => {
        const wanted = checkedRunName(name);
        refuseTaken(database, wanted);
        const id = newRunId(now(), random);
        const createdAt = now().toISOString();
        database.run(
          `INSERT INTO run_groups (id, kind, project, name, planned, created_at)
           VALUES (@id, 'sweep', @project, @name, @planned, @createdAt)`,
          { id, project, name: wanted, planned, createdAt },
        );
        database.run("INSERT INTO studies (group_id, definition) VALUES (@id, @definition)", { id, definition });
        return id;
      }),
    readStudy: (groupId) =>
      database.get<{ definition: string }>("SELECT definition FROM studies WHERE group_id = @groupId", { groupId })
        ?.definition ?? null,
    planTrials: (groupId, planned) => {
      database.write(() =>
        database.run("UPDATE run_groups SET planned = @planned, ended_at = NULL WHERE id = @groupId", {
          groupId,
          planned,
        }),
      );
    },
    readTrials,
    claimTrial: (groupId, choose) =>
      database.write(() => {
        const trials = readTrials(groupId);
        const claim = choose(trials);
        if (claim === null) return null;
        const number = claim.kind === "again" ? claim.number : (trials.at(-1)?.number ?? 0) + 1;
        const taken = { groupId, number, ...currentProcess(), heartbeatAt: now().toISOString() };
        if (claim.kind === "new") {
          database.run(
            `INSERT INTO trials (group_id, number, state, parameters, attempts, pid, host, process_start, heartbeat_at)
             VALUES (@groupId, @number, 'running', @parameters, 1, @pid, @host, @processStart, @heartbeatAt)`,
            { ...taken, parameters: JSON.stringify(claim.parameters) },
          );
        } else {
          database.run(
            `UPDATE trials SET state = 'running', attempts = attempts + 1, error = NULL, pid = @pid, host = @host,
               process_start = @processStart, heartbeat_at = @heartbeatAt
             WHERE group_id = @groupId AND number = @number`,
            taken,
          );
        }
        return readTrials(groupId).find((trial) => trial.number === number) ?? null;
      }),
    trialHeartbeat: (groupId, number) => {
      const heartbeatAt = now().toISOString();
      database.write(() =>
        database.run("UPDATE trials SET heartbeat_at = @heartbeatAt WHERE group_id = @groupId AND number = @number", {
          ...{ groupId, number, heartbeatAt },
        }),
      );
    },
    endTrial: (groupId, number, { state, objectives, epochsDone, error }) => {
      database.write(() =>
        database.run(
          // who ends in good order has not died of the trial
          `UPDATE trials SET state = @state, objectives = coalesce(@objectives, objectives),
             epochs_done = coalesce(@epochsDone, epochs_done), error = @error,
             attempts = iif(@state = 'interrupted', 0, attempts)
           WHERE group_id = @groupId AND number = @number`,
          {
            ...{ groupId, number, state, epochsDone: epochsDone ?? null, error: error ?? null },
            objectives: objectives === undefined ? null : JSON.stringify(objectives),
          },
        ),
      );
    },
    readStudyCurves: (groupId, { split, taskPath, metricName }) =>
      curvesOf(database, groupId, split, taskPath, metricName),
  };
}

function trialsOf(database: Database, groupId: string, now: Date): StoredTrial[] {
  const viewer = currentProcess();
  return database
    .all<TrialRow>(
      `SELECT ${selection(FIELDS)},
         (SELECT run_id FROM group_runs WHERE group_id = trials.group_id AND position = number) AS run
       FROM trials WHERE group_id = @groupId ORDER BY number`,
      { groupId },
    )
    .map(({ parameters, objectives, pid, host, processStart, heartbeatAt, ...row }) => {
      const alive = (): boolean =>
        isAlive({ pid, host, processStart }, viewer) ?? now.getTime() - Date.parse(heartbeatAt) <= HEARTBEAT_LIMIT_MS;
      return {
        ...row,
        state: row.state === "running" && !alive() ? "interrupted" : row.state,
        parameters: parsed(database, parameters) as StoredTrial["parameters"],
        objectives: objectives === null ? null : (parsed(database, objectives) as (number | null)[]),
      };
    });
}

function parsed(database: Database, json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (error) {
    throw new StoreError(`${database.file} has a trial that is not as dnn-cool writes it.`, {}, { cause: error });
  }
}

function curvesOf(
  database: Database,
  groupId: string,
  split: Split,
  taskPath: string,
  metricName: string,
): StudyCurves {
  const rows = database.all<{ number: number; epoch: number; value: number }>(
    `SELECT position AS number, epoch, value
     FROM group_runs JOIN metric_series USING (run_id) JOIN series_points ON series_id = metric_series.id
     WHERE group_id = @groupId AND split = @split AND task_path = @taskPath AND metric_name = @metricName
       AND value IS NOT NULL AND epoch IS NOT NULL
     ORDER BY position, step`,
    { groupId, split, taskPath, metricName },
  );
  const curves = new Map<number, { epoch: number; value: number }[]>();
  for (const { number, epoch, value } of rows) {
    const curve = curves.get(number);
    if (curve === undefined) curves.set(number, [{ epoch, value }]);
    else curve.push({ epoch, value });
  }
  return curves;
}

function refuseTaken(database: Database, name: string): void {
  const group = database.get<{ kind: string }>("SELECT kind FROM run_groups WHERE name = @name LIMIT 1", { name });
  const isRun = database.get("SELECT 1 FROM runs WHERE name = @name LIMIT 1", { name }) !== undefined;
  if (group === undefined && !isRun) return;
  if (group?.kind === "sweep") {
    throw new UsageError(
      `There is a study named ${name}. Go on with it (cool sweep --resume ${name}), or choose another --name.`,
      { name },
    );
  }
  throw new UsageError(`A ${isRun ? "run" : "group of runs"} is named ${name}. Choose another --name for the study.`, {
    name,
  });
}
