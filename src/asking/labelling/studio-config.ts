/** @file A flow as a labelling configuration of Label Studio: a control for each task, shown when its condition holds. */
import { answerForm } from "../../analysis/audit/forms.js";
import { type Condition, type ConditionAtom, type FlowGraph, type TaskNode, taskAt } from "../../flow/graph.js";
import { flowFacts } from "../../flow/kinds.js";
import { statement } from "../../flow/masks.js";
import { behaviourOf } from "../../tasks/index.js";
import { hasCells } from "../audit/label-table.js";
import { PASS_HEADER } from "./stale-passes.js";

/** What a control shows of a row. */
export type StudioObject = "image" | "text";

/** A labelling project: the tasks that one configuration can show together. */
export interface StudioPass {
  readonly config: string;
  readonly tasks: readonly TaskNode[];
}

export const YES = "yes";
export const NO = "no";
/** Of a multilabel: none of its labels. */
export const NONE = "none";

/** Where a control is shown: all of them, one around the other. */
interface Visibility {
  readonly tag: string;
  readonly values: readonly string[];
  readonly selected: boolean;
}

/** Name of a task's control. */
export function controlName({ path }: Pick<TaskNode, "path">): string {
  return path;
}

/**
 * The tasks whose conditions `visibleWhen` can express, as one pass, and the others as a second one, which shows them
 * without a condition: it is for rows of which the labels already say that they are asked.
 * @param wanted tasks that are asked for; their gates are shown, too
 */
export function studioPasses(graph: FlowGraph, wanted: ReadonlySet<string>, object: StudioObject): StudioPass[] {
  const controls = graph.tasks.filter((task) => hasCells(task) && answerForm(task.spec) !== null);
  const shown = new Set<string>();
  const add = ({ path, precondition }: TaskNode): void => {
    if (shown.has(path)) return;
    shown.add(path);
    for (const gate of precondition === null ? [] : gatePaths(precondition)) add(taskAt(graph, gate));
  };
  for (const task of controls) if (wanted.has(task.path)) add(task);
  const conditioned = controls.filter(({ path }) => shown.has(path));
  const visibility = new Map(conditioned.map((task) => [task.path, visibilityOf(graph, task, conditioned)]));
  const first = conditioned.filter(({ path }) => visibility.get(path) !== null);
  const second = conditioned.filter(({ path }) => visibility.get(path) === null && wanted.has(path));
  const passOf = (tasks: readonly TaskNode[], isFree: boolean): StudioPass[] => {
    if (tasks.length === 0) return [];
    const lines = tasks.flatMap((task) =>
      wrapped(controlOf(task, object), isFree ? [] : (visibility.get(task.path) ?? [])),
    );
    return [
      { tasks, config: ["<View>", ...objectOf(object), ...lines.map((line) => `  ${line}`), "</View>", ""].join("\n") },
    ];
  };
  return [...passOf(first, false), ...passOf(second, true)];
}

function gatePaths(condition: Condition): string[] {
  if ("task" in condition) return [condition.task];
  return condition.kind === "not" ? gatePaths(condition.of) : condition.of.flatMap(gatePaths);
}

/**
 * With what its gates are shown by: a choice that is hidden again may still be selected. null where it cannot be
 * expressed.
 */
function visibilityOf(graph: FlowGraph, task: TaskNode, controls: readonly TaskNode[]): Visibility[] | null {
  if (task.precondition === null) return [];
  const found = expressed(graph, task.precondition, true);
  if (found === null) return null;
  const above: Visibility[] = [];
  for (const path of gatePaths(task.precondition)) {
    const gate = controls.find((control) => control.path === path);
    const own = gate === undefined ? null : visibilityOf(graph, gate, controls);
    if (own === null) return null;
    above.push(...own);
  }
  return [...new Map([...above, ...found].map((one) => [JSON.stringify(one), one])).values()];
}

