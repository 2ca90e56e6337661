/** @file `cool interpret`: the samples that a finished run answers best and worst, as a list and as pictures. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { bestAndWorst, type InterpretedSample, type TaskInterpretation } from "../analysis/interpret.js";
import type { ScoredSplit } from "../analysis/score.js";
import { StoreError, UnknownNameError } from "../errors.js";
import type { FlowGraph } from "../flow/graph.js";
import type { PictureSource } from "../logging/panels/sample-sheets.js";
import type { RunStore } from "../storage/run-store.js";
import type { Split } from "../tasks/evaluation.js";
import { behaviourOf } from "../tasks/index.js";
import { type RunSummary, summarize } from "../records/run-summary.js";
import { storedPictures } from "./sample-pictures.js";
import { type OpenRunOptions, openStoredRun, predictedSplits, readScoredSplit } from "./stored-run.js";

/** A sample and what can be shown of it. */
export interface ShownSample extends InterpretedSample {
  /** File of its image; null where the run has no image input. */
  readonly image: string | null;
  /** Its words, with «» around the one that is meant, where the run reads tokens and no images. */
  readonly text?: string;
}

export interface ShownInterpretation extends TaskInterpretation {
  readonly best: readonly ShownSample[];
  readonly worst: readonly ShownSample[];
}

export interface InterpretResult {
  readonly run: RunSummary;
  readonly split: Split;
  readonly tasks: readonly ShownInterpretation[];
  /** Contact sheets that were written. */
  readonly sheets: readonly string[];
}

export interface InterpretOptions extends OpenRunOptions {
  /** Path of one task; default all. */
  readonly task?: string | undefined;
  readonly top?: number;
  /** Default: valid, or the first split that the run has. */
  readonly split?: Split | undefined;
  /** Folder for the contact sheets, `<task>.best.png` and `<task>.worst.png`; made if needed. */
  readonly out?: string | undefined;
}

/**
 * From the run's folder and the images it was made of; an image that has gone is a placeholder with the reason.
 * @throws UnknownNameError for a task or run that is not there, StoreError for a split without predictions or a folder
 *   that cannot be written
 */
export async function interpretRun(
  store: RunStore,
  reference: string,
  options: InterpretOptions = {},
): Promise<InterpretResult> {
  const stored = await openStoredRun(store, reference, options);
  const { graph, dir, run } = stored;
  // what comes with the inputs is no answer of the network
  const answered = graph.tasks.filter(({ spec }) => behaviourOf(spec).answeredBy === "network");
  const paths = answered.map(({ path }) => path);
  if (options.task !== undefined && !paths.includes(options.task)) {
    throw new UnknownNameError("task", options.task, paths, `run ${run.id}`, { exitCode: 2 });
  }
  const known = predictedSplits(dir);
  const split = options.split ?? (known.includes("valid") ? "valid" : (known[0] ?? "valid"));
  const scored = await readScoredSplit(stored, split);
  const top = options.top ?? 10;
  const wanted = options.task === undefined ? paths : [options.task];
  const pictureOf = await storedPictures(stored, split);
  const withPicture = (sample: InterpretedSample): ShownSample => {
    const picture = pictureOf(sample);
    const image = picture.kind === "file" ? picture.path : null;
    return { ...sample, image, ...(picture.kind === "text" ? { text: picture.text } : {}) };
  };
  const tasks = bestAndWorst(graph, scored, top)
    .filter(({ task_path }) => wanted.includes(task_path))
    .map(
      ({ task_path, best, worst }): ShownInterpretation => ({
        task_path,
        best: best.map(withPicture),
        worst: worst.map(withPicture),
      }),
    );
  const sheets =
    options.out === undefined
      ? []
      : await writeSheets(graph, scored, pictureOf, resolve(options.out), { tasks: wanted, top });
  return { run: summarize(run, dir), split, tasks, sheets };
}

async function writeSheets(
  graph: FlowGraph,
  scored: ScoredSplit,
  pictureOf: PictureSource,
  folder: string,
  options: { readonly tasks: readonly string[]; readonly top: number },
): Promise<string[]> {
  // drawing is only loaded where pictures are asked for
  const { samplePanels } = await import("../logging/panels/split-panels.js");
  const written: string[] = [];
  const panels = samplePanels(graph, scored, pictureOf, { ...options, format: "png" });
  for await (const { task_path, name, image } of panels) {
    const file = join(folder, `${task_path}.${name}.png`);
    writePicture(folder, file, "png" in image ? image.png : image.jpeg);
    written.push(file);
  }
  return written;
}

function writePicture(folder: string, file: string, bytes: Uint8Array): void {
  try {
    mkdirSync(folder, { recursive: true });
    writeFileSync(file, bytes);
  } catch (error) {
    throw new StoreError(
      `The contact sheet ${file} cannot be written: ${(error as Error).message}. Name another folder with --out.`,
      { file },
      { cause: error },
    );
  }
}
