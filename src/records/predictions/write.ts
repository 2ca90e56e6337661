/** @file Predictions of a run as Parquet: one row per sample (or token) and task, enough to evaluate and tune again. */
import { at, f32At, i32At, u8At } from "../../arrays.js";
import type { ScoredSplit, ScoredTask } from "../../analysis/score.js";
import { scalesPerRow } from "../../data/labels/unit-scale.js";
import { quoted } from "../../data/tables/sql.js";
import { type StreamedBlock, type StreamedPart, writeStreamed } from "../../data/tables/table-streams.js";
import type { TableColumn } from "../../data/tables/table-writer.js";
import { isPerElement, isPerPixel, type TaskSpec } from "../../flow/graph.js";
import { answerWidth, neededOffsets, type Offsets } from "../../flow/masks.js";
import { behaviourOf, scoringNumbers, scoringOf } from "../../tasks/index.js";
import { type NumberColumns, numberColumns } from "./number-columns.js";
import { pictureColumns } from "./picture-columns.js";
import { type TextColumn, textColumn } from "./text-columns.js";

const COLUMNS: readonly TableColumn[] = [
  { name: "row", type: "INTEGER" },
  { name: "sample", type: "VARCHAR" },
  /** Index of the token in its row, from 0; NULL for tasks that are asked once per row, and for a row without tokens. */
  { name: "position", type: "INTEGER" },
  { name: "task_path", type: "VARCHAR" },
  /** Answer in numbers: 0/1, class index, 0/1 per label, number; NULL where missing. Of a task per pixel all pixels. */
  { name: "label", type: "FLOAT[]" },
  { name: "label_text", type: "VARCHAR" },
  /** Of a task per token with very many classes, as activated: the summary that it is scored by. */
  { name: "logits", type: "FLOAT[]" },
  /** Of a task per pixel the IoU of each region over the pixels that count; of numbers the mean absolute error. */
  { name: "activated", type: "FLOAT[]" },
  /** Of a task per pixel the part of the picture that each region takes; of numbers the mean. */
  { name: "decoded", type: "FLOAT[]" },
  { name: "decoded_text", type: "VARCHAR" },
  { name: "loss", type: "FLOAT" },
  { name: "active_by_truth", type: "BOOLEAN" },
  { name: "active_by_prediction", type: "BOOLEAN" },
  /** Label units per unit of the task's [min, max]; 1 where the task is not scaled by the image. */
  { name: "unit_scale", type: "FLOAT" },
  /** The same along the image's height, of tasks that are scaled by both sides; else NULL. */
  { name: "unit_scale_y", type: "FLOAT" },
  /** Left, top, width and height of what the network sees, in fractions of the picture, for boxes and points; else NULL. */
  { name: "frame", type: "FLOAT[]" },
];

/** Writes one split, group after group of its rows. */
export async function writePredictions(file: string, scored: ScoredSplit, signal?: AbortSignal): Promise<void> {
  const samples = textColumn("sample", scored.ids.length, (row) => at(scored.ids, row), rowNumbers(scored.ids));
  // masked tokens are guessed in training alone
  const tasks = scored.tasks.filter(({ task }) => behaviourOf(task.spec).answeredBy !== "training");
  const numbersPerRow = Math.max(
    0,
    ...tasks.map(({ task: { spec } }) => scoringOf(spec).logitWidth(spec) * perRowOf(spec)),
  );
  const parts = tasks.map((answer) => partOf(answer, entriesOf(answer, scored), samples));
  await writeStreamed(file, COLUMNS, parts, { numbersPerRow, signal });
}

/** Names of rows that are numbers, as where rows have no pictures; null where one is not. */
function rowNumbers(ids: readonly string[]): ((row: number) => number) | null {
  const isNumber = ids.every((id) => String(Math.trunc(Number(id))) === id && Math.abs(Number(id)) < 2 ** 31);
  return isNumber ? (row) => Number(at(ids, row)) : null;
}

/** What a task's rows of the file are about. */
interface Entries {
  readonly count: number;
  /** Of each entry the row it stands in; null: its own number. */
  readonly rows: Int32Array | null;
  /** Of each entry its token among all tokens, −1 for a row without any; null where the task is asked per row. */
  readonly tokens: Int32Array | null;
  readonly offsets: Offsets | null;
}

function entriesOf({ task }: ScoredTask, { ids, offsets }: ScoredSplit): Entries {
  if (!isPerElement(task.spec) || isPerPixel(task.spec))
    return { count: ids.length, rows: null, tokens: null, offsets: null };
  const own = neededOffsets(offsets);
  const lengths = Int32Array.from(ids, (_, row) => Math.max(1, i32At(own, row + 1) - i32At(own, row)));
  const count = lengths.reduce((sum, length) => sum + length, 0);
  const [rows, tokens] = [new Int32Array(count), new Int32Array(count)];
  let entry = 0;
  for (let row = 0; row < ids.length; row++) {
    const [from, to] = [i32At(own, row), i32At(own, row + 1)];
    rows.fill(row, entry, entry + i32At(lengths, row));
    if (from === to) tokens[entry++] = -1;
    for (let token = from; token < to; token++) tokens[entry++] = token;
  }
  return { count, rows, tokens, offsets: own };
}

