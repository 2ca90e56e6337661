/** @file `cool drift`: is new data still like what a run was trained on? */
import { statSync, writeFileSync } from "node:fs";
import { dirname, extname, resolve } from "node:path";
import { at } from "../../arrays.js";
import { isPicture } from "../../data/inputs/image-paths.js";
import { CoolError, lineOf, StoreError, UsageError } from "../../errors.js";
import type { SamplePicture } from "../../logging/panels/picture.js";
import { keepMonitor } from "../../records/monitor/monitor.js";
import { digestFiles } from "../../records/run-artifacts.js";
import { type RunSummary, summarize } from "../../records/run-summary.js";
import { openRunStore } from "../../storage/run-store.js";
import { loadRun } from "../load-run.js";
import type { OpenRunOptions } from "../stored-run.js";
import type { DriftFound, DriftOptions, FarRow } from "./drift-of.js";

/** What `cool drift --json` prints. */
export interface DriftResult extends Omit<DriftFound, "fresh" | "pictures"> {
  readonly run: RunSummary;
  /** Whether any test says so. */
  readonly drift: boolean;
  /** A picture of the furthest rows, where one was asked for. */
  readonly sheet: string | null;
}

export interface DriftRunOptions extends Omit<DriftOptions, "pictures">, OpenRunOptions {
  /** File of a picture of the furthest rows. */
  readonly sheet?: string | undefined;
}

/**
 * @param storeDir folder of the run store
 * @param named a table, a picture, or a folder or a pattern of pictures
 * @throws DataError for a folder without pictures; what opening a run and its inputs throws
 */
export async function driftRun(
  storeDir: string,
  reference: string,
  named: string,
  options: DriftRunOptions = {},
): Promise<DriftResult> {
  if (options.sheet !== undefined) checkSheet(options.sheet);
  const run = await loadRun(storeDir, reference, options);
  try {
    const pictures = options.sheet === undefined ? undefined : folderOf(named);
    const { fresh, pictures: drawn, ...found } = await run.drift([named], { ...options, pictures });
    const kept = fresh === null ? [] : await keep(storeDir, run.run.id, () => keepMonitor(run.dir, fresh));
    const isDrawn = options.sheet !== undefined && drawn.length > 0;
    const sheet = isDrawn ? await drawFurthest(found.furthest, drawn, resolve(options.sheet)) : null;
    const undrawn = options.sheet === undefined || isDrawn ? [] : ["no sheet is drawn: there are no furthest rows"];
    return {
      run: summarize(run.run, run.dir),
      ...{ ...found, notes: [...found.notes, ...kept, ...undrawn], sheet },
      drift: found.tests.some(({ drift }) => drift),
    };
  } finally {
    run.close();
  }
}

/** What was computed from the tables stays with the run, if that may be written. */
async function keep(storeDir: string, id: string, write: () => void): Promise<string[]> {
  try {
    const store = openRunStore(storeDir, { create: false });
    try {
      write();
      store.recordArtifacts(id, await digestFiles(store.runDir(id)));
      return [];
    } finally {
      store.close();
    }
  } catch (error) {
    if (!(error instanceof CoolError)) throw error;
    return [`what was computed of train is not kept: ${lineOf(error)}`];
  }
}

/** Where the pictures that a table names lie; those of a folder are named from here. */
function folderOf(named: string): string {
  const isFile = statSync(named, { throwIfNoEntry: false })?.isFile() === true;
  return isFile && !isPicture(named) ? dirname(named) : ".";
}

/** Before anything is computed. */
function checkSheet(sheet: string): void {
  if (extname(sheet).toLowerCase() !== ".png") {
    throw new UsageError(`--sheet ${sheet} is drawn as PNG: name a file that ends with .png.`, { sheet });
  }
  const folder = dirname(resolve(sheet));
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true) return;
  throw new UsageError(`There is no folder ${folder} for --sheet. Make it, or name another file.`, { sheet, folder });
}

async function drawFurthest(
  furthest: readonly FarRow[],
  pictures: readonly SamplePicture[],
  file: string,
): Promise<string> {
  // drawing is only loaded where pictures are asked for
  const { drawContactSheet } = await import("../../logging/panels/contact-sheet.js");
  const tiles = furthest.map(({ input, distance, beyond }, i) => ({
    ...{ sample: input, loss: 0, measure: { name: "d", value: distance }, figures: [] },
    ...{ label: "", prediction: "", note: `${Number((100 * beyond).toFixed(1))} % nearer` },
    picture: at(pictures, i),
  }));
  const subtitle = "furthest rows: distance d from train (1: its median), share of train nearer";
  const image = await drawContactSheet({ title: "drift", subtitle, tiles }, "png");
  try {
    writeFileSync(file, "png" in image ? image.png : image.jpeg);
  } catch (error) {
    throw new StoreError(
      `The sheet ${file} cannot be written: ${lineOf(error)}. Name another file with --sheet.`,
      { file },
      { cause: error },
    );
  }
  return file;
}
