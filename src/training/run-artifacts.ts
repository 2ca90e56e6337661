/** @file The final files of a run's folder, with their digests. */
import { createHash } from "node:crypto";
import { createReadStream, existsSync, readdirSync, statSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { pipeline } from "node:stream/promises";
import type { Artifact } from "../storage/tables/artifacts.js";
import { SPLITS } from "../tasks/evaluation.js";

// event files and the log go on growing after this; the rest is final
const GROWING = new Set<string>([...SPLITS, "system", "stdout.log"]);

/** Sizes and sha256 of the run's final files. */
export async function digestFiles(runDir: string): Promise<Artifact[]> {
  if (!existsSync(runDir)) return [];
  const files = readdirSync(runDir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => {
      const [first = ""] = relative(runDir, file).split(sep);
      return !GROWING.has(first) && !first.startsWith("events.out.tfevents.");
    });
  return Promise.all(
    files.sort().map(async (file) => {
      const hash = createHash("sha256");
      await pipeline(createReadStream(file), hash);
      return {
        path: relative(runDir, file).split(sep).join("/"),
        bytes: statSync(file).size,
        sha256: hash.digest("hex"),
      };
    }),
  );
}
