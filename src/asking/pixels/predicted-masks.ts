/** @file Answers to the pixels of pictures as mask files beside a table of answers. */
import { mkdirSync } from "node:fs";
import { basename, dirname, extname, join, relative } from "node:path";
import type { ScoredSplit } from "../../analysis/score.js";
import { writeMask } from "../../data/labels/masks/write-mask.js";
import { countedPixels } from "../../decoding/areas.js";
import { InterruptedError } from "../../errors.js";
import { isPerPixel, type TaskSpec } from "../../flow/graph.js";

/** Whether a task's answers are masks; numbers of pixels are told by their mean alone. */
export function hasMasks(spec: TaskSpec): boolean {
  return isPerPixel(spec) && spec.kind !== "regression";
}

/** The file of a mask, as the table names it: relative to its folder. By path of task and row. */
export type MaskFiles = (path: string, row: number) => string | null;

/**
 * Writes a mask of every picture of which any pixel is asked, to `<table>-masks/<task>/<row>.png`.
 * @param out the table
 * @throws InterruptedError where the signal fires
 */
export async function writeMasks(out: string, scored: ScoredSplit, signal?: AbortSignal): Promise<MaskFiles> {
  const folder = join(dirname(out), `${basename(out, extname(out))}-masks`);
  const files = new Map<string, string>();
  for (const answer of scored.tasks) {
    const { path, spec } = answer.task;
    if (!hasMasks(spec) || !isPerPixel(spec)) continue;
    mkdirSync(join(folder, path), { recursive: true });
    for (let row = 0; row < scored.ids.length; row++) {
      if (signal?.aborted === true) throw new InterruptedError("Interrupted.");
      const answers = countedPixels(spec, answer.decoded, answer.activePredicted, row);
      if (answers === null) continue;
      const file = join(folder, path, `${row + 1}.png`);
      await writeMask(file, spec, answers, spec.size);
      files.set(`${path}\n${row}`, relative(dirname(out), file));
    }
  }
  return (path, row) => files.get(`${path}\n${row}`) ?? null;
}
