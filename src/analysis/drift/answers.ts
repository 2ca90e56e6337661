/** @file Answers to new rows beside those to train: how often each question is asked, and what is said. */
import { f32At } from "../../arrays.js";
import { isPerElement, conditionKey, type FlowGraph, type TaskNode } from "../../flow/graph.js";
import { answerWidth } from "../../flow/masks.js";
import { flowFacts } from "../../flow/kinds.js";
import { answerSpaceOf } from "../../tasks/answer-space.js";
import { behaviourOf } from "../../tasks/index.js";
import type { ScoredSplit, ScoredTask } from "../score.js";
import { sketchOf } from "./sketch.js";
import { compareCounts, compareNumbers, type DriftTest } from "./tests.js";

/**
 * One test for how often questions are asked, of those of one condition the first, and one for each answer on the rows where it is, by the
 * network's own gates. Tasks per token are left out: tokens of a row are no independent evidence.
 */
export function compareAnswers(graph: FlowGraph, train: ScoredSplit, now: ScoredSplit, limit?: number): DriftTest[] {
  const seen = new Set<string>();
  return graph.tasks.flatMap((task): DriftTest[] => {
    const [before, after] = [train.tasks[task.index], now.tasks[task.index]];
    if (before === undefined || after === undefined) return [];
    if (isPerElement(task.spec) || behaviourOf(task.spec).answeredBy !== "network") return [];
    const condition = conditionKey(task.precondition);
    const own = seen.has(condition) ? [] : asked(task, before, after, limit);
    seen.add(condition);
    return [...own, ...answers(task, before, after, limit)];
  });
}

function asked({ path, precondition }: TaskNode, before: ScoredTask, after: ScoredTask, limit?: number): DriftTest[] {
  if (precondition === null) return [];
  const count = ({ activePredicted }: ScoredTask): number[] => {
    const open = activePredicted.reduce<number>((sum, one) => sum + one, 0);
    return [activePredicted.length - open, open];
  };
  const about = { kind: "asked", name: path } as const;
  return [compareCounts(about, ["not asked", "asked"], count(before), count(after), { ...limited(limit), shown: 1 })];
}

function answers({ path, spec }: TaskNode, before: ScoredTask, after: ScoredTask, limit?: number): DriftTest[] {
  const width = answerWidth(spec);
  const form = answerSpaceOf(spec)?.form ?? (width === 1 ? "numbers" : null);
  if (form === null) return [];
  const names = flowFacts(spec).names(spec);
  const isYesNo = form === "choice" && names.length === 0;
  return Array.from({ length: width }, (_, i): DriftTest => {
    const [own, other] = [activeAnswers(before, width, i), activeAnswers(after, width, i)];
    const about = { kind: "answer", name: width === 1 ? path : `${path}/${names[i] ?? i}` } as const;
    if (form === "numbers") return compareNumbers(about, sketchOf(own), other, limit);
    const categories = form === "labels" || isYesNo ? ["no", "yes"] : names;
    const shown = form === "labels" || isYesNo ? { shown: 1 } : {};
    return compareCounts(about, categories, countsOf(own, categories.length), countsOf(other, categories.length), {
      ...limited(limit),
      ...shown,
    });
  });
}

function limited(limit: number | undefined): { readonly limit?: number } {
  return limit === undefined ? {} : { limit };
}

/** One of the numbers of each answer, on rows where the question is asked and answered. */
function activeAnswers({ decoded, activePredicted }: ScoredTask, width: number, i: number): number[] {
  return Array.from(activePredicted, (open, row) => (open === 1 ? f32At(decoded, row * width + i) : Number.NaN)).filter(
    (value) => !Number.isNaN(value),
  );
}

function countsOf(values: readonly number[], categories: number): number[] {
  const counts = new Array<number>(categories).fill(0);
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
}
