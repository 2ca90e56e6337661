/** @file Answers to the pixels of pictures as mask files beside a table of answers. */
import { mkdirSync } from "node:fs";
import { basename, dirname, extname, join, relative } from "node:path";
import type { ScoredSplit, ScoredTask } from "../../analysis/score.js";
import { writeMask } from "../../data/labels/masks/write-mask.js";
import { pixelsOf } from "../../decoding/areas.js";
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
      const answers = askedAnswers(answer, row);
      if (answers === null) continue;
      const file = join(folder, path, `${row + 1}.png`);
      await writeMask(file, spec, answers, spec.size);
      files.set(`${path}\n${row}`, relative(dirname(out), file));
    }
  }
  return (path, row) => files.get(`${path}\n${row}`) ?? null;
}

/** NaN where a pixel is not asked; null where none is. */
function askedAnswers({ task, decoded, activePredicted }: ScoredTask, row: number): Float32Array | null {
  const pixels = pixelsOf(task.spec);
  const [from, to] = [row * pixels, (row + 1) * pixels];
  const asked = activePredicted.subarray(from, to);
  if (!asked.includes(1)) return null;
  return decoded.subarray(from, to).map((answer, pixel) => (asked[pixel] === 1 ? answer : Number.NaN));
}
