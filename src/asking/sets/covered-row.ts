/** @file What a coverage says of one row, as results of commands have it. */
import { at } from "../../arrays.js";
import type { Coverage } from "../../analysis/conformal/coverage.js";
import {
  type AskedInSet,
  type DescribedSet,
  describeSet,
  type RowSets,
  type SetReader,
} from "../../analysis/conformal/sets.js";
import type { ScoredSplit } from "../../analysis/score.js";
import { isPerElement, type FlowGraph } from "../../flow/graph.js";

/** Sets of answers of one row. */
export interface CoveredRow extends Pick<Coverage, "of" | "level"> {
  /** Trees in the set, in which a number counts once; null: too many to count, or the guarantee is for single answers. */
  readonly trees: number | null;
  /** By path of task: those that are asked in all or some trees of the set, or by the network itself. */
  readonly questions: Readonly<Record<string, CoveredQuestion>>;
}

export interface CoveredQuestion {
  readonly asked: Exclude<AskedInSet, "no">;
  /** Missing where nothing is said of its answers. */
  readonly set?: DescribedSet;
}

/** A row in words; questions that are asked in no tree of its set are left out. */
export function describeRow(
  { tasks }: FlowGraph,
  { coverage }: SetReader,
  { asked, answers, trees }: RowSets,
): CoveredRow {
  const questions = tasks.flatMap(({ index, path, spec }): [string, CoveredQuestion][] => {
    const status = at(asked, index);
    const within = at(answers, index);
    if (status === "no") return [];
    return [[path, { asked: status, ...(within === null ? {} : { set: describeSet(spec, within) }) }]];
  });
  return { of: coverage.of, level: coverage.level, trees, questions: Object.fromEntries(questions) };
}

/** The same answers with a task asked of the row where it is asked in all trees of the set. */
export function sharedByAll(scored: ScoredSplit, { asked }: RowSets, row: number): ScoredSplit {
  const tasks = scored.tasks.map((task, i) => {
    if (isPerElement(task.task.spec)) return task;
    const activePredicted = task.activePredicted.slice();
    activePredicted[row] = Number(asked[i] === "yes");
    return { ...task, activePredicted };
  });
  return { ...scored, tasks };
}

/**
 * What stands below a tree.
 * @param columns to fit into; default: no end
 */
export function printCoverage({ of, level, trees, questions }: CoveredRow, columns = Number.POSITIVE_INFINITY): string {
  if (of === "answer")
    return inLines(`each set holds the true answer, where it is asked, with probability ${level}`, columns);
  const many = trees === null ? "more trees than can be counted" : trees === 1 ? "1 tree" : `${trees} trees`;
  const open = Object.entries(questions).flatMap(([path, { asked }]) => (asked === "unsure" ? [path] : []));
  const left = open.length === 0 ? "" : `; perhaps asked: ${open.join(", ")}`;
  return inLines(`${many} in the set, which holds the true one with probability ${level}${left}`, columns);
}

/** A sentence under a tree, on as many lines as it takes. */
function inLines(text: string, columns: number): string {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= columns) lines.push(`${lines.pop()} ${word}`);
    else lines.push(`    ${last === undefined ? "" : "  "}${word}`);
  }
  return lines.join("\n");
}
