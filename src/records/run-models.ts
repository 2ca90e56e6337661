/** @file The models beside a run's network and its tokenizers, which lie in the store by their content: what goes with a run. */
import { copyFileSync, existsSync, lstatSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { storedTokenizer, tokenizersOf } from "../data/tokenizers/stored-tokenizer.js";
import { storedModel } from "../engine/model/pretrained/external-part.js";
import { StoreError } from "../errors.js";
import { assertWithin, type SizeLimits } from "./archive.js";
import { NO_EXTERNALS } from "../engine/model/pretrained/external-part.js";
import { readRunConfig } from "./run-documents.js";
import { runFiles } from "./run-folder.js";
import { sha256Of } from "./run-files.js";

/**
 * Copies the models and tokenizers that feed a run into its new store, as far as that lacks them.
 * @param runDir of the run in either store
 * @throws StoreError where one is no plain file, too large, or not of the content that the run names
 */
export function copyModels(from: string, to: string, runDir: string, limits?: SizeLimits): void {
  if (!existsSync(runFiles(runDir).config)) return;
  const { externals = NO_EXTERNALS, inputs } = readRunConfig(runDir);
  const kept = [
    ...externals.parts.map((part) => ({ digest: part.digest, in: (store: string) => storedModel(store, part) })),
    ...tokenizersOf(inputs).map(({ digest }) => ({ digest, in: (store: string) => storedTokenizer(store, digest) })),
  ];
  for (const { digest, in: place } of kept) {
    const [source, target] = [place(from), place(to)];
    if (existsSync(target)) continue;
    const stats = lstatSync(source, { throwIfNoEntry: false });
    // a store that has lost a model still has what the run found out
    if (stats === undefined) continue;
    if (!stats.isFile())
      throw new StoreError(`${source} is a link or a folder, and no file that a run keeps.`, { file: source });
    if (limits !== undefined) assertWithin(limits, [{ path: source, bytes: stats.size }]);
    copyChecked(source, target, digest);
  }
}

function copyChecked(source: string, target: string, digest: string): void {
  const unfinished = `${target}.writing-${process.pid}`;
  mkdirSync(dirname(target), { recursive: true });
  try {
    copyFileSync(source, unfinished);
    // what is kept is what was looked at
    if (sha256Of(unfinished) !== digest) {
      throw new StoreError(`${source} is not the file that the run names: its SHA-256 is another one.`, {
        file: source,
      });
    }
    renameSync(unfinished, target);
  } finally {
    rmSync(unfinished, { force: true });
  }
}
