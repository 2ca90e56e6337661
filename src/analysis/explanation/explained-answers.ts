/** @file One task's answers to a row, or to its tokens, as a node of an explanation tree shows them. */
import { at, f32At, i32At } from "../../arrays.js";
import { isPerElement, isPerPixel, type TaskNode, type TaskSpec } from "../../flow/graph.js";
import { answerWidth, neededOffsets, type Offsets } from "../../flow/masks.js";
import { areasOf, regionsOf } from "../../decoding/areas.js";
import { allLogits, behaviourOf, decodedScore, type KeptAnswers } from "../../tasks/index.js";
import type { ExplainableTask, ExplainedValue, SpreadOfRow, TaskAnswer, Uncertainty } from "./explanation.js";
import type { SampledAnswers, Spread } from "./uncertainty.js";

/** One task that is asked of one row. */
export interface AskedTask {
  readonly task: TaskNode;
  readonly answers: ExplainableTask;
  /** The row, or where its tokens that are asked lie among the tokens of all rows. */
  readonly asked: readonly number[];
  readonly row: number;
  readonly offsets: Offsets | null | undefined;
  /** Tokens of the row. */
  readonly words: readonly string[] | undefined;
}

const TOKENS_SHOWN = 32;

/** The row, or where its tokens lie among those of all rows, as far as the task is asked. */
export function rowsAsked(
  { spec }: TaskNode,
  { activePredicted }: ExplainableTask,
  offsets: Offsets | null | undefined,
  row: number,
): number[] {
  if (!isPerElement(spec)) return activePredicted[row] === 0 ? [] : [row];
  const all = neededOffsets(offsets);
  const [from, to] = [i32At(all, row), i32At(all, row + 1)];
  return Array.from({ length: to - from }, (_, i) => from + i).filter((token) => activePredicted[token] === 1);
}

/** An answer that is not the network's: its numbers say nothing of it. */
export function supposedAnswer({ spec }: TaskNode, { decoded }: ExplainableTask, entry: number): TaskAnswer {
  return { decoded: valuesOf(spec, decoded, entry), supposed: true, activated: [], logits: [] };
}

/** What the task answers, with its spread where the row was sampled. */
export function explainTask(asked: AskedTask, sampled: SampledAnswers | undefined): TaskAnswer {
  if (isPerPixel(asked.task.spec)) return explainPixels(asked);
  return !isPerElement(asked.task.spec) ? explainSample(asked, sampled) : explainTokens(asked, sampled);
}

function explainSample({ task: { spec, index }, answers, row }: AskedTask, sampled?: SampledAnswers): TaskAnswer {
  const behaviour = behaviourOf(spec);
  const width = behaviour.logitWidth(spec);
  const { logits, activated } = allLogits(answers.kept);
  const scores = activated.subarray(row * width, (row + 1) * width);
  const choices = behaviour.choices(spec);
  const order = choices === null ? [...scores.keys()] : bestFirst(scores);
  const shown = order.map((i) => row * width + i);
  const spread = width === 0 ? undefined : sampled;
  return {
    decoded: choices === null ? valuesOf(spec, answers.decoded, row) : order.map((i) => at(choices, i)),
    ...questionsOf(spec, answers),
    activated: order.map((i) => f32At(scores, i)),
    logits: shown.map((i) => f32At(logits, i)),
    ...uncertaintyOf(spread, index, shown, indicesOf(row, answerWidth(spec))),
  };
}

/** What the answers to a picture's pixels come to: areas of regions, from the largest down, or the mean of numbers. */
function explainPixels({ task: { spec }, answers, asked, row }: AskedTask): TaskAnswer {
  const areas = areasOf(spec, answers.decoded, answers.activePredicted, row);
  const pixels = { pixels: asked.length };
  if (spec.kind === "regression") return { decoded: [f32At(areas, 0)], activated: [], logits: [], ...pixels };
  const order = bestFirst(areas).filter((region) => spec.kind === "binary" || f32At(areas, region) > 0);
  const names = regionsOf(spec);
  return {
    decoded: order.map((region) => names[region] ?? f32At(areas, region) > 0),
    ...questionsOf(spec, answers),
    activated: order.map((region) => f32At(areas, region)),
    logits: [],
    ...pixels,
  };
}

