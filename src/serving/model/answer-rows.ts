/** @file Scored rows → what is sent back: the rows of `cool predict --json`, the trees of `cool explain --json`. */
import { at } from "../../arrays.js";
import { explainRow } from "../../analysis/explanation/explain.js";
import { printExplanation } from "../../analysis/explanation/print-explanation.js";
import { answerProbabilities } from "../../analysis/probability/answer-probabilities.js";
import type { ScoredSplit } from "../../analysis/score.js";
import { answersOf } from "../../asking/answers.js";
import type { Explanation, Prediction } from "../../asking/load-run.js";
import { firstPixels, firstTokens, wordsOf } from "../../data/dataset.js";
import { nanInputs } from "../../asking/suppose/answer-warnings.js";
import type { FlowGraph } from "../../flow/graph.js";
import { HttpProblem } from "../../http/problem.js";
import { printable } from "../../platform/printable.js";
import { glueOf } from "../../records/stored-words.js";
import type { OpenModel } from "./open-model.js";
import { openRows } from "./row-sources.js";
import type { ServedRow } from "./served-model.js";

/** A tree, as it is and as it is printed. */
export type ExplainedRow = Explanation & { readonly printed: string };

/** The answer to one row. @see ServedRow.wants */
export type RowAnswer =
  | { readonly kind: "answers"; readonly prediction: Prediction }
  | { readonly kind: "tree"; readonly explanation: ExplainedRow };

/**
 * Answers a batch.
 * @throws HttpProblem where the network answers with NaN, which JSON has no word for
 */
export async function answerRows(model: OpenModel, rows: readonly ServedRow[]): Promise<RowAnswer[]> {
  const { graph, inputs } = model;
  const opened = openRows(inputs, rows);
  const scored = await model.score(opened);
  refuseNan(graph, scored);
  const probabilities = answerProbabilities(graph, scored);
  const tokens = firstTokens(opened.sources);
  const isNamed = firstPixels(opened.sources) !== undefined;
  return rows.map(({ name: input, wants }, row): RowAnswer => {
    if (wants === "answers") {
      return { kind: "answers", prediction: { input, answers: answersOf(graph, scored, row, probabilities) } };
    }
    const words = tokens === undefined ? undefined : wordsOf(tokens, row);
    const tree = explainRow(graph, scored, row, { words, probabilities });
    const text =
      tokens === undefined || words === undefined || isNamed ? {} : { text: words.join(glueOf(tokens.spec)) };
    return { kind: "tree", explanation: printed(graph, { input, ...text, tree }) };
  });
}

function refuseNan(graph: FlowGraph, scored: ScoredSplit): void {
  const [said] = nanInputs(graph, scored);
  if (said === undefined) return;
  throw new HttpProblem(
    422,
    "nan_answer",
    `${said}. Look for values of its inputs that are far from those in training; if others are answered so, too, train the model again.`,
  );
}

/**
 * The same, where a batch may hold a row that nothing can be made of: then each row is answered alone, so that it fails
 * by itself.
 * @returns an answer, or what went wrong, of each row
 */
export async function answerEach(model: OpenModel, rows: readonly ServedRow[]): Promise<(RowAnswer | Error)[]> {
  try {
    return await answerRows(model, rows);
  } catch (error) {
    const failed = error instanceof Error ? error : new Error(String(error));
    if (rows.length === 1) return [failed];
    const alone: (RowAnswer | Error)[] = [];
    for (const row of rows) alone.push(at(await answerEach(model, [row]), 0));
    return alone;
  }
}

function printed(graph: FlowGraph, explanation: Explanation): ExplainedRow {
  const { input, text, tree } = explanation;
  const lines = printExplanation(graph, text === undefined ? input : `${input}: ${text}`, tree);
  // names come from outside, and a terminal obeys what it is sent
  return { ...explanation, printed: printable(lines) };
}
