/** @file The table artifacts: the files of a run's folder, with their digests. */
import { isAbsolute, normalize } from "node:path";
import { StoreError } from "../../errors.js";
import { insertion, selection } from "./columns.js";
import type { Database } from "../database/database.js";

/** A file in a run's folder. */
export interface Artifact {
  /** Relative to the run's folder, with `/` between its parts. */
  readonly path: string;
  readonly bytes: number;
  /** Hex. */
  readonly sha256: string;
}

const FIELDS = ["path", "bytes", "sha256"];
const UPSERT = `${insertion("artifacts", ["runId", ...FIELDS])}
  ON CONFLICT (run_id, path) DO UPDATE SET bytes = excluded.bytes, sha256 = excluded.sha256`;

/** Adds files, or renews the digests of known ones; to be called within `write`. */
export function recordArtifacts(database: Database, runId: string, artifacts: readonly Artifact[]): void {
  database.runEach(
    UPSERT,
    artifacts.map(({ path, bytes, sha256 }) => ({ runId, path: checkedArtifactPath(path), bytes, sha256 })),
  );
}

/** To be called within `write`. */
export function forgetArtifacts(database: Database, runId: string): void {
  database.run("DELETE FROM artifacts WHERE run_id = @runId", { runId });
}

export function readArtifacts(database: Database, runId: string): Artifact[] {
  return database.all(`SELECT ${selection(FIELDS)} FROM artifacts WHERE run_id = @runId ORDER BY path`, { runId });
}

/** The path in its plain form. @throws StoreError for one outside of the run's folder */
export function checkedArtifactPath(path: string): string {
  const clean = normalize(path).replaceAll("\\", "/");
  if (!isAbsolute(clean) && clean !== "." && clean !== ".." && !clean.startsWith("../")) return clean;
  throw new StoreError(`The artifact "${path}" lies outside of its run's folder. Give a path within the folder.`, {
    path,
  });
}
