/** @file source.json of a run: what it was made from, with the texts that git has not. */
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { CapturedSource, SourceRecord } from "../provenance/capture-source.js";
import type { SourcePatch } from "../provenance/git.js";
import { runFiles, writeJson } from "./run-folder.js";

const SOURCE_FORMAT_VERSION = 2;

/** Writes source.json, source.patch where anything was not committed, and the text of modules that git has not. */
export function writeSource(runDir: string, { git, digest, files, patch, kept }: CapturedSource): void {
  const record: SourceRecord = {
    formatVersion: SOURCE_FORMAT_VERSION,
    ...git,
    digest,
    files,
    patch: patch === null ? null : describePatch(patch),
    kept: kept.map(({ path }) => path),
  };
  writeJson(runFiles(runDir).source, record);
  if (patch !== null && patch.text !== "") writeFileSync(join(runDir, "source.patch"), patch.text);
  if (kept.length > 0) mkdirSync(runFiles(runDir).sourceTexts, { recursive: true });
  for (const { file, sha256 } of kept) copyFileSync(file, join(runFiles(runDir).sourceTexts, sha256));
}

function describePatch({ text, untracked, leftOut, leftOutCount }: SourcePatch): SourceRecord["patch"] {
  return { bytes: Buffer.byteLength(text), untracked, leftOut, leftOutCount };
}
