/** @file Threshold after threshold to its best place among the others, from several beginnings. */
import { at } from "../../arrays.js";
import { selectEntries } from "../../data/labels/select-labels.js";
import { createRandom } from "../../data/rng.js";
import type { FlowGraph } from "../../flow/graph.js";
import type { ScoredSplit } from "../score.js";
import type { ChainQuestion } from "./candidates.js";
import { Chain } from "./chain.js";
import { type ChainObjective, type Floor, isBetter, type Merit, meritOf } from "./objective.js";
import { offsetsFor, takeRows } from "./take-rows.js";

/** What is looked for. */
export interface Aim {
  readonly objective: ChainObjective;
  readonly floors: readonly Floor[];
}

/** Rounds over all thresholds; a few are enough, and each makes things better. */
const MOST_ROUNDS = 30;
/** Rows on which beginnings are compared, before the best are brought to their end on all. */
const SAMPLE = 20_000;
const FINALISTS = 2;

/** How good the chain's choice is. */
export function meritNow(chain: Chain, { objective, floors }: Aim): Merit {
  return meritOf(chain.sums, objective, floors, chain.rows);
}

/** Moves one threshold at a time to the best of its candidates, until none makes anything better. */
export function ascend(chain: Chain, aim: Aim): Merit {
  let merit = meritNow(chain, aim);
  for (let round = 0; round < MOST_ROUNDS; round++) {
    let isMoved = false;
    chain.questions.forEach((_, place) => {
      const merits = chain.sweep(place).map((sums) => meritOf(sums, aim.objective, aim.floors, chain.rows));
      const best = merits.reduce((a, b) => (isBetter(b, a) ? b : a));
      if (!isBetter(best, merit)) return;
      merit = best;
      isMoved = true;
      const chosen = middleOfLongest(merits.map((one) => !isBetter(best, one)));
      chain.choose(chain.choice.map((own, i) => (i === place ? chosen : own)));
    });
    if (!isMoved) break;
  }
  return merit;
}

/** The middle of the longest stretch: what lies between equals is likely to hold on other rows. */
function middleOfLongest(isBest: readonly boolean[]): number {
  let [from, longest, middle] = [0, 0, 0];
  isBest.forEach((best, i) => {
    if (!best) {
      from = i + 1;
      return;
    }
    if (i + 1 - from <= longest) return;
    longest = i + 1 - from;
    middle = (from + i) >> 1;
  });
  return middle;
}

/**
 * The best choice found: from the thresholds that the split is scored with, and from random ones. Of many rows a part
 * decides which of these are brought to their end.
 */
export function searchChoice(
  graph: FlowGraph,
  scored: ScoredSplit,
  questions: readonly ChainQuestion[],
  tolerance: number,
  aim: Aim,
  restarts: number,
): readonly number[] {
  const chain = new Chain(graph, scored, questions, tolerance);
  let best = ascend(chain, aim);
  let choice = chain.choice;
  for (const begin of finalists(graph, scored, questions, tolerance, aim, restarts)) {
    chain.choose(begin);
    const merit = ascend(chain, aim);
    if (isBetter(merit, best)) [best, choice] = [merit, chain.choice];
  }
  return choice;
}

function finalists(
  graph: FlowGraph,
  scored: ScoredSplit,
  questions: readonly ChainQuestion[],
  tolerance: number,
  aim: Aim,
  restarts: number,
): (readonly number[])[] {
  const random = createRandom("chain");
  const rows = sampleOf(scored.ids.length);
  const part = rows === null ? scored : takeRows(graph, scored, rows);
  const own =
    rows === null
      ? questions
      : questions.map((question) => ({ ...question, bins: binsIn(graph, scored, question, rows) }));
  const chain = new Chain(graph, part, own, tolerance);
  const ends = Array.from({ length: restarts }, () => {
    chain.choose(questions.map(({ candidates }) => random.int(candidates.length)));
    return { merit: ascend(chain, aim), choice: chain.choice };
  });
  const ranked = ends.sort((a, b) => (isBetter(a.merit, b.merit) ? -1 : Number(isBetter(b.merit, a.merit))));
  const seen = new Set<string>();
  return ranked
    .flatMap(({ choice }) => {
      const key = choice.join();
      if (seen.has(key)) return [];
      seen.add(key);
      return [choice];
    })
    .slice(0, FINALISTS);
}

/** Rows at equal distances; null: all of them. */
function sampleOf(rows: number): Int32Array | null {
  if (rows <= SAMPLE) return null;
  return Int32Array.from({ length: SAMPLE }, (_, i) => Math.floor((i * rows) / SAMPLE));
}

function binsIn(graph: FlowGraph, scored: ScoredSplit, { task, bins }: ChainQuestion, rows: Int32Array): Uint8Array {
  return selectEntries(bins, rows, 1, offsetsFor(at(graph.tasks, task).spec, scored.offsets));
}
