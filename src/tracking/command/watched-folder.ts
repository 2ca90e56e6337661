/** @file Event files that a command writes below a folder, read while they grow: docs/track.md#event-files. */
import { statSync } from "node:fs";
import { relative, resolve, sep } from "node:path";
import { messageOf } from "../../errors.js";
import { EventTail } from "../../logging/tensorboard/event-tail.js";
import { decodeHParams, HPARAMS_TAGS } from "../../logging/tensorboard/hparams.js";
import type { Event, SummaryValue } from "../../logging/tensorboard/index.js";
import { eventFilesBelow, pictureOf, placeOf, stringsOf } from "../event-places.js";
import type { TrackedRun } from "../tracked-run.js";
import { blocksOf } from "./line-tail.js";

interface WatchedFile {
  readonly path: string;
  /** Its folder below the watched one, part by part. */
  readonly folder: readonly string[];
  readonly tail: EventTail;
  offset: number;
  isBroken: boolean;
  /** Plugins by tag: only the first value of a tag has its own. */
  readonly plugins: Map<string, string>;
}

/** Scalars, pictures, texts and hyperparameters of every event file below a folder, but for what was there before. */
export class WatchedFolder {
  readonly #run: TrackedRun;
  readonly #folder: string;
  readonly #files = new Map<string, WatchedFile>();
  /** The first folder with curves, whose names need no folder before them. */
  #first: string | null = null;
  #warnings = 0;

  constructor(run: TrackedRun, folder: string) {
    this.#run = run;
    this.#folder = resolve(folder);
    // of an earlier training
    for (const path of eventFilesBelow(this.#folder)) this.#open(path, statSync(path).size);
  }

  /** Takes over what was written since the last call. */
  read(): void {
    for (const path of eventFilesBelow(this.#folder)) {
      const file = this.#files.get(path) ?? this.#open(path, 0);
      if (!file.isBroken) this.#readFile(file);
    }
  }

  #open(path: string, offset: number): WatchedFile {
    const folder = relative(this.#folder, path).split(sep).slice(0, -1);
    const file = { path, folder, tail: new EventTail(path), offset, isBroken: false, plugins: new Map() };
    this.#files.set(path, file);
    return file;
  }

  #readFile(file: WatchedFile): void {
    try {
      for (const block of blocksOf(file.path, file.offset)) {
        file.offset += block.length;
        for (const event of file.tail.add(block)) this.#take(file, event);
      }
    } catch (error) {
      file.isBroken = true;
      this.#warn(`${messageOf(error)} What follows in it is not taken.`);
    }
  }

  #take(file: WatchedFile, { step, wallTime, content }: Event): void {
    if (content.kind !== "summary") return;
    for (const value of content.values) {
      if (value.metadata !== undefined) file.plugins.set(value.tag, value.metadata.plugin);
      try {
        this.#takeValue(file, value, Number.isSafeInteger(step) && step >= 0 ? step : 0, wallTime);
      } catch (error) {
        // a name too long, a tag of another kind: the rest goes on
        this.#warn(`${file.path}: ${messageOf(error)}`);
      }
    }
  }

  #takeValue(file: WatchedFile, value: SummaryValue, step: number, time: number): void {
    const plugin = file.plugins.get(value.tag);
    const picture = pictureOf(value, plugin);
    if (value.tag === HPARAMS_TAGS.sessionStart && value.metadata !== undefined) {
      this.#run.config(decodeHParams(value.metadata.content));
    } else if (picture !== undefined) {
      const { name, split } = this.#nameOf(file.folder, value.tag);
      void this.#run.image(name, picture, { step, split });
    } else if (value.scalar !== undefined) {
      const { name, split } = this.#nameOf(file.folder, value.tag);
      this.#run.log({ [name]: value.scalar }, { step, split, time });
    } else if (plugin === "text") {
      const { name } = this.#nameOf(file.folder, value.tag);
      for (const text of stringsOf(value)) this.#run.text(name, Buffer.from(text).toString("utf8"), { step });
    }
  }

  #nameOf(folder: readonly string[], tag: string): { readonly name: string; readonly split: string | undefined } {
    const { name, split, rest } = placeOf(folder, tag);
    const place = rest.join(".");
    this.#first ??= place;
    return { name: place === this.#first ? name : `${place || "."}/${name}`, split };
  }

  #warn(line: string): void {
    this.#warnings += 1;
    if (this.#warnings <= MOST_WARNINGS) this.#run.warn(line);
    if (this.#warnings === MOST_WARNINGS) this.#run.warn(`More of ${this.#folder} is not told.`);
  }
}

const MOST_WARNINGS = 10;
