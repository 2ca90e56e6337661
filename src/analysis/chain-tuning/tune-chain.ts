/**
 * @file Thresholds of all questions of a flow chosen together, for what users get (docs/architecture.md#tuning-the-chain).
 */
import { at, f64At } from "../../arrays.js";
import type { FlowGraph } from "../../flow/graph.js";
import type { Thresholds } from "../../tasks/index.js";
import { DEFAULT_TOLERANCE } from "../end-to-end.js";
import { type ScoredSplit, withThresholds } from "../score.js";
import { type Aim, meritNow, searchChoice } from "./ascent.js";
import { type ChainQuestion, chainQuestions, chosenThresholds } from "./candidates.js";
import { Chain, type ChainSums } from "./chain.js";
import { costFactors } from "./cost-factors.js";
import { leastCost } from "./eliminate.js";
import { type Barren, barrenUnder, type Floor, floorValue, objectiveOf } from "./objective.js";

const DEFAULT_RESTARTS = 8;
/** No metric is above 1. */
const OUT_OF_REACH = 2;

/** One threshold before and after. */
export interface MovedThreshold {
  readonly task_path: string;
  /** Null: the task itself. */
  readonly label: string | null;
  /** As tuned by itself. */
  readonly separate: number;
  readonly together: number;
}

export interface ChainTuning {
  /** One entry per task of the graph. */
  readonly thresholds: readonly Thresholds[];
  /** Of each question. */
  readonly moved: readonly MovedThreshold[];
  /** Whether no choice among the candidates is better. */
  readonly method: "exact" | "ascent";
  /** A floor that nothing reaches. */
  readonly unreached: UnreachedFloor | null;
}

export interface UnreachedFloor {
  readonly floor: Floor;
  /** The highest value that was found for it alone. */
  readonly best: number;
  /** The tasks that no threshold brings nearer to it. */
  readonly barren: Barren;
}

export interface ChainOptions {
  /** Of numbers, as a share of their range. */
  readonly tolerance?: number;
  /** Random beginnings of the ascent. */
  readonly restarts?: number;
}

/**
 * Chooses the thresholds of all yes-or-no questions together, among at most 64 candidates each. Never worse on this split
 * than the thresholds that it is given with: these are candidates, too. Costs without a floor are least exactly where the
 * cost is a sum over conjunctions and no four thresholds too many hang together; elsewhere one threshold after the other
 * moves to its best place, from several beginnings.
 * @param separate the split decided by thresholds that were tuned one by one
 */
export function tuneChain(
  graph: FlowGraph,
  separate: ScoredSplit,
  aim: Aim,
  { tolerance = DEFAULT_TOLERANCE, restarts = DEFAULT_RESTARTS }: ChainOptions = {},
): ChainTuning {
  const questions = chainQuestions(graph, separate);
  const exact = exactChoice(graph, separate, questions, aim, tolerance);
  const choice = exact ?? searchChoice(graph, separate, questions, tolerance, aim, restarts);
  const before = separate.tasks.map(({ thresholds }) => thresholds);
  const chain = new Chain(graph, separate, questions, tolerance);
  chain.choose(choice);
  const missed = aim.floors.find((floor) => meritNow(chain, { ...aim, floors: [floor] }).short > 0);
  const highest = (floor: Floor): number => {
    const only: Aim = { ...aim, floors: [{ ...floor, least: OUT_OF_REACH }] };
    chain.choose(searchChoice(graph, separate, questions, tolerance, only, restarts));
    return floorValue(chain.sums, floor);
  };
  return {
    thresholds: chosenThresholds(before, questions, choice),
    moved: questions.map(({ task, label, candidates, start }, i) => ({
      ...{ task_path: at(graph.tasks, task).path, label },
      ...{ separate: f64At(candidates, start), together: f64At(candidates, at(choice, i)) },
    })),
    method: exact === null ? "ascent" : "exact",
    unreached:
      missed === undefined ? null : { floor: missed, best: highest(missed), barren: barrenUnder(chain.sums, missed) },
  };
}

function exactChoice(
  graph: FlowGraph,
  scored: ScoredSplit,
  questions: readonly ChainQuestion[],
  { objective, floors }: Aim,
  tolerance: number,
): number[] | null {
  if (objective.kind !== "cost" || floors.length > 0) return null;
  const factors = costFactors(graph, scored, questions, objective.costs, tolerance);
  if (factors === null) return null;
  return leastCost(
    factors,
    questions.map(({ candidates }) => candidates.length),
    questions.map(({ start }) => start),
  );
}

/** What a split comes to, decided by some thresholds. */
export interface ChainValue {
  /** The objective: a mean metric, or a cost per row. */
  readonly value: number;
  /** What the floors' metrics come to. */
  readonly floors: readonly number[];
}

/** @param thresholds default: those that the split is scored with */
export function chainValue(
  graph: FlowGraph,
  scored: ScoredSplit,
  { objective, floors }: Aim,
  tolerance: number = DEFAULT_TOLERANCE,
  thresholds?: readonly Thresholds[],
): ChainValue {
  const decided = thresholds === undefined ? scored : withThresholds(graph, scored, thresholds);
  const sums: ChainSums = new Chain(graph, decided, [], tolerance).sums;
  return {
    value: objectiveOf(sums, objective, decided.ids.length),
    floors: floors.map((floor) => floorValue(sums, floor)),
  };
}
