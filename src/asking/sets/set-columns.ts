/** @file Sets of answers as columns of a table of predictions, and in a few words. */
import { at } from "../../arrays.js";
import { type DescribedSet, describeSet, type SetReader } from "../../analysis/conformal/sets.js";
import type { AnswersWithin } from "../../analysis/conformal/strangeness.js";
import type { Cell, TableColumn } from "../../data/tables/table-writer.js";
import type { FlowGraph, TaskNode, TaskSpec } from "../../flow/graph.js";
import { type AnswerSpace, answerSpaceOf } from "../../tasks/answer-space.js";

/** Columns that follow the others, and their cells row by row. */
export interface SetColumns {
  readonly columns: readonly TableColumn[];
  cells(row: number): readonly Cell[];
}

/** Where no sets are asked for. */
export const NO_SETS: SetColumns = { columns: [], cells: () => [] };

type Form = AnswerSpace<TaskSpec>["form"];

/** What the columns of a form of answers are called behind the task's path. */
const COLUMNS: Readonly<Record<Form, readonly string[]>> = {
  choice: ["set"],
  labels: ["certain", "unsure"],
  numbers: ["low", "high"],
};

/**
 * `path/set` with the answers of the set (`unsure`: yes and no); of a multilabel `path/certain` and `path/unsure`; of
 * numbers `path/low` and `path/high`. Of trees also `path/asked` (yes, no, unsure) and `_total/trees`. A set is empty
 * where its question is asked in no tree.
 */
export function setColumns({ tasks }: FlowGraph, sets: SetReader): SetColumns {
  const { of, limits } = sets.coverage;
  const covered = tasks.filter(({ index }) => limits[index] !== null);
  const hasStatus = ({ precondition }: TaskNode): boolean => of === "tree" && precondition !== null;
  const columns = covered.flatMap((task): TableColumn[] => [
    ...(hasStatus(task) ? [{ name: `${task.path}/asked`, type: "VARCHAR" as const }] : []),
    ...namesOf(task).map((name): TableColumn => ({ name: `${task.path}/${name}`, type: typeOf(task) })),
  ]);
  return {
    columns: of === "tree" ? [...columns, { name: "_total/trees", type: "INTEGER" }] : columns,
    cells(row) {
      const { asked, answers, trees } = sets.at(row);
      const cells = covered.flatMap((task): Cell[] => {
        const status = at(asked, task.index);
        const within = at(answers, task.index);
        const own = status === "no" || within === null ? namesOf(task).map(() => null) : setCells(task.spec, within);
        return hasStatus(task) ? [status, ...own] : own;
      });
      return of === "tree" ? [...cells, trees] : cells;
    },
  };
}

function namesOf({ spec }: TaskNode): readonly string[] {
  const form = answerSpaceOf<TaskSpec>(spec)?.form;
  return form === undefined ? [] : COLUMNS[form];
}

function typeOf({ spec }: TaskNode): TableColumn["type"] {
  const space = answerSpaceOf<TaskSpec>(spec);
  if (space?.form !== "numbers") return "VARCHAR";
  return space.count(spec) === 1 ? "FLOAT" : "FLOAT[]";
}

function setCells(spec: TaskSpec, within: AnswersWithin): Cell[] {
  const set = describeSet(spec, within);
  if ("low" in set) {
    const [low, high] = [set.low, set.high];
    return low.length === 1 ? [at(low, 0), at(high, 0)] : [low, high];
  }
  return "certain" in set ? [set.certain.join(","), set.unsure.join(",")] : [setText(set, ",")];
}

/**
 * A set in a few words: `yes`, `unsure`, `red, blue`, `dot, stripe?`, `0.2 … 0.4`; a line for each of several intervals.
 * @param between classes
 * @param ofLabels what labels in words come to together
 */
export function setText(
  set: DescribedSet,
  between = ", ",
  ofLabels = (labels: readonly string[]): string => labels.join(", "),
): string {
  if ("low" in set)
    return set.low.map((low, i) => `${numberText(low, "−∞")} … ${numberText(set.high[i], "∞")}`).join("\n");
  if ("certain" in set) return ofLabels([...set.certain, ...set.unsure.map((name) => `${name}?`)]) || "none";
  const { answers } = set;
  if (!answers.some((answer) => typeof answer === "boolean")) return answers.join(between);
  return answers.length > 1 ? "unsure" : answers[0] === true ? "yes" : "no";
}

function numberText(value: number | null | undefined, endless: string): string {
  return value == null ? endless : String(Number(value.toPrecision(4)));
}
