/** @file What a group of runs keeps beside them, which goes with its runs from store to store. */
import { copyFileSync, existsSync, lstatSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { StoreError } from "../../errors.js";
import { isRunId } from "../../storage/run-record.js";
import { assertWithin, type SizeLimits } from "../archive.js";

/** Nothing else of a group's folder is copied. */
const KEPT = ["calibration.json", "predictions/valid.parquet", "predictions/test.parquet"] as const;

/**
 * Copies the calibration of a group and the answers of its runs together into another store, as far as that lacks them.
 * @param from folder of a store, and `to` of the other
 * @throws StoreError where one of the files, or a folder around them, is a link or too large
 */
export function copyGroup(from: string, to: string, id: string, limits?: SizeLimits): void {
  // an id from elsewhere becomes a path below
  if (!isRunId(id)) throw new StoreError(`${JSON.stringify(id.slice(0, 60))} is not the id of a group.`, { id });
  const folder = join("groups", id);
  for (const path of ["groups", folder, join(folder, "predictions")]) assertKind(from, path, "folder");
  const files = KEPT.flatMap((name) => {
    const bytes = assertKind(from, join(folder, name), "file");
    return bytes === null ? [] : [{ path: join(folder, name), bytes }];
  });
  if (limits !== undefined) assertWithin(limits, files);
  for (const { path } of files) {
    const target = join(to, path);
    if (existsSync(target)) continue;
    const unfinished = `${target}.writing-${process.pid}`;
    mkdirSync(dirname(target), { recursive: true });
    try {
      copyFileSync(join(from, path), unfinished);
      renameSync(unfinished, target);
    } finally {
      rmSync(unfinished, { force: true });
    }
  }
}

/** @returns its size; null where it is missing */
function assertKind(storeDir: string, path: string, kind: "file" | "folder"): number | null {
  const stats = lstatSync(join(storeDir, path), { throwIfNoEntry: false });
  if (stats === undefined) return null;
  if (kind === "file" ? stats.isFile() : stats.isDirectory()) return stats.size;
  throw new StoreError(`${path} is no plain ${kind} of a store.`, { path });
}
