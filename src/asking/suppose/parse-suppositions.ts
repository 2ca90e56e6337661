/** @file `--suppose door_open=false`: what is said, in the words of labels, as suppositions about a run's tasks. */
import type { Supposition } from "../../analysis/suppose/suppose.js";
import { sentence, UnknownNameError, UsageError } from "../../errors.js";
import type { FlowGraph, TaskNode } from "../../flow/graph.js";
import { answerWidth } from "../../flow/masks.js";
import { behaviourOf } from "../../tasks/index.js";

const THRESHOLD = ".threshold";
const EXAMPLES = "door_open=false, shirt_type=red or door_open.threshold=0.3";

/**
 * Parses suppositions: `task=answer`, as in a label cell (of a box or point its numbers with commas between), or
 * `task.threshold=number`, of one label of a multilabel `task/label.threshold=number`.
 * @throws UnknownNameError for a task, label or class that is not there; UsageError for anything else that is no supposition
 */
export function parseSuppositions(graph: FlowGraph, assignments: readonly string[]): Supposition[] {
  const said = new Map<string, string>();
  return assignments.map((assignment) => {
    const cut = assignment.indexOf("=");
    const [name, value] = [assignment.slice(0, Math.max(0, cut)).trim(), assignment.slice(cut + 1).trim()];
    if (name === "" || value === "") {
      throw new UsageError(`--suppose ${assignment} is no supposition. Write e.g. ${EXAMPLES}.`, { assignment });
    }
    const supposition = name.endsWith(THRESHOLD)
      ? thresholdOf(graph, name.slice(0, -THRESHOLD.length), value, assignment)
      : answerOf(taskNamed(graph, name), value, assignment);
    const about = JSON.stringify([supposition.task, supposition.kind === "threshold" ? supposition.question : null]);
    const before = said.get(about);
    if (before !== undefined) {
      throw new UsageError(`--suppose ${before} and --suppose ${assignment} are about the same. Give one of them.`, {
        assignment,
        task: supposition.task,
      });
    }
    said.set(about, assignment);
    return supposition;
  });
}

/** By its path, or by its last part where that is unique. */
function taskNamed(graph: FlowGraph, name: string): TaskNode {
  const tasks = graph.tasks.filter(({ spec }) => behaviourOf(spec).answeredBy !== "training");
  const found = tasks.find(({ path }) => path === name) ?? onlyOne(tasks.filter((task) => task.name === name));
  if (found !== undefined) return found;
  const names = tasks.flatMap((task) => (task.name === task.path ? [task.path] : [task.path, task.name]));
  throw new UnknownNameError("task", name, new Set(names), "--suppose", { exitCode: 2 });
}

function onlyOne<T>(some: readonly T[]): T | undefined {
  return some.length === 1 ? some[0] : undefined;
}

function answerOf({ path, spec }: TaskNode, value: string, assignment: string): Supposition {
  const behaviour = behaviourOf(spec);
  const width = answerWidth(spec);
  const cells = behaviour.figure === null ? [value] : value.split(",").map((cell) => cell.trim());
  const out = new Float32Array(width).fill(Number.NaN);
  const scales = behaviour.imageScales(spec).map(() => Number.NaN);
  const problem = behaviour.parseLabel(spec, cells, scales, out, 0);
  if (problem === null && !out.some(Number.isNaN)) return { kind: "answer", task: path, answer: [...out] };
  throw new UsageError(
    sentence(
      `--suppose ${assignment}: the answer "${value}" of "${path}" ${problem ?? "is not all that the task answers"}`,
    ),
    { assignment, task: path },
  );
}

function thresholdOf(graph: FlowGraph, name: string, value: string, assignment: string): Supposition {
  const slash = name.lastIndexOf("/");
  const task = taskNamed(graph, slash < 0 ? name : name.slice(0, slash));
  const questions = behaviourOf(task.spec).questions(task.spec);
  if (questions.length === 0) {
    throw new UsageError(
      `--suppose ${assignment}: "${task.path}" has no threshold: only yes-or-no questions and labels have one. Suppose its answer, as ${task.path}=….`,
      { assignment, task: task.path },
    );
  }
  const label = slash < 0 ? null : name.slice(slash + 1);
  const question = slash < 0 && questions.length === 1 ? 0 : questions.indexOf(label);
  if (question < 0) {
    const labels = questions.flatMap((own) => (own === null ? [] : [own]));
    if (label !== null) throw new UnknownNameError("label", label, labels, `task "${task.path}"`, { exitCode: 2 });
    throw new UsageError(
      `--suppose ${assignment}: "${task.path}" has a threshold for each label. Name one, e.g. ${task.path}/${labels[0] ?? ""}${THRESHOLD}=${value}.`,
      { assignment, task: task.path },
    );
  }
  const threshold = Number(value);
  if (!Number.isFinite(threshold)) {
    throw new UsageError(`--suppose ${assignment}: "${value}" is no number, as a threshold is.`, { assignment });
  }
  if (threshold < 0 || threshold > 1) {
    throw new UsageError(
      `--suppose ${assignment}: ${value} is no threshold of a score, which lies between 0 and 1. Write e.g. ${name}${THRESHOLD}=0.3, or suppose the answer: ${name}=….`,
      { assignment, task: task.path },
    );
  }
  return { kind: "threshold", task: task.path, question, value: threshold };
}
