/** @file How much of each kind a report holds, so that its file stays a few megabytes whatever the runs are. */

/** Runs that one report can be about. */
export const MOST_RUNS = 50;
/** Runs of a study, the best first; of all others there is the study's own table. */
export const MOST_STUDY_RUNS = 10;
/** Trials of a study in its table and pictures. */
export const MOST_TRIALS = 1000;
/** Curves; beyond them tasks keep their losses and the metrics that stand for them, in turns. */
export const MOST_CURVES = 3000;
/** Points of all curves together. */
export const MOST_POINTS = 200_000;
/** Rows of evaluation of all runs together. */
export const MOST_EVALUATION_ROWS = 6000;
/** Candidate thresholds of all questions together. */
export const MOST_CANDIDATES = 40_000;
/** Bytes of all pictures together, before they are written as text. */
export const MOST_PICTURE_BYTES = 3_000_000;
/** The longer side of a picture. */
export const PICTURE_SIDE = 168;
/** Best and worst samples of a task, each. */
export const SAMPLES = 6;
/** Classes of a confusion matrix that is shown. */
export const MOST_CLASSES = 40;
/** Cells of all confusion matrices together. */
export const MOST_CELLS = 60_000;
/** Tasks whose answers are looked at, of all runs together. */
export const MOST_DETAILED_TASKS = 400;
export const MOST_SETTINGS = 400;
export const MOST_LOG_LINES = 200;

/** How many each of `count` gets of a budget. */
export function share(
  budget: number,
  count: number,
  bounds: { readonly least: number; readonly most: number },
): number {
  return Math.max(bounds.least, Math.min(bounds.most, Math.floor(budget / Math.max(1, count))));
}

/** What the parts of a report leave out, each sentence once. */
export class LeftOut {
  readonly #sentences = new Set<string>();

  say(sentence: string): void {
    this.#sentences.add(sentence);
  }

  get sentences(): readonly string[] {
    return [...this.#sentences];
  }
}

/** Something of which a report holds only so much. */
export class Allowance {
  #left: number;

  constructor(most: number) {
    this.#left = most;
  }

  /** @returns whether there was enough of it left */
  take(amount: number): boolean {
    if (amount > this.#left) return false;
    this.#left -= amount;
    return true;
  }
}
