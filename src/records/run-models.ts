/** @file Models beside a run's network, or in its place, and its tokenizers: in the store by content, they go with a run. */
import { copyFileSync, existsSync, lstatSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { storedTokenizer, tokenizersOf } from "../data/tokenizers/stored-tokenizer.js";
import { storedModel } from "../engine/model/pretrained/external-part.js";
import { StoreError } from "../errors.js";
import { assertWithin, type SizeLimits } from "./archive.js";
import { readRunConfig } from "./run-documents.js";
import { runFiles } from "./run-folder.js";
import { sha256Of } from "./run-files.js";

/**
 * Copies the models that feed a run, or answer in it, and its tokenizers into its new store, as far as that lacks them.
 * @param runDir of the run in either store
 * @throws StoreError where one is no plain file, too large, or not of the content that the run names
 */
export function copyModels(from: string, to: string, runDir: string, limits?: SizeLimits): void {
  if (!existsSync(runFiles(runDir).config)) return;
  for (const { digest, place } of keptFiles(runDir)) {
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

/** Models that feed a run, or answer in the place of its network, and what cuts its texts. */
function keptFiles(runDir: string): readonly { readonly digest: string; place(store: string): string }[] {
  const { externals, adopted, inputs } = readRunConfig(runDir);
  const models = [...(externals?.parts ?? []), ...(adopted === undefined ? [] : [adopted])];
  return [
    ...models.map((part) => ({ digest: part.digest, place: (store: string) => storedModel(store, part) })),
    ...tokenizersOf(inputs).map(({ digest }) => ({ digest, place: (store: string) => storedTokenizer(store, digest) })),
  ];
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
