/** @file Logits of one row → what the page shows: the tree of `cool explain`, what is not asked, figures. */
import { withCalibration } from "../../analysis/calibration/apply.js";
import { explainRow } from "../../analysis/explanation/explain.js";
import type { ExplanationNode } from "../../analysis/explanation/explanation.js";
import { printExplanation } from "../../analysis/explanation/print-explanation.js";
import { answerProbabilities } from "../../analysis/probability/answer-probabilities.js";
import { type ScoredSplit, scoreSplit } from "../../analysis/score.js";
import { at } from "../../arrays.js";
import { unitScaleBy } from "../../decoding/unit-scale.js";
import { isPerElement, type FlowGraph, hasTokenTasks, type TaskNode } from "../../flow/graph.js";
import { answerWidth, offsetsOf, tokensIn as tokensOf } from "../../flow/masks.js";
import { printCondition } from "../../flow/print.js";
import { figuresOf } from "../../logging/panels/figures.js";
import { type PredictorDocument, thresholdsOf } from "../../predictor/document.js";
import type { RowFacts } from "../../predictor/feeds.js";
import type { NetworkOutputs } from "../../predictor/predictor.js";
import { idsOf, tokensIn } from "../../predictor/vocabulary.js";
import { behaviourOf, isMeasure, isSummarized, type Labels, repeatLogits } from "../../tasks/index.js";
import type { Answered, GivenRow, NotAsked, ShownFigure } from "../messages.js";

export type Explained = Omit<Answered, "times">;

/**
 * What `cool explain` says of one row.
 * @param name of the row
 * @param given its inputs, of which tokens are read
 */
export function explained(
  document: PredictorDocument,
  { logits, facts }: NetworkOutputs,
  name: string,
  given: GivenRow = {},
): Explained {
  const { graph } = document;
  const raw = scoredRow(document, logits, facts, name);
  const scored = document.calibration === null ? raw : withCalibration(raw, document.calibration.tasks);
  const words = wordsOf(document, given);
  const text = textOf(document, words);
  const tree = explainRow(graph, scored, 0, { words, probabilities: answerProbabilities(graph, scored) });
  return {
    tree,
    text: printExplanation(graph, text === undefined ? name : `${name}: ${text}`, tree),
    json: JSON.stringify({ run: document.run.id, explanations: [{ input: name, text, tree }] }, null, 2),
    notAsked: notAsked(graph, tree),
    figures: figures(graph, scored),
  };
}

/** A row without labels, scored as a split is. */
function scoredRow(
  document: PredictorDocument,
  logits: NetworkOutputs["logits"],
  facts: RowFacts,
  name: string,
): ScoredSplit {
  const { graph } = document;
  const offsets = hasTokenTasks(graph) ? offsetsOf(facts.lengths ?? [0]) : null;
  const entriesOf = (task: TaskNode) => (isPerElement(task.spec) && offsets !== null ? tokensOf(offsets) : 1);
  const labels = graph.tasks.map((task) => labelsOf(document, task, facts, entriesOf(task)));
  const outputs = graph.tasks.map((task, i) =>
    outputOf(task, Float32Array.from(logits[task.path] ?? []), at(labels, i), entriesOf(task)),
  );
  return scoreSplit(graph, { split: "test", ids: [name], offsets, outputs, labels }, thresholdsOf(document));
}

/** Nobody has labelled the row; known tasks have their answers. */
function labelsOf({ inputs }: PredictorDocument, { path, spec }: TaskNode, facts: RowFacts, entries: number): Labels {
  const unknown = new Float32Array(entries * answerWidth(spec)).fill(Number.NaN);
  const picture = Object.values(inputs).find(({ kind }) => kind === "image");
  const { sizes } = facts;
  return {
    answers: facts.known?.[path] ?? unknown,
    unitScale:
      sizes === undefined
        ? null
        : unitScaleBy(behaviourOf(spec).imageScales(spec), {
            ...sizes,
            input: picture?.kind === "image" ? picture : null,
          }),
  };
}

/** What the engine keeps of a task's logits: of one of very many classes for each token a summary. */
function outputOf({ spec }: TaskNode, logits: Float32Array, labels: Labels, entries: number): Float32Array {
  if (!isSummarized(spec)) return logits;
  const width = behaviourOf(spec).logitWidth(spec);
  const each = Array.from({ length: entries }, (_, entry) =>
    repeatLogits(spec, Array.from(logits.subarray(entry * width, (entry + 1) * width)), labels, 1),
  );
  return Float32Array.from(each.flatMap((summary) => Array.from(summary)));
}

/** Tokens of the row as the network knows them. */
function wordsOf({ inputs }: PredictorDocument, given: GivenRow): readonly string[] | undefined {
  for (const [name, input] of Object.entries(inputs)) {
    if (input.kind !== "tokens") continue;
    const idOf = idsOf(typeof input.vocabulary === "string" ? [] : input.vocabulary);
    const words = tokensIn(given[name], input) ?? [];
    return words.slice(0, input.maxLength).map((word) => (idOf(word) === undefined ? input.unknown : word));
  }
  return undefined;
}

/** What names a row that has tokens and no picture. */
function textOf({ inputs }: PredictorDocument, words: readonly string[] | undefined): string | undefined {
  const all = Object.values(inputs);
  const tokens = all.find(({ kind }) => kind === "tokens");
  if (words === undefined || tokens?.kind !== "tokens" || all.some(({ kind }) => kind === "image")) return undefined;
  return words.join(tokens.split === "characters" ? "" : " ");
}

function notAsked(graph: FlowGraph, tree: readonly ExplanationNode[]): NotAsked[] {
  const shown = new Set<string>();
  const visit = (nodes: readonly ExplanationNode[]): void => {
    for (const { path, children } of nodes) {
      shown.add(path);
      visit(children);
    }
  };
  visit(tree);
  return graph.tasks
    .filter(({ path, spec }) => !shown.has(path) && behaviourOf(spec).answeredBy !== "training")
    .map(({ path, precondition }) => ({
      path,
      condition: precondition === null ? "" : printCondition(graph, precondition),
    }));
}

/** Each predicted figure once, although several numbers make it. */
function figures(graph: FlowGraph, scored: ScoredSplit): ShownFigure[] {
  // what is asked by the network's own answers, for nobody has labelled the input
  const asked = { ...scored, tasks: scored.tasks.map((own) => ({ ...own, activeTruth: own.activePredicted })) };
  const found = new Map<string, ShownFigure>();
  for (const task of graph.tasks) {
    const isWhole = behaviourOf(task.spec).figure !== null;
    if (isPerElement(task.spec) || !(isWhole || isMeasure(task))) continue;
    const flow = task.path.slice(0, Math.max(0, task.path.lastIndexOf(".")));
    const label = isWhole || flow === "" ? task.name : flow.slice(flow.lastIndexOf(".") + 1);
    for (const { source, shape } of figuresOf(graph, asked, task.path)(0)) {
      if (source !== "prediction") continue;
      const { x, y } = shape;
      const size = shape.kind === "box" ? { width: shape.width, height: shape.height } : null;
      const key = JSON.stringify([x, y, size]);
      if (!found.has(key)) found.set(key, { label, x, y, size });
    }
  }
  return [...found.values()];
}
