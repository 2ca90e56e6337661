/** @file Tasks per token in a project: the token input that they are about, and its vocabulary. */
import type { InputSpec } from "../../data/dataset.js";
import { declaredTasks } from "../../data/labels/fit-tasks.js";
import { ConfigError, UnknownNameError } from "../../errors.js";
import { axisOf, type FlowGraph } from "../../flow/graph.js";
import { isMasked, type MaskedNode } from "../../tasks/index.js";

type Inputs = Readonly<Record<string, InputSpec>>;

/** @throws ConfigError, UnknownNameError where tasks per token do not fit the inputs */
export function checkTokenTasks(graph: FlowGraph, inputs: Inputs, where: string): void {
  const perToken = graph.tasks.filter(({ spec }) => axisOf(spec) === "token");
  const [first] = perToken;
  if (first === undefined) return;
  const names = Object.keys(inputs).filter((name) => inputs[name]?.kind === "tokens");
  for (const task of perToken.filter(isMasked)) checkMaskedInput(task, inputs, where);
  if (names.length !== 1) {
    const found = names.length === 0 ? "there is no token input" : `there are several: ${names.join(", ")}`;
    throw new ConfigError(
      `${where}: the task "${first.path}" is asked of every token, but ${found}. Give data.inputs exactly one tokens({ … }).`,
      { file: where, task: first.path, inputs: names },
    );
  }
  refusePieces(inputs, first.path, where);
  const masked = perToken.filter(isMasked).map(({ path }) => path);
  if (masked.length > 1) {
    throw new ConfigError(
      `${where}: the flow masks tokens twice, for ${masked.map((path) => `"${path}"`).join(" and ")}. Keep one maskedLanguageModeling task.`,
      { file: where, tasks: masked },
    );
  }
}

/** Labels per token are written beside words, and a tokenizer's pieces of a whole text are not told apart by word. */
function refusePieces(inputs: Inputs, task: string, where: string): void {
  const [found] = Object.entries(inputs).filter(
    ([, spec]) => spec.kind === "tokens" && spec.tokenizer !== undefined && spec.tokenizer.words !== true,
  );
  if (found === undefined) return;
  throw new ConfigError(
    `${where}: the task "${task}" is asked of every token, but "${found[0]}" is read by a tokenizer as whole texts, of which it makes pieces that have no labels. Give it words: true: the column then holds words, each with one label, which belongs to its first piece. Or ask once per text: leave out per.`,
    { file: where, task, input: found[0] },
  );
}

function checkMaskedInput({ spec, path }: MaskedNode, inputs: Inputs, where: string): void {
  const input = inputs[spec.input];
  if (input === undefined) {
    throw new UnknownNameError("input", spec.input, Object.keys(inputs), `the task "${path}"`);
  }
  if (input.kind !== "tokens") {
    throw new ConfigError(
      `${where}: the task "${path}" masks tokens of "${spec.input}", which is of the kind ${input.kind}. Name a tokens({ … }) input.`,
      { file: where, task: path, input: spec.input },
    );
  }
  if (input.mask !== true) {
    throw new ConfigError(
      `${where}: the task "${path}" masks tokens of "${spec.input}", which has no id for a masked token. Declare it with tokens({ …, mask: true }), and give its embedding inputDim: idCount(…), which counts that id.`,
      { file: where, task: path, input: spec.input },
    );
  }
}

/** The graph with the vocabularies of its inputs, as far as they have been read. */
export function withVocabulary(graph: FlowGraph, inputs: Inputs): FlowGraph {
  const vocabularyOf = (input: string): readonly string[] | null => {
    const spec = inputs[input];
    return spec?.kind === "tokens" && typeof spec.vocabulary !== "string" ? spec.vocabulary : null;
  };
  return {
    ...graph,
    tasks: graph.tasks.map((task) => {
      if (!isMasked(task)) return task;
      const { spec } = task;
      return { ...task, spec: { ...spec, vocabulary: vocabularyOf(spec.input) } };
    }),
  };
}

/** Whether two flows ask the same. What was read with the data is not compared: its digest tells if it has changed. */
export function isSameFlow(before: FlowGraph, now: FlowGraph): boolean {
  return JSON.stringify(declaredTasks(before)) === JSON.stringify(declaredTasks(now));
}
