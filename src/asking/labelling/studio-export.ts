/** @file What Label Studio exports as JSON → cells of the run's tables. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { z } from "zod";
import { answerForm } from "../../analysis/audit/forms.js";
import { DataError, lineOf, nearestNames } from "../../errors.js";
import { isPerElement, type FlowGraph, type TaskNode } from "../../flow/graph.js";
import { activeRows, answerWidth } from "../../flow/masks.js";
import { behaviourOf, type Described } from "../../tasks/index.js";
import { answerCells } from "../audit/cell-writer.js";
import type { RefusedCell, WantedCell } from "../audit/correction-table.js";
import { cellText, hasCells, labelColumnsAt, type LabelTable, placeOfRow } from "../audit/label-table.js";
import { controlName, NONE, YES } from "./studio-config.js";

const result = z.looseObject({
  from_name: z.string().optional(),
  type: z.string(),
  value: z.record(z.string(), z.unknown()).optional(),
  original_width: z.number().positive().optional(),
  original_height: z.number().positive().optional(),
});
type Result = z.infer<typeof result>;

const document = z.array(
  z.looseObject({
    data: z.looseObject({
      cool: z.looseObject({ table: z.string(), row: z.number().int().min(1), sample: z.string() }),
    }),
    annotations: z.array(
      z.looseObject({
        was_cancelled: z.boolean().nullish(),
        updated_at: z.string().nullish(),
        result: z.array(result),
      }),
    ),
  }),
);

/** What an export comes to. */
export interface StudioAnswers {
  readonly cells: readonly WantedCell[];
  /** Answers to questions that the other answers of their row close. */
  readonly needless: readonly RefusedCell[];
}

/** One control's answer. */
interface ControlAnswer {
  readonly task: TaskNode;
  readonly cells: readonly WantedCell[];
}

/**
 * Reads the answers of people; skipped tasks have none, and of several annotations of a task the latest counts.
 * @throws DataError where it is no export of a project that `cool ask` has written, or an answer is none of its task
 */
export function readStudioExport(file: string, graph: FlowGraph, table: LabelTable): StudioAnswers {
  const [cells, needless]: [WantedCell[], RefusedCell[]] = [[], []];
  for (const [i, { data, annotations }] of parseExport(file).entries()) {
    const { sample, table: name, row } = data.cool;
    const place = table.rowOf.get(sample);
    if (place === undefined || placeOfRow(table, place).row !== row || placeOfRow(table, place).table !== name) {
      throw new DataError(
        `${file}, task ${i + 1}: row ${row} of ${name} is not ${sample} any more. Read exports before the table is changed.`,
        { file, task: i + 1, sample },
      );
    }
    const given = annotations.filter(({ was_cancelled }) => was_cancelled !== true);
    const latest = given.reduce<(typeof given)[number] | null>(
      (best, one) => (best === null || (one.updated_at ?? "") >= (best.updated_at ?? "") ? one : best),
      null,
    );
    const answers = (latest?.result ?? []).flatMap((one) =>
      answerIn(one, `${file}, task ${i + 1}`, graph, table, place),
    );
    const isAsked = askedAfter(graph, table, place, answers);
    for (const { task, cells: own } of answers) {
      if (isAsked(task)) cells.push(...own);
      else
        needless.push(
          ...own.map(({ label: _, ...cell }) => ({ ...cell, reason: "the other answers say that it is not asked" })),
        );
    }
  }
  return { cells, needless };
}

/** Which tasks are asked of a row once its answers are written into it. */
function askedAfter(
  graph: FlowGraph,
  { labels }: LabelTable,
  row: number,
  answers: readonly ControlAnswer[],
): (task: TaskNode) => boolean {
  const tasks = graph.tasks.filter(({ spec }) => !isPerElement(spec));
  const columns = tasks.map(({ path, index, spec }) => {
    const width = answerWidth(spec);
    const own =
      labels[index]?.answers.slice(row * width, (row + 1) * width) ?? new Float32Array(width).fill(Number.NaN);
    const given = answers.find(({ task }) => task.path === path);
    if (given !== undefined) {
      const scales = behaviourOf(spec)
        .imageScales(spec)
        .map(() => Number.NaN);
      behaviourOf(spec).parseLabel(
        spec,
        given.cells.map(({ corrected }) => corrected),
        scales,
        own,
        0,
      );
    }
    return own;
  });
  const own = { ...graph, tasks: tasks.map((task, index) => ({ ...task, index })) };
  const active = activeRows(own, columns, 1);
  return ({ path }) => active[tasks.findIndex((task) => task.path === path)]?.[0] === 1;
}

