/** @file The final files of a run's folder, with their digests. */
import { createHash } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { filesOf, isFinal } from "./run-files.js";
import type { Artifact } from "../storage/tables/artifacts.js";

/** Sizes and sha256 of the run's final files; links are none. */
export async function digestFiles(runDir: string): Promise<Artifact[]> {
  if (!existsSync(runDir)) return [];
  const files = filesOf(runDir, () => {}).filter(isFinal);
  return Promise.all(
    files.map(async ({ path, bytes }) => {
      const hash = createHash("sha256");
      await pipeline(createReadStream(join(runDir, path)), hash);
      return { path, bytes, sha256: hash.digest("hex") };
    }),
  );
}
