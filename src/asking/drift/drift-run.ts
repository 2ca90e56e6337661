/** @file `cool drift`: is new data still like what a run was trained on? */
import { readdirSync, statSync, writeFileSync } from "node:fs";
import { extname, join, resolve } from "node:path";
import { CoolError, lineOf, StoreError, UsageError } from "../../errors.js";
import { keepMonitor } from "../../records/monitor/monitor.js";
import { digestFiles } from "../../records/run-artifacts.js";
import { type RunSummary, summarize } from "../../records/run-summary.js";
import { openRunStore } from "../../storage/run-store.js";
import { loadRun } from "../load-run.js";
import type { OpenRunOptions } from "../stored-run.js";
import type { DriftFound, DriftOptions, FarRow } from "./drift-of.js";

/** What `cool drift --json` prints. */
export interface DriftResult extends Omit<DriftFound, "fresh"> {
  readonly run: RunSummary;
  /** Whether any test says so. */
  readonly drift: boolean;
  /** A picture of the furthest rows, where one was asked for. */
  readonly sheet: string | null;
}

export interface DriftRunOptions extends DriftOptions, OpenRunOptions {
  /** File of a picture of the furthest rows. */
  readonly sheet?: string | undefined;
}

/**
 * @param storeDir folder of the run store
 * @param named a table, a picture, or a folder of pictures
 * @throws UsageError for a folder without pictures; what opening a run and its inputs throws
 */
export async function driftRun(
  storeDir: string,
  reference: string,
  named: string,
  options: DriftRunOptions = {},
): Promise<DriftResult> {
  const inputs = inputsIn(named);
  const run = await loadRun(storeDir, reference, options);
  try {
    const { fresh, ...found } = await run.drift(inputs, options);
    const kept = fresh === null ? [] : await keep(storeDir, run.run.id, () => keepMonitor(run.dir, fresh));
    const sheet = options.sheet === undefined ? null : await drawFurthest(found.furthest, resolve(options.sheet));
    return {
      run: summarize(run.run, run.dir),
      ...{ ...found, notes: [...found.notes, ...kept], sheet },
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

const PICTURES = new Set([".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff"]);

function inputsIn(named: string): string[] {
  if (statSync(named, { throwIfNoEntry: false })?.isDirectory() !== true) return [named];
  const pictures = readdirSync(named, { recursive: true, encoding: "utf8" })
    .filter((name) => PICTURES.has(extname(name).toLowerCase()))
    .sort()
    .map((name) => join(named, name));
  if (pictures.length > 0) return pictures;
  throw new UsageError(
    `The folder ${named} has no pictures (${[...PICTURES].join(", ")}). Name one that has some, or a table.`,
    { folder: named },
  );
}

async function drawFurthest(furthest: readonly FarRow[], file: string): Promise<string> {
  if (furthest.length === 0) throw new UsageError("There is no distance to draw: features are not compared.");
  // drawing is only loaded where pictures are asked for
  const { drawContactSheet } = await import("../../logging/panels/contact-sheet.js");
  const tiles = furthest.map(({ input, distance, beyond }) => ({
    ...{ sample: input, loss: 0, measure: { name: "distance", value: distance }, figures: [] },
    label: "further than",
    prediction: `${(100 * beyond).toFixed(1)} % of train`,
    picture: { kind: "file", path: resolve(input) } as const,
  }));
  const subtitle = `the ${tiles.length} rows that are furthest from train`;
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
