/** @file W&B's offline folders (`wandb/offline-run-…/run-….wandb`), as `wandb sync` would send them. */
import { readdirSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { CoolError, DataError, messageOf as textOfError } from "../../errors.js";
import { filesOf, sha256Of } from "../../records/run-files.js";
import type { RunSink, Source, SourceRun } from "../shape.js";
import { WandbReader } from "./wandb-reader.js";
import { wandbRecords } from "./wandb-log.js";
import { messageOf, messagesIn, RECORD, RUN, textIn, timeIn } from "./wandb-records.js";

const DEEPEST = 4;

/** Files of runs at or below a path; without those of `latest-run`, which is a link. */
export function wandbFilesBelow(path: string, depth = 0): string[] {
  if (statSync(path).isFile()) return path.endsWith(".wandb") ? [path] : [];
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => !entry.name.startsWith(".") && entry.name !== "node_modules")
    .flatMap((entry) => {
      const inner = join(path, entry.name);
      if (entry.isFile() && entry.name.endsWith(".wandb")) return [inner];
      return entry.isDirectory() && depth < DEEPEST ? wandbFilesBelow(inner, depth + 1) : [];
    })
    .sort();
}

/** @throws DataError where there is none */
export function openWandb(path: string): Source {
  const root = resolve(path);
  const files = wandbFilesBelow(root);
  if (files.length === 0) throw new DataError(`There are no W&B runs (run-*.wandb) below ${root}.`, { path: root });
  return {
    ...{ kind: "wandb", path: root, left: [] },
    runs: files.map(sourceRun),
    understood: [`${files.length} W&B runs`],
  };
}

function sourceRun(file: string): SourceRun {
  const begun = beginningOf(file);
  let digest: string | undefined;
  return {
    id: begun.id,
    label: begun.name,
    startedAt: begun.startedAt,
    digest() {
      digest ??= sha256Of(file);
      return digest;
    },
    read(sink) {
      const files = join(dirname(file), "files");
      const reader = new WandbReader(sink, files);
      try {
        for (const record of wandbRecords(file)) reader.take(record);
      } catch (error) {
        // what stands before the damage is good
        if (!(error instanceof CoolError) || !reader.hasBegun) throw error;
        sink.leave("rest of the run's file", textOfError(error));
      }
      tellFiles(sink, files);
      return reader.facts(begun.name);
    },
  };
}

/** Which run it is: its first records say so. */
function beginningOf(file: string) {
  const unknown = { id: basename(file), name: basename(dirname(file)), startedAt: null };
  try {
    for (const bytes of wandbRecords(file)) {
      const [run] = messagesIn(messageOf(bytes), RECORD.run);
      if (run === undefined) continue;
      const id = [RUN.entity, RUN.project, RUN.id].map((field) => textIn(run, field) ?? "").join("/");
      const startedAt = timeIn(run, RUN.startTime);
      return {
        id: `${id}/${startedAt ?? ""}`,
        name: textIn(run, RUN.name) ?? textIn(run, RUN.id) ?? unknown.name,
        startedAt,
      };
    }
  } catch {
    // reading it says what is wrong
  }
  return unknown;
}

function tellFiles(sink: RunSink, folder: string): void {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) return;
  const files = filesOf(folder, () => sink.leave("files", "links and devices are not followed"));
  for (const { path, bytes } of files) sink.file(folder, path, bytes);
}
