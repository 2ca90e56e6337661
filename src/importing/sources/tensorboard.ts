/** @file TensorBoard's log folders, of any writer: a run per folder that holds event files. */
import { createHash } from "node:crypto";
import { basename, resolve } from "node:path";
import { CoolError, DataError, messageOf } from "../../errors.js";
import { EventTail } from "../../logging/tensorboard/event-tail.js";
import { decodeHParams, decodeSessionEnd, HPARAMS_TAGS } from "../../logging/tensorboard/hparams.js";
import type { Event, SummaryValue } from "../../logging/tensorboard/index.js";
import { sha256Of } from "../../records/run-files.js";
import { blocksOf } from "../../tracking/command/line-tail.js";
import { pictureOf as bytesOfPicture, stringsOf } from "../../tracking/event-places.js";
import { pictureOf } from "../pictures.js";
import { NO_FACTS, type RunFacts, type RunSink, type Source, type SourceRun } from "../shape.js";
import { nested } from "../texts.js";
import { type RunFile, type RunFolder, runFolders } from "./tensorboard-folders.js";

/** @throws DataError where no event file lies below the folder */
export function openTensorboard(path: string): Source {
  const root = resolve(path);
  const folders = runFolders(root);
  if (folders.length === 0) {
    throw new DataError(`There are no TensorBoard event files (*tfevents*) below ${root}.`, { path: root });
  }
  const ids = new Set<string>();
  const runs = folders.map((folder): SourceRun => {
    // a copy beside the original is a run of its own
    const id = ids.has(folder.id) ? `${folder.id}/${folder.folder}` : folder.id;
    ids.add(id);
    const label = folder.folder === "" ? basename(root) : folder.folder;
    let digest: string | undefined;
    return {
      ...{ id, label, startedAt: folder.startedAt },
      digest() {
        digest ??= digestOf(folder);
        return digest;
      },
      read: (sink) => new RunReader(sink, label, basename(root)).read(folder),
    };
  });
  const files = folders.reduce((sum, folder) => sum + folder.files.length, 0);
  return {
    kind: "tensorboard",
    path: root,
    runs,
    understood: [`${files} event files of ${runs.length} runs`],
    left: [],
  };
}

function digestOf({ files }: RunFolder): string {
  const hash = createHash("sha256");
  for (const { path, split, curve } of files) hash.update(JSON.stringify([sha256Of(path), split, curve]));
  return hash.digest("hex");
}

/** What a session ended with: nothing is told of most. */
interface End {
  readonly isFailure: boolean;
  readonly time: number;
}

class RunReader {
  readonly #sink: RunSink;
  readonly #label: string;
  readonly #project: string;
  readonly #config = new Map<string, unknown>();
  #end: End | null = null;

  constructor(sink: RunSink, label: string, project: string) {
    this.#sink = sink;
    this.#label = label;
    this.#project = project;
  }

  read({ files, startedAt }: RunFolder): RunFacts {
    for (const file of files) this.#readFile(file);
    const ended = this.#end;
    return {
      ...NO_FACTS,
      ...{ name: this.#label, project: this.#project, startedAt, config: nested(this.#config) },
      state: ended?.isFailure === true ? "failed" : "finished",
      endedAt: ended === null || ended.time === 0 ? null : ended.time,
    };
  }

  #readFile(file: RunFile): void {
    const tail = new EventTail(file.path);
    const plugins = new Map<string, string>();
    try {
      for (const block of blocksOf(file.path, 0)) {
        for (const event of tail.add(block)) this.#take(file, event, plugins);
      }
    } catch (error) {
      if (!(error instanceof CoolError)) throw error;
      this.#sink.leave("rest of an event file", messageOf(error));
    }
    if (tail.isTorn) this.#sink.leave("torn record", `${basename(file.path)} ends within it`);
  }

  #take(file: RunFile, { step, wallTime, content }: Event, plugins: Map<string, string>): void {
    if (content.kind === "graph") this.#sink.leave("graphs", "the store keeps no graphs");
    if (content.kind !== "summary") return;
    for (const value of content.values) {
      if (value.metadata !== undefined) plugins.set(value.tag, value.metadata.plugin);
      this.#takeValue(file, value, { step, time: wallTime, split: file.split }, plugins.get(value.tag));
    }
  }

  #takeValue(
    { curve }: RunFile,
    value: SummaryValue,
    place: { readonly step: number; readonly time: number; readonly split: string | undefined },
    plugin: string | undefined,
  ): void {
    const sink = this.#sink;
    const tag = curve === undefined ? value.tag : `${value.tag}_${curve}`;
    if (plugin === "hparams" || value.tag.startsWith("_hparams_/")) this.#takeHparams(value);
    else if (value.scalar !== undefined) sink.point(tag, value.scalar, place);
    else if (value.histogram !== undefined) sink.histogram(tag, value.histogram, place);
    else if (plugin === "histograms" && value.tensor?.values instanceof Float64Array)
      sink.histogram(tag, value.tensor.values, place);
    else if (value.image !== undefined || plugin === "images") {
      const bytes = bytesOfPicture(value, plugin);
      const picture = bytes === undefined ? null : pictureOf(bytes);
      if (picture === null) sink.leave("images", "neither PNG nor JPEG");
      else sink.image(tag, picture, place);
      const more = stringsOf(value).length - 3;
      if (more > 0) sink.leave("images", "one picture of each step is taken", more);
    } else if (plugin === "text")
      for (const text of stringsOf(value)) sink.text(tag, Buffer.from(text).toString("utf8"), place);
    else if (value.isAudio === true || plugin === "audio") sink.leave("audio", "the store keeps no sounds");
    else sink.leave(plugin === undefined ? "values" : `values of ${plugin}`, "the store has no place for them");
  }

  #takeHparams({ tag, metadata }: SummaryValue): void {
    if (metadata === undefined) return;
    for (const [key, value] of Object.entries(decodeHParams(metadata.content))) this.#config.set(key, value);
    if (tag === HPARAMS_TAGS.sessionEnd) this.#end = decodeSessionEnd(metadata.content) ?? this.#end;
  }
}
