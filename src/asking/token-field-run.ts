/** @file `cool explain --receptive-field` of tokens: which ones a task's answers depend on. */

import { at, i32At } from "../arrays.js";
import type { ScoredSplit, ScoredTask } from "../analysis/score.js";
import { type InputSource, isTokenSource, tokensOf } from "../data/dataset.js";
import type { Network } from "../engine/model/network.js";
import { ConfigError } from "../errors.js";
import { isPerElement, type TaskNode } from "../flow/graph.js";
import { neededOffsets } from "../flow/masks.js";
import { behaviourOf, type Described } from "../tasks/index.js";
import { largestLogit } from "./asked-answer.js";

/** One answer and what moves it. */
interface TokenAnswer {
  /** Index of the token that is asked about, from 0; null where it is the whole row. */
  readonly position: number | null;
  readonly decoded: Described;
  /** The class or label asked about: the one with the largest logit; null where the task has a single logit. */
  readonly logit: string | null;
  /** |∂logit/∂embedding| of each token, relative to the largest, in [0, 1]. */
  readonly influence: Float32Array;
  /** Per token, 1 where another one in its place can change the answer. */
  readonly reachable: Uint8Array;
}

/** What a task's answers about one row look at. */
export interface TokenField {
  /** Name of the row. */
  readonly input: string;
  readonly task: string;
  readonly tokens: readonly string[];
  readonly answers: readonly TokenAnswer[];
}

const TOKENS_ASKED = 32;

/**
 * @param sources opened inputs; their first row is asked about
 * @param scored the same inputs
 * @throws ConfigError where the run reads no tokens, or the task is not asked of the row
 */
export async function tokenFieldOf(
  network: Network,
  sources: Readonly<Record<string, InputSource>>,
  scored: ScoredSplit,
  task: TaskNode,
): Promise<TokenField> {
  const [name, source] = Object.entries(sources).find(([, each]) => isTokenSource(each)) ?? [];
  if (name === undefined || source === undefined || !isTokenSource(source)) {
    throw new ConfigError("A receptive field is one of pixels or tokens, but the run reads neither.", {
      task: task.path,
    });
  }
  const [{ tokenInfluence }, { readInputs }] = await Promise.all([
    import("../engine/inference/token-influence.js"),
    import("../engine/batches/batch-reader.js"),
  ]);
  const input = at(scored.ids, 0);
  const answers = at(scored.tasks, task.index);
  const rows = askedRows(task, scored, answers);
  if (rows.length === 0) {
    throw new ConfigError(
      `The task "${task.path}" is not asked of ${input}: its precondition does not hold there by the network's own answers, or it has no token.`,
      { task: task.path, input },
    );
  }
  const perToken = isPerElement(task.spec);
  const asked = rows.map((row) => ({ position: perToken ? row : null, logit: largestLogit(answers, row) }));
  const influences = await tokenInfluence(network, readInputs(network, { inputs: sources }, [0]), name, task, asked);
  const behaviour = behaviourOf(task.spec);
  return {
    input,
    task: task.path,
    tokens: tokensOf(source, 0),
    answers: asked.map(({ position, logit }, i) => ({
      position,
      decoded: behaviour.describe(task.spec, answers.decoded, at(rows, i)),
      logit: behaviour.logitNames(task.spec)?.[logit] ?? null,
      ...at(influences, i),
    })),
  };
}

/** The first row, or those of its tokens, at which the task is asked, at most 32. */
function askedRows({ spec }: TaskNode, { offsets }: ScoredSplit, { activePredicted }: ScoredTask): number[] {
  const end = isPerElement(spec) ? i32At(neededOffsets(offsets), 1) : 1;
  const rows = Array.from({ length: end }, (_, row) => row).filter((row) => activePredicted[row] === 1);
  return rows.slice(0, TOKENS_ASKED);
}

/** @returns PNG */
export async function drawTokens({ task, tokens, answers }: TokenField): Promise<Uint8Array> {
  const { drawTokenField } = await import("../logging/panels/token-field-panel.js");
  const rows = answers.map(({ position, decoded, influence, reachable }) => {
    const answer = typeof decoded === "number" ? Number(decoded.toPrecision(4)) : decoded;
    const token = position === null ? "" : `${position + 1} ${tokens[position]}: `;
    return { title: token + (answer === null ? "?" : String(answer)), position, influence, reachable };
  });
  const image = await drawTokenField(task, tokens, rows);
  return "png" in image ? image.png : image.jpeg;
}
