/** @file A scored split → the contact sheets of each task's best and worst samples. */
import { at, f32At } from "../../arrays.js";
import { bestAndWorst, type InterpretedSample } from "../../analysis/interpret.js";
import { indexOf } from "../../analysis/row-or-token.js";
import type { ScoredSplit, ScoredTask } from "../../analysis/score.js";
import { countedPixels, pixelsOf } from "../../decoding/areas.js";
import { type FlowGraph, isPerPixel, type PixelSpec } from "../../flow/graph.js";
import type { AnswerColumn } from "../../flow/masks.js";
import { picturesIn } from "../../analysis/pixels/picture-figures.js";
import type { Split } from "../../tasks/evaluation.js";
import { allLogits, behaviourOf, type Described, decodedScore } from "../../tasks/index.js";
import type { ContactSheet, Tile } from "./contact-sheet.js";
import { figuresOf } from "./figures.js";
import { maskKeys, type NumberRange, overlaid, rangeOf, seenPixels } from "./mask-overlay.js";
import type { SamplePicture } from "./picture.js";

/** A row of a split. */
export interface SampleReference {
  readonly split: Split;
  readonly row: number;
  readonly id: string;
  /** Token of the row, from 0, where it is one that is meant. */
  readonly position?: number;
}

/** Finds what can be shown of a sample; called for the shown samples only. */
export type PictureSource = (sample: SampleReference) => SamplePicture | Promise<SamplePicture>;

export type Side = "best" | "worst";

export interface SampleSheet {
  readonly task_path: string;
  readonly side: Side;
  readonly sheet: ContactSheet;
}

/**
 * Two sheets for each task that has rows, one after the other: however large the split, only the samples of one sheet
 * are held.
 * @param options.top tiles of a sheet
 * @param options.tasks paths of the tasks wanted; default all
 */
export async function* sampleSheets(
  graph: FlowGraph,
  scored: ScoredSplit,
  pictureOf: PictureSource,
  options: { readonly top: number; readonly tasks?: readonly string[] },
): AsyncGenerator<SampleSheet> {
  const wanted = new Set(options.tasks ?? graph.tasks.map(({ path }) => path));
  for (const [i, { task_path, best, worst }] of bestAndWorst(graph, scored, options.top).entries()) {
    if (!wanted.has(task_path) || best.length === 0) continue;
    const task = at(scored.tasks, i);
    const figures = figuresOf(graph, scored, task_path);
    const { spec } = task.task;
    const counted = isPerPixel(spec) ? picturesIn(spec, task.lossMask) : task.lossMask;
    const count = counted.reduce((sum, active) => sum + active, 0);
    for (const [side, samples] of Object.entries({ best, worst }) as [Side, readonly InterpretedSample[]][]) {
      const masks = masksOf(task, samples);
      const tiles = samples.map(
        async (sample): Promise<Tile> => ({
          sample: sample.id,
          loss: sample.loss,
          ...(sample.measure === undefined ? {} : { measure: sample.measure }),
          label: describeAnswer(sample.label),
          prediction: describePrediction(task, sample, scored),
          ...(await picturesOf(masks, sample.row, await pictureOf(referenceTo(sample, scored.split)))),
          figures: figures(sample.row),
        }),
      );
      const subtitle = `${side} ${samples.length} of ${count} on ${scored.split}`;
      const keys = masks === null ? {} : { keys: maskKeys(masks.spec, masks.range) };
      yield { task_path, side, sheet: { title: task_path, subtitle, tiles: await Promise.all(tiles), ...keys } };
    }
  }
}

/** What is laid over the pictures of a sheet. */
interface SheetMasks {
  readonly spec: PixelSpec;
  /** Of the numbers of all pictures, so that a colour says the same on each. */
  readonly range: NumberRange;
  readonly at: (row: number) => Masks;
}

/** [height * width], NaN where a pixel does not count. */
interface Masks {
  readonly label: Float32Array;
  readonly answer: Float32Array;
}

/** null of a task that is not asked per pixel. */
function masksOf(task: ScoredTask, samples: readonly InterpretedSample[]): SheetMasks | null {
  const { spec } = task.task;
  if (!isPerPixel(spec)) return null;
  const maskAt = (row: number): Masks => {
    const where = (answers: AnswerColumn): Float32Array =>
      countedPixels(spec, answers, task.lossMask, row) ?? new Float32Array(pixelsOf(spec)).fill(Number.NaN);
    return { label: where(task.labels.answers), answer: where(task.decoded) };
  };
  const all = spec.kind === "regression" ? samples.map(({ row }) => maskAt(row)) : [];
  return { spec, range: rangeOf(all.flatMap(({ label, answer }) => [label, answer])), at: maskAt };
}

/** What is labelled over what is answered, where the task has masks and the picture can be read. */
async function picturesOf(
  masks: SheetMasks | null,
  row: number,
  picture: SamplePicture,
): Promise<Pick<Tile, "picture" | "below">> {
  const seen = masks === null ? null : await seenPixels(picture, masks.spec.size);
  if (masks === null || seen === null) return { picture };
  const { spec, range } = masks;
  const { label, answer } = masks.at(row);
  return { picture: overlaid(spec, seen, label, range), below: overlaid(spec, seen, answer, range) };
}

function referenceTo({ row, id, position }: InterpretedSample, split: Split): SampleReference {
  return { split, row, id, ...(position === undefined ? {} : { position }) };
}

/** An answer as it is read: `red, green`, `none` for an empty list, `?` where it is unknown. */
export function describeAnswer(answer: Described): string {
  if (answer === null) return "?";
  if (typeof answer === "number") return String(Number(answer.toPrecision(4)));
  if (typeof answer === "boolean" || typeof answer === "string") return String(answer);
  if (answer.length === 0) return "none";
  return answer.map((part) => (typeof part === "number" ? Number(part.toPrecision(3)) : part)).join(", ");
}

/** The answer with its score: the probability of yes, or of the class. */
function describePrediction(
  task: ScoredTask,
  { row, position, prediction }: InterpretedSample,
  scored: ScoredSplit,
): string {
  const score = scoreOf(task, indexOf(scored, { row, position: position ?? null }));
  return score === null
    ? describeAnswer(prediction)
    : `${describeAnswer(prediction)} ${score.toFixed(2).replace(/^0/, "")}`;
}

/** null where an answer is neither a choice nor one yes-or-no question. */
function scoreOf({ task: { spec }, kept, decoded }: ScoredTask, row: number): number | null {
  // what is said of a picture is no score of one of its pixels
  if (isPerPixel(spec)) return null;
  const behaviour = behaviourOf(spec);
  const choices = behaviour.choices(spec);
  if (choices !== null) return decodedScore(kept, choices.length, decoded, row);
  const [question, ...more] = behaviour.questions(spec);
  return question === null && more.length === 0 ? f32At(allLogits(kept).activated, row) : null;
}
