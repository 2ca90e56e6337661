/** @file The samples that each task answers best and worst, with what can be shown of them. */
import { at } from "../arrays.js";
import { bestAndWorst, type InterpretedSample } from "../analysis/interpret.js";
import type { ScoredSplit } from "../analysis/score.js";
import type { FlowGraph } from "../flow/graph.js";
import { figuresOf } from "../logging/panels/figures.js";
import type { SamplePicture as FoundPicture } from "../logging/panels/picture.js";
import type { StoredInterpretation } from "../storage/tables/interpretation.js";
import { SAMPLES } from "./budget.js";
import type { SampleMark, SampleReport } from "./document.js";
import { answerText } from "./sample-text.js";

/** Finds what can be shown of a sample. */
export type PictureSource = (sample: {
  readonly id: string;
  readonly row: number;
  readonly position?: number;
}) => FoundPicture;

export interface ShownSamples {
  /** Per task of the graph. */
  readonly byTask: ReadonlyMap<string, readonly SampleReport[]>;
  /** What can be shown of each sample, by its id. */
  readonly found: ReadonlyMap<string, FoundPicture>;
}

/** From a run's answers, with boxes and points on the pictures, and words around tokens. */
export function scoredSamples(graph: FlowGraph, scored: ScoredSplit, pictureOf: PictureSource): ShownSamples {
  const found = new Map<string, FoundPicture>();
  const byTask = new Map<string, readonly SampleReport[]>();
  for (const { task_path, best, worst } of bestAndWorst(graph, scored, SAMPLES)) {
    const figures = figuresOf(graph, scored, task_path);
    const told =
      (side: "best" | "worst") =>
      (sample: InterpretedSample, rank: number): SampleReport => {
        if (!found.has(sample.id)) found.set(sample.id, pictureOf(sample));
        return {
          ...{ split: scored.split, side, rank, sample: sample.id },
          loss: finite(sample.loss),
          label: answerText(sample.label),
          prediction: answerText(sample.prediction),
          marks: found.get(sample.id)?.kind === "file" ? figures(sample.row).map(markOf) : [],
        };
      };
    byTask.set(task_path, [...best.map(told("best")), ...worst.map(told("worst"))]);
  }
  return { byTask, found };
}

/** From what the store keeps, for runs whose answers cannot be read. */
export function storedSamples(rows: readonly StoredInterpretation[], pictureOf: PictureSource): ShownSamples {
  const found = new Map<string, FoundPicture>();
  const byTask = new Map<string, SampleReport[]>();
  const splits = new Set(rows.map(({ split }) => split));
  const split = splits.has("valid") ? "valid" : [...splits][0];
  for (const row of rows) {
    if (row.split !== split || row.rank >= SAMPLES) continue;
    if (!found.has(row.sample)) found.set(row.sample, pictureOf({ id: row.sample, row: -1 }));
    const own = byTask.get(row.taskPath) ?? [];
    byTask.set(row.taskPath, own);
    own.push({
      ...{ split: row.split, side: row.side, rank: row.rank, sample: row.sample },
      loss: row.loss === null ? null : finite(row.loss),
      ...{ label: answerText(row.label), prediction: answerText(row.prediction), marks: [] },
    });
  }
  return { byTask, found };
}

function markOf({ source, shape }: ReturnType<ReturnType<typeof figuresOf>>[number]): SampleMark {
  const [width, height] = shape.kind === "box" ? [shape.width, shape.height] : [0, 0];
  const rounded = [shape.x, shape.y, width, height].map((value) => Number(value.toFixed(4)));
  return {
    of: source === "truth" ? "label" : "prediction",
    ...{ x: at(rounded, 0), y: at(rounded, 1), width: at(rounded, 2), height: at(rounded, 3) },
  };
}

function finite(loss: number): number | null {
  return Number.isFinite(loss) ? Number(loss.toPrecision(4)) : null;
}