/** Entries of a task's arrays that stand in one row of the file: all pixels of a picture. */
function perRowOf(spec: TaskSpec): number {
  return isPerPixel(spec) ? spec.size[0] * spec.size[1] : 1;
}

function partOf(answer: ScoredTask, entries: Entries, samples: TextColumn): StreamedPart {
  const { task, labels, kept, decoded, perSampleLoss } = answer;
  const { spec } = task;
  const { logits, activated } = scoringNumbers(kept);
  const behaviour = scoringOf(spec);
  const [width, answers, perRow] = [behaviour.logitWidth(spec), answerWidth(spec), scalesPerRow(spec)];
  const each = perRowOf(spec);
  const picture = isPerPixel(spec) ? pictureColumns(answer) : null;
  const numbers = {
    label: numberColumns("label", labels.answers, answers * each),
    logits: numberColumns("logit", logits, width * each),
    activated: numberColumns("activated", picture?.overlaps ?? activated, picture?.regions ?? width),
    decoded: numberColumns("decoded", picture?.areas ?? decoded, picture?.regions ?? answers),
    loss: numberColumns("loss", picture?.losses ?? perSampleLoss, 1),
  };
  const scales = labels.unitScale === null ? null : numberColumns("scale", labels.unitScale, perRow);
  const labelText =
    picture === null
      ? describedAs("label_text", answer, labels.answers)
      : textColumn("label_text", entries.count, picture.labelText, null);
  const decodedText =
    picture === null
      ? describedAs("decoded_text", answer, decoded)
      : textColumn("decoded_text", entries.count, picture.decodedText, null);
  const masks = picture?.masks ?? {
    ...{ labelled: answer.labelled, by_truth: answer.activeTruth, by_prediction: answer.activePredicted },
  };
  const filled: readonly NumberColumns[] = [...Object.values(numbers), ...(scales === null ? [] : [scales])];
  // a row without tokens is there to be counted
  const there = (expression: string) =>
    entries.tokens === null ? expression : `CASE WHEN token >= 0 THEN ${expression} END`;
  return {
    rows: entries.count,
    columns: [
      { name: "row", type: "INTEGER" },
      ...samples.columns,
      ...(entries.tokens === null ? [] : [{ name: "token", type: "INTEGER" as const }]),
      ...filled.flatMap(({ columns }) => columns),
      ...labelText.columns,
      ...decodedText.columns,
      ...Object.keys(masks).map((name) => ({ name, type: "BOOLEAN" as const })),
    ],
    select: [
      `"row"`,
      samples.expression,
      entries.tokens === null ? "NULL" : "nullif(token, -1)",
      quoted(task.path),
      ...[
        `CASE WHEN labelled THEN ${numbers.label.list} END`,
        labelText.expression,
        numbers.logits.list,
        numbers.activated.list,
        numbers.decoded.list,
        decodedText.expression,
        numbers.loss.first,
        "by_truth",
        "by_prediction",
        ...(scales === null ? ["1", "NULL", "NULL"] : scaleCells(scales, perRow)),
      ].map(there),
    ],
    fill(block, from) {
      const rows = block.integers("row");
      for (let i = 0; i < rows.length; i++) rows[i] = entries.rows === null ? from + i : i32At(entries.rows, from + i);
      samples.fill(block, (i) => i32At(rows, i));
      const placeOf = placesIn(entries, from);
      for (const columns of filled) columns.fill(block, placeOf);
      for (const text of [labelText, decodedText]) text.fill(block, placeOf);
      for (const [name, mask] of Object.entries(masks)) {
        const truths = block.truths(name);
        for (let i = 0; i < truths.length; i++) truths[i] = u8At(mask, placeOf(i)) === 1 ? 1 : 0;
      }
      fillTokens(block, entries, from, rows);
    },
  };
}

/** Where the entries of a block stand in a task's arrays; a row without tokens takes any place, and is not read. */
function placesIn({ tokens }: Entries, from: number): (i: number) => number {
  return tokens === null ? (i) => from + i : (i) => Math.max(0, i32At(tokens, from + i));
}

function fillTokens(block: StreamedBlock, { tokens, offsets }: Entries, from: number, rows: Int32Array): void {
  if (tokens === null || offsets === null) return;
  const positions = block.integers("token");
  for (let i = 0; i < positions.length; i++) {
    const token = i32At(tokens, from + i);
    positions[i] = token < 0 ? -1 : token - i32At(offsets, i32At(rows, i));
  }
}

/** A scale is as it is, also where it is no number. */
function scaleCells({ names }: NumberColumns, perRow: number): string[] {
  const [first = "1", second = "NULL", ...frame] = names.slice(0, perRow);
  return [first, second, frame.length === 0 ? "NULL" : `[${frame.join(", ")}]`];
}

function describedAs(name: string, { task: { spec } }: ScoredTask, answers: Float32Array): TextColumn {
  const behaviour = scoringOf(spec);
  const width = answerWidth(spec);
  const describe = (entry: number) => text(behaviour.describe(spec, answers, entry));
  const count = width === 0 ? 0 : answers.length / width;
  // what is described by one number is described alike wherever it stands
  return textColumn(name, count, describe, null, width === 1 ? (entry) => f32At(answers, entry) : null);
}

function text(described: unknown): string | null {
  if (described === null || described === undefined) return null;
  return typeof described === "string" ? described : JSON.stringify(described);
}