function parseExport(file: string): z.infer<typeof document> {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(resolve(file), "utf8"));
  } catch (error) {
    throw new DataError(
      `${file} cannot be read: ${lineOf(error)}. Export the project as JSON.`,
      { file },
      { cause: error },
    );
  }
  const parsed = document.safeParse(content);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = (issue?.path ?? []).map(String).join(".");
  throw new DataError(
    `${file} is no export of a labelling project that cool ask has written: "${where}": ${issue?.message ?? "wrong"}. Export the project as JSON (not JSON-MIN).`,
    { file, key: where },
  );
}

function answerIn(one: Result, where: string, graph: FlowGraph, table: LabelTable, row: number): ControlAnswer[] {
  // relations and the like are of no control
  if (one.from_name === undefined || one.value === undefined) return [];
  const tasks = graph.tasks.filter(hasCells);
  const task = tasks.find((known) => controlName(known) === one.from_name);
  if (task === undefined) {
    const [near] = nearestNames(one.from_name, tasks.map(controlName));
    throw new DataError(
      `${where}: "${one.from_name}" is no task of the flow${near === undefined ? "" : `; did you mean "${near}"?`}. Read it with the run that it was asked for.`,
      { where, name: one.from_name },
    );
  }
  const answer = answerOf(task, one);
  if (answer === null) {
    throw new DataError(
      `${where}: ${JSON.stringify(one.value)} is no answer to "${task.path}". Correct it in Label Studio.`,
      {
        where,
        task: task.path,
      },
    );
  }
  const columns = labelColumnsAt(table, task, row);
  // what a person has measured is not rounded
  const texts = answerCells(task.spec, columns, answer, { round: false });
  const cells = columns.map(({ column, cells: known, row: own }, i): WantedCell => {
    return { ...placeOfRow(table, row), column, label: cellText(known.at(own)), corrected: texts[i] ?? "" };
  });
  return [{ task, cells }];
}

/** In the words of the labels; null where it is none. */
function answerOf(task: TaskNode, { value = {}, original_width, original_height }: Result): Described {
  const { spec } = task;
  const behaviour = behaviourOf(spec);
  const form = answerForm(spec);
  if (form === null) return null;
  if (form.kind === "numbers") {
    if (behaviour.figure === null) return typeof value.number === "number" ? value.number : null;
    const edges = edgesOf(value, form.width);
    const scales = behaviour
      .imageScales(spec)
      .map((side) => (side === "image-width" ? original_width : original_height));
    if (edges === null || scales.some((scale) => scale === undefined)) return null;
    const answers = new Float32Array(answerWidth(spec));
    const unitScale = scales.length === 0 ? null : Float32Array.from(scales.map(Number));
    behaviour.figure.write(spec, answers, 0, unitScale, edges);
    return behaviour.describe(spec, answers, 0);
  }
  const words = Array.isArray(value.choices) ? value.choices.map(String) : [];
  const names = behaviour.classes(spec) ?? behaviour.questions(spec).flatMap((name) => name ?? []);
  if (form.kind === "questions" && names.length > 0) {
    const chosen = words.filter((word) => word !== NONE);
    return words.length > 0 && chosen.every((word) => names.includes(word)) ? chosen : null;
  }
  const [only] = words;
  if (only === undefined || words.length > 1) return null;
  if (form.kind === "questions") return only === YES;
  return names.includes(only) ? only : null;
}

/** Edges in fractions of the picture; Label Studio counts in hundredths of it. */
function edgesOf({ x, y, width, height }: Readonly<Record<string, unknown>>, numbers: number): number[] | null {
  const all = numbers === 2 ? [x, y] : [x, y, width, height];
  if (!all.every((number) => typeof number === "number")) return null;
  const [left = 0, top = 0, wide = 0, high = 0] = all.map((number) => Number(number) / 100);
  return numbers === 2 ? [left, top] : [left, top, left + wide, top + high];
}