/** The answers at some tokens of a row. */
function explainTokens({ task, answers, asked, row, offsets, words }: AskedTask, sampled?: SampledAnswers): TaskAnswer {
  const { spec, index } = task;
  const { kept, decoded } = answers;
  const behaviour = behaviourOf(spec);
  const width = behaviour.logitWidth(spec);
  const choices = behaviour.choices(spec);
  const all = neededOffsets(offsets);
  const first = i32At(all, row);
  const shown = asked.slice(0, TOKENS_SHOWN);
  // of every class, also where of very many only the best are kept of an answer
  const scores = shown.flatMap((token) =>
    choices === null ? indicesOf(token, width) : [token * width + f32At(decoded, token)],
  );
  return {
    decoded: shown.map((token) => {
      const answer = behaviour.describe(spec, decoded, token) ?? "unknown";
      return typeof answer === "object" ? answer.join("+") || "none" : answer;
    }),
    ...questionsOf(spec, answers),
    ...numbersOf(kept, scores, shown, decoded),
    positions: shown.map((token) => token - first),
    tokens: i32At(all, row + 1) - first,
    ...(words === undefined ? {} : { words: shown.map((token) => words[token - first] ?? "") }),
    ...uncertaintyOf(
      sampled,
      index,
      scores,
      shown.flatMap((token) => indicesOf(token, answerWidth(spec))),
    ),
  };
}

/** @param scores where the numbers lie that are shown, in a matrix of all */
function numbersOf(
  kept: KeptAnswers,
  scores: readonly number[],
  tokens: readonly number[],
  decoded: Float32Array,
): Pick<TaskAnswer, "activated" | "logits"> {
  if (kept.kind === "logits") {
    return {
      activated: scores.map((i) => f32At(kept.activated, i)),
      logits: scores.map((i) => f32At(kept.logits, i)),
    };
  }
  const activated = tokens.map((token) => decodedScore(kept, Number.NaN, decoded, token));
  // of very many classes the logits are not kept: logarithms are as good, since softmax takes no constant
  return { activated, logits: activated.map(Math.log) };
}

/** Names of the scores and thresholds of the yes-or-no questions that a task consists of; nothing where it is none. */
function questionsOf(spec: TaskSpec, { thresholds }: ExplainableTask): Pick<TaskAnswer, "labels" | "thresholds"> {
  const behaviour = behaviourOf(spec);
  const questions = behaviour.questions(spec);
  if (questions.length === 0) {
    // of ordered classes each score is about one of them, without a threshold of its own
    const ranks = behaviour.classes(spec) !== null && behaviour.choices(spec) === null;
    const names = ranks ? behaviour.logitNames(spec) : null;
    return names === null ? {} : { labels: [...names] };
  }
  const labels = questions.flatMap((name) => (name === null ? [] : [name]));
  return { ...(labels.length === 0 ? {} : { labels }), thresholds: [...thresholds] };
}

/** Where the numbers of a row, or of a token, lie in a matrix of so many per row. */
function indicesOf(row: number, width: number): number[] {
  return Array.from({ length: width }, (_, i) => row * width + i);
}

/**
 * @param scores which of all scores of the task are shown
 * @param answers which of all answers of the task are shown
 */
function uncertaintyOf(
  sampled: SampledAnswers | undefined,
  task: number,
  scores: readonly number[],
  answers: readonly number[],
): { readonly uncertainty?: Uncertainty } {
  if (sampled === undefined) return {};
  const { activated, decoded } = at(sampled.tasks, task);
  const spreadOf = ({ mean, deviation }: Spread, indices: readonly number[]): SpreadOfRow => ({
    mean: indices.map((i) => f32At(mean, i)),
    deviation: indices.map((i) => f32At(deviation, i)),
  });
  const ofScores = { samples: sampled.samples, ...spreadOf(activated, scores) };
  return { uncertainty: decoded === null ? ofScores : { ...ofScores, decoded: spreadOf(decoded, answers) } };
}

/** Indices of the scores from the highest down; of equal ones the first stays first, as in decoding. */
function bestFirst(scores: Float32Array): number[] {
  return [...scores.keys()].sort((a, b) => f32At(scores, b) - f32At(scores, a));
}

function valuesOf(spec: TaskSpec, decoded: Float32Array, row: number): readonly ExplainedValue[] {
  const answer = behaviourOf(spec).describe(spec, decoded, row);
  if (answer === null) return [];
  return typeof answer === "object" ? answer : [answer];
}
