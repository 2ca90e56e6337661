/** @file The table of keys: which run, or group of folds, goes on when the same is started again. */
import { StoreError } from "../../errors.js";
import type { Database } from "../database/database.js";

/** A key as its project has it. */
export interface ProjectKey {
  readonly project: string;
  readonly key: string;
}

/** What has a key. */
type KeyHolder = { readonly runId: string } | { readonly groupId: string };

/**
 * Gives a key to a run or a group that is being stored; to be called within `write`, so that it is stored with its key
 * or not at all.
 * @throws StoreError where another one has it, which another process has begun meanwhile
 */
export function takeKey(database: Database, { project, key }: ProjectKey, holder: KeyHolder): void {
  const other = keyHolder(database, { project, key });
  if (other !== null) {
    const what = "runId" in other ? `run ${other.runId}` : `the group ${other.groupId}`;
    throw new StoreError(
      `The key "${key}" has been taken meanwhile: another process has begun ${what} with it. Start again to go on with that one when it has ended.`,
      { key, project, ...other },
    );
  }
  database.run(
    `INSERT OR REPLACE INTO run_keys (project, key, run_id, group_id) VALUES (@project, @key, @runId, @groupId)`,
    { ...{ project, key, runId: null, groupId: null }, ...holder },
  );
}

/** Who has a key; a run in the trash has given it up. */
export function keyHolder(database: Database, { project, key }: ProjectKey): KeyHolder | null {
  const row = database.get<{ runId: string | null; groupId: string | null }>(
    `SELECT run_id AS runId, group_id AS groupId FROM run_keys LEFT JOIN runs ON runs.id = run_id
     WHERE run_keys.project = @project AND key = @key AND deleted_at IS NULL`,
    { project, key },
  );
  if (row === undefined) return null;
  return row.runId === null ? { groupId: row.groupId ?? "" } : { runId: row.runId };
}
