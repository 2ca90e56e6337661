/** @file A scored split → the contact sheets of each task's best and worst samples. */
import { at, f32At } from "../../arrays.js";
import { bestAndWorst, type InterpretedSample } from "../../analysis/interpret.js";
import { indexOf } from "../../analysis/row-or-token.js";
import type { ScoredSplit, ScoredTask } from "../../analysis/score.js";
import { type FlowGraph, isPerPixel } from "../../flow/graph.js";
import type { Split } from "../../tasks/evaluation.js";
import { allLogits, behaviourOf, type Described, decodedScore } from "../../tasks/index.js";
import type { ContactSheet, Tile } from "./contact-sheet.js";
import { figuresOf } from "./figures.js";
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
    const count = task.lossMask.reduce((sum, active) => sum + active, 0);
    for (const [side, samples] of Object.entries({ best, worst }) as [Side, readonly InterpretedSample[]][]) {
      const tiles = samples.map(
        async (sample): Promise<Tile> => ({
          sample: sample.id,
          loss: sample.loss,
          ...(sample.measure === undefined ? {} : { measure: sample.measure }),
          label: describeAnswer(sample.label),
          prediction: describePrediction(task, sample, scored),
          picture: await pictureOf(referenceTo(sample, scored.split)),
          figures: figures(sample.row),
        }),
      );
      const subtitle = `${side} ${samples.length} of ${count} on ${scored.split}`;
      yield { task_path, side, sheet: { title: task_path, subtitle, tiles: await Promise.all(tiles) } };
    }
  }
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
