/** @file Active labels → strata: the classes of every task, so that a split can give each its share. */
import { at } from "../../arrays.js";
import { isPerElement, type FlowGraph, type TaskNode } from "../../flow/graph.js";
import { activeRows, answerWidth, bothMasks, labelledRows, type Offsets, rowOfEachToken } from "../../flow/masks.js";
import type { Sliced } from "../../platform/yield-to.js";
import { behaviourOf, type Labels } from "../../tasks/index.js";
import type { Stratum } from "../stratify.js";

/** A stratum of a task's answers. */
export interface TaskStratum extends Stratum {
  readonly task_path: string;
  /** A class, as against a range of numbers. */
  readonly isClass: boolean;
}

/** Ranges of numbers, with as many answers each. */
const QUANTILES = 4;

/**
 * Of every task that is labelled: the rows of each class, of each label that is there, of yes and of no; of numbers the
 * rows of each quarter; of anything else the rows that are asked. A row of tokens is in each stratum that one of them is
 * in.
 */
export function* strataOf(
  graph: FlowGraph,
  labels: readonly Labels[],
  rows: number,
  offsets: Offsets | null,
): Sliced<TaskStratum[]> {
  const answers = labels.map((own) => own.answers);
  const active = activeRows(graph, answers, rows, offsets);
  yield;
  const strata: TaskStratum[] = [];
  for (const task of graph.tasks) {
    if (behaviourOf(task.spec).answeredBy === "training") continue;
    const own = at(answers, task.index);
    const used = bothMasks(at(active, task.index), labelledRows(task.spec, own));
    const rowOf = offsets !== null && isPerElement(task.spec) ? rowOfEachToken(offsets) : null;
    for (const { name, isClass, isIn } of kindsOf(task, own, used)) {
      const found: number[] = [];
      for (const [entry, isUsed] of used.entries()) {
        if (isUsed === 0 || !isIn(entry)) continue;
        const row = rowOf === null ? entry : at(rowOf, entry);
        if (found.at(-1) !== row) found.push(row);
      }
      if (found.length > 0) strata.push({ task_path: task.path, name, isClass, rows: Int32Array.from(found) });
      yield;
    }
  }
  return strata;
}

interface Kind {
  readonly name: string;
  readonly isClass: boolean;
  readonly isIn: (entry: number) => boolean;
}

function kindsOf({ spec }: TaskNode, answers: ArrayLike<number>, used: Uint8Array): Kind[] {
  const behaviour = behaviourOf(spec);
  const classes = behaviour.classes(spec);
  const width = answerWidth(spec);
  const saying = (name: string, answer: number, i = 0): Kind => ({
    ...{ name, isClass: true },
    isIn: (entry) => answers[entry * width + i] === answer,
  });
  if (classes !== null) return classes.map((name, i) => saying(name, i));
  const questions = behaviour.questions(spec);
  if (questions.length > 0) {
    return questions.flatMap((name, i) =>
      name === null ? [saying("true", 1, i), saying("false", 0, i)] : [saying(name, 1, i)],
    );
  }
  if (behaviour.answerType(spec) === "truth") return [saying("true", 1), saying("false", 0)];
  if (behaviour.answerType(spec) === "number" && width === 1) return quarters(answers, used);
  return [{ name: "asked", isClass: false, isIn: () => true }];
}

function quarters(answers: ArrayLike<number>, used: Uint8Array): Kind[] {
  const known = Array.from(used.keys()).filter((entry) => used[entry] === 1 && !Number.isNaN(answers[entry]));
  const sorted = Float64Array.from(known, (entry) => at(answers, entry)).sort();
  const bounds = Array.from({ length: QUANTILES - 1 }, (_, i) =>
    at(sorted, Math.floor(((i + 1) * sorted.length) / QUANTILES)),
  );
  return Array.from({ length: QUANTILES }, (_, i) => ({
    ...{ name: `quarter ${i + 1}`, isClass: false },
    isIn: (entry) => bounds.filter((bound) => at(answers, entry) >= bound).length === i,
  }));
}