/** @param truth that the condition shall have */
function expressed(graph: FlowGraph, condition: Condition, truth: boolean): Visibility[] | null {
  switch (condition.kind) {
    case "not":
      return expressed(graph, condition.of, !truth);
    case "and":
    case "or": {
      const parts = condition.of.map((one) => expressed(graph, one, truth));
      if (parts.some((part) => part === null)) return null;
      const all = parts.flatMap((part) => part ?? []);
      // that all of them hold is one View in another
      if ((condition.kind === "and") === truth || condition.of.length === 1) return all;
      return union(all, parts.length);
    }
    default:
      return atomVisibility(graph, condition, truth);
  }
}

/** One of several values of one control. */
function union(parts: readonly Visibility[], count: number): Visibility[] | null {
  const [first, ...more] = parts;
  if (first === undefined || parts.length !== count) return null;
  if (parts.some(({ selected }) => !selected) || more.some(({ tag }) => tag !== first.tag)) return null;
  return [{ ...first, values: [...new Set(parts.flatMap(({ values }) => values))] }];
}

function atomVisibility(graph: FlowGraph, atom: ConditionAtom, truth: boolean): Visibility[] | null {
  const gate = taskAt(graph, atom.task);
  const form = answerForm(gate.spec);
  const tag = controlName(gate);
  const names = flowFacts(gate.spec).names(gate.spec);
  // values are listed with commas between them
  if (names.some((name) => name.includes(","))) return null;
  const holds = statement(atom);
  if (form?.kind === "choice") {
    return [{ tag, values: names.filter((_, value) => holds(value) === truth), selected: true }];
  }
  if (form?.kind !== "questions") return null;
  if (atom.kind === "true") return [{ tag, values: [truth ? YES : NO], selected: true }];
  if (atom.kind !== "has") return null;
  const label = names[atom.label] ?? "";
  if (truth) return [{ tag, values: [label], selected: true }];
  // a set that nobody has chosen yet says nothing
  return [
    { tag, values: [...names, NONE], selected: true },
    { tag, values: [label], selected: false },
  ];
}

function wrapped(lines: readonly string[], [first, ...more]: readonly Visibility[]): string[] {
  if (first === undefined) return [...lines];
  const { tag, values, selected } = first;
  const when = selected ? "choice-selected" : "choice-unselected";
  return [
    `<View visibleWhen="${when}" whenTagName="${xml(tag)}" whenChoiceValue="${xml(values.join(","))}">`,
    ...wrapped(lines, more).map((line) => `  ${line}`),
    "</View>",
  ];
}

function objectOf(object: StudioObject): string[] {
  const header = `  ${PASS_HEADER}`;
  return [
    header,
    object === "image" ? '  <Image name="image" value="$image"/>' : '  <Text name="text" value="$text"/>',
  ];
}

/** What a person answers a task with. */
function controlOf(task: TaskNode, object: StudioObject): string[] {
  const { spec } = task;
  const form = answerForm(spec);
  const named = `name="${xml(controlName(task))}" toName="${object}"`;
  const header = `<Header size="5" value="${xml(task.path)}"/>`;
  const choices = (values: readonly string[], choice: "single" | "multiple"): string[] => [
    header,
    `<Choices ${named} choice="${choice}" showInline="true">`,
    ...values.map((value) => `  <Choice value="${xml(value)}"/>`),
    "</Choices>",
  ];
  if (form?.kind === "choice") return choices(behaviourOf(spec).classes(spec) ?? [], "single");
  if (form?.kind === "questions") {
    const names = behaviourOf(spec)
      .questions(spec)
      .flatMap((name) => name ?? []);
    return names.length === 0 ? choices([YES, NO], "single") : choices([...names, NONE], "multiple");
  }
  if (form?.width === 4) return [header, `<Rectangle ${named} canRotate="false"/>`];
  if (form?.width === 2) return [header, `<KeyPoint ${named}/>`];
  const { min, max } = behaviourOf(spec).options(spec);
  // in pixels of a picture whose size differs from row to row there are no bounds
  const isBounded =
    typeof min === "number" && typeof max === "number" && behaviourOf(spec).imageScales(spec).length === 0;
  return [header, `<Number ${named}${isBounded ? ` min="${min}" max="${max}"` : ""} step="0.01"/>`];
}

export function xml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
