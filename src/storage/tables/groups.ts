/** @file The tables of groups: runs that belong together, such as the folds of a cross-validation, and what they come to. */
import { StoreError, UsageError } from "../../errors.js";
import type { GroupEvaluationRow } from "../../tasks/evaluation.js";
import type { Database } from "../database/database.js";
import { checkedRunName, newRunId } from "../run-record.js";
import { keyHolder, takeKey } from "./keys.js";
import { checkRun } from "./runs.js";

/** Why runs belong together. */
export type GroupKind = "folds" | "sweep";

export interface NewGroup {
  readonly kind: GroupKind;
  readonly project: string;
  /** Where another group has it, it is given the next number. */
  readonly name: string;
  /** How many runs there are to be. */
  readonly planned: number;
  /** Under which it is started, and gone on with by whoever starts it again. */
  readonly key?: string | undefined;
}

export interface RunGroup extends Omit<NewGroup, "key"> {
  readonly id: string;
  readonly createdAt: string;
  /** ISO 8601; null while its runs are not all evaluated together. */
  readonly endedAt: string | null;
  /** Ids by place, from 1; runs that are deleted are no longer among them. */
  readonly runs: readonly { readonly position: number; readonly id: string }[];
}

/** Groups of a store. */
export interface RunGroups {
  createGroup(group: NewGroup): RunGroup;
  /** @param position from 1; a run that had it before makes room */
  addToGroup(groupId: string, runId: string, position: number): RunGroup;
  /** The group of this id, else the latest of this name; null where there is none. */
  findGroup(reference: string): RunGroup | null;
  /**
   * The group that was started under a key of a project; null where there is none.
   * @throws UsageError where a run has the key
   */
  keyedGroup(project: string, key: string): RunGroup | null;
  /** The group that a run belongs to; null where it is in none. */
  groupOf(runId: string): RunGroup | null;
  listGroups(): RunGroup[];
  /** Its runs stay. */
  removeGroup(groupId: string): void;
  /** Keeps what the runs come to together; the group has ended then. */
  endGroup(groupId: string, rows: readonly GroupEvaluationRow[]): RunGroup;
  readGroupEvaluation(groupId: string): GroupEvaluationRow[];
}

const COLUMNS = "split, gates, task_path, metric_name, mean, deviation, runs, metric_res, num_samples";

/** @param random uniform numbers in [0, 1) for ids */
export function storedGroups(database: Database, now: () => Date, random: () => number): RunGroups {
  const getGroup = (id: string): RunGroup => {
    const found = find(database, "id = @wanted", id);
    if (found === null) throw new StoreError(`${database.file} has no group ${id}.`, { group: id });
    return found;
  };
  return {
    createGroup: ({ kind, project, name: wanted, planned, key }) =>
      database.write(() => {
        const id = newRunId(now(), random);
        const name = freeName(database, checkedRunName(wanted));
        database.run(
          `INSERT INTO run_groups (id, kind, project, name, planned, created_at)
           VALUES (@id, @kind, @project, @name, @planned, @createdAt)`,
          { ...{ kind, project, planned, id, name }, createdAt: now().toISOString() },
        );
        if (key !== undefined) takeKey(database, { project, key }, { groupId: id });
        return getGroup(id);
      }),
    addToGroup: (groupId, runId, position) =>
      database.write(() => {
        checkRun(database, runId);
        database.run(
          "INSERT OR REPLACE INTO group_runs (group_id, run_id, position) VALUES (@groupId, @runId, @position)",
          { groupId, runId, position },
        );
        return getGroup(groupId);
      }),
    findGroup: (reference) =>
      find(database, "id = @wanted", reference.trim()) ?? find(database, "name = @wanted", reference.trim()),
    keyedGroup: (project, key) => {
      const holder = keyHolder(database, { project, key });
      if (holder === null) return null;
      if ("groupId" in holder) return getGroup(holder.groupId);
      throw new UsageError(`The key "${key}" is that of one run. Leave --folds out, or choose another key.`, {
        ...{ key, project, run: holder.runId },
      });
    },
    groupOf: (runId) => find(database, "id = (SELECT group_id FROM group_runs WHERE run_id = @wanted)", runId),
    listGroups: () =>
      database
        .all<{ id: string }>("SELECT id FROM run_groups ORDER BY created_at DESC, id DESC")
        .map(({ id }) => getGroup(id)),
    removeGroup: (groupId) => {
      database.write(() => database.run("DELETE FROM run_groups WHERE id = @groupId", { groupId }));
    },
    endGroup: (groupId, rows) =>
      database.write(() => {
        database.run("DELETE FROM group_evaluation WHERE group_id = @groupId", { groupId });
        database.runEach(
          `INSERT INTO group_evaluation (group_id, ${COLUMNS}, baseline, beats_baseline)
           VALUES (@groupId, ${COLUMNS.replace(/(\w+)/g, "@$1")}, @baseline, @beats_baseline)`,
          rows.map(({ baseline = null, beats_baseline, interval: _of_one_run, ...row }) => ({
            ...{ ...row, groupId, baseline },
            beats_baseline: beats_baseline === undefined ? null : Number(beats_baseline),
          })),
        );
        database.run("UPDATE run_groups SET ended_at = @endedAt WHERE id = @groupId", {
          groupId,
          endedAt: now().toISOString(),
        });
        return getGroup(groupId);
      }),
    readGroupEvaluation: (groupId) =>
      database
        .all<StoredRow>(
          `SELECT ${COLUMNS}, baseline, beats_baseline FROM group_evaluation WHERE group_id = @groupId ORDER BY seq`,
          { groupId },
        )
        .map(({ baseline, beats_baseline, ...row }) => ({
          ...row,
          ...(baseline === null ? {} : { baseline }),
          ...(beats_baseline === null ? {} : { beats_baseline: beats_baseline === 1 }),
        })),
  };
}

type StoredRow = Omit<GroupEvaluationRow, "baseline" | "beats_baseline"> & {
  readonly baseline: number | null;
  readonly beats_baseline: number | null;
};

function find(
  database: Database,
  condition: "id = @wanted" | "name = @wanted" | "id = (SELECT group_id FROM group_runs WHERE run_id = @wanted)",
  wanted: string,
): RunGroup | null {
  const row = database.get<Omit<RunGroup, "runs">>(
    `SELECT id, kind, project, name, planned, created_at AS createdAt, ended_at AS endedAt FROM run_groups
     WHERE ${condition} ORDER BY created_at DESC LIMIT 1`,
    { wanted },
  );
  if (row === undefined) return null;
  const runs = database.all<{ position: number; id: string }>(
    "SELECT position, run_id AS id FROM group_runs WHERE group_id = @id ORDER BY position",
    { id: row.id },
  );
  return { ...row, runs };
}

/** A name that no run and no group has: the given one, or that with the next number. */
export function freeName(database: Database, name: string): string {
  const isTaken = (one: string): boolean =>
    database.get("SELECT 1 FROM run_groups WHERE name = @one UNION ALL SELECT 1 FROM runs WHERE name = @one LIMIT 1", {
      one,
    }) !== undefined;
  if (!isTaken(name)) return name;
  let number = 2;
  while (isTaken(`${name}-${number}`)) number += 1;
  return `${name}-${number}`;
}
