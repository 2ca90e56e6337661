/** @file Rows as tasks of Label Studio, with what is known and what the network says as predictions. */
import { at, f32At } from "../../arrays.js";
import { answerForm } from "../../analysis/audit/forms.js";
import type { RankedCell } from "../../analysis/labelling/rank.js";
import type { ScoredSplit, ScoredTask } from "../../analysis/score.js";
import type { TaskNode } from "../../flow/graph.js";
import { behaviourOf } from "../../tasks/index.js";
import type { RowPlace } from "../audit/label-table.js";
import { controlName, NO, NONE, type StudioObject, type StudioPass, YES } from "./studio-config.js";

/** One control's answer, as Label Studio stores it. */
export interface StudioResult {
  readonly from_name: string;
  readonly to_name: string;
  readonly type: string;
  readonly value: Readonly<Record<string, unknown>>;
  readonly original_width?: number;
  readonly original_height?: number;
}

/** A task of Label Studio's basic JSON format. */
export interface StudioTask {
  readonly data: Readonly<Record<string, unknown>>;
  readonly predictions: readonly { readonly model_version: string; readonly result: readonly StudioResult[] }[];
}

export interface StudioRow extends RowPlace {
  readonly sample: string;
  /** Address of the picture, or the text. */
  readonly shown: string;
}

/** Tasks of one pass, in the order in which rows are asked for. */
export function studioTasks(
  { tasks }: StudioPass,
  scored: ScoredSplit,
  cells: readonly RankedCell[],
  rowOf: (row: number) => StudioRow,
  { object, run }: { readonly object: StudioObject; readonly run: string },
): StudioTask[] {
  const indices = new Set(tasks.map(({ index }) => index));
  const byRow = new Map<number, RankedCell[]>();
  for (const cell of cells) {
    if (indices.has(cell.task)) byRow.set(cell.row, [...(byRow.get(cell.row) ?? []), cell]);
  }
  return [...byRow].map(([row, own]): StudioTask => {
    const { shown, ...place } = rowOf(row);
    const asked = new Set(own.map(({ task }) => task));
    const result = tasks.flatMap((task): StudioResult[] => {
      const answers = at(scored.tasks, task.index);
      // what nobody asks for and nobody has said is left to the person
      const isKnown = answers.labelled[row] === 1;
      return isKnown || asked.has(task.index) ? resultOf(task, answers, isKnown, row, object) : [];
    });
    const names = own.map(({ task }) => at(scored.tasks, task).task.path);
    return {
      data: { [object]: shown, ask: `Asked: ${names.join(", ")}`, cool: { ...place, tasks: names } },
      predictions: [{ model_version: run, result }],
    };
  });
}

function resultOf(
  task: TaskNode,
  scored: ScoredTask,
  isKnown: boolean,
  row: number,
  object: StudioObject,
): StudioResult[] {
  const { spec } = task;
  const behaviour = behaviourOf(spec);
  const answers = isKnown ? scored.labels.answers : scored.decoded;
  const described = behaviour.describe(spec, answers, row);
  const form = answerForm(spec);
  if (described === null || form === null) return [];
  const named = { from_name: controlName(task), to_name: object };
  if (behaviour.figure !== null) {
    const edges = behaviour.figure.read(spec, answers, row, scored.labels.unitScale);
    const [x, y, right, bottom] = edges.map((edge) => 100 * Math.min(1, Math.max(0, edge)));
    if (x === undefined || y === undefined) return [];
    if (right === undefined || bottom === undefined) return [{ ...named, type: "keypoint", value: { x, y, width: 1 } }];
    return [{ ...named, type: "rectangle", value: { x, y, width: right - x, height: bottom - y, rotation: 0 } }];
  }
  if (form.kind === "numbers") {
    return [{ ...named, type: "number", value: { number: Number(f32At(answers, row).toPrecision(6)) } }];
  }
  const words =
    typeof described === "boolean" ? [described ? YES : NO] : typeof described === "object" ? described : [described];
  return [{ ...named, type: "choices", value: { choices: words.length === 0 ? [NONE] : words } }];
}
