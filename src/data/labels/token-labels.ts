/** @file Cells with a label per token → labels over the tokens of all rows. */
import { type FlowGraph, hasTokenTasks, isPerElement, pixelsPerSample, type TaskNode } from "../../flow/graph.js";
import { answerWidth, evenOffsets, neededOffsets, type Offsets, offsetsOf } from "../../flow/masks.js";
import { i32At } from "../../arrays.js";
import { isMissing } from "../../tasks/behaviour.js";
import { behaviourOf } from "../../tasks/index.js";
import type { InputSource, InputSpec, TokensInputSpec } from "../dataset.js";
import { isTokenSource } from "../dataset.js";
import { quoteCell } from "../tables/table.js";
import type { JoinedTables } from "../tables/tables.js";
import { countTokens } from "../inputs/tokens.js";
import { wordPlaces } from "../tokenizers/read-texts.js";
import type { TokenizerPlaces } from "../tokenizers/stored-tokenizer.js";

/** The tokens of rows of a table, which labels per token are aligned with. */
export interface TokenSpans {
  /** Tokens of each row as it is written; a list of labels has as many. */
  readonly written: Int32Array;
  /** Of the tokens that are left once longer sequences have been cut off. */
  readonly offsets: Offsets;
  /** By row the token that each label belongs to, −1: it is cut off; undefined: the tokens are what is labelled. */
  readonly places?: readonly Int32Array[];
}

/** The pixels of all rows of tables, and what masks say of them. */
export interface PixelLabels {
  readonly offsets: Offsets;
  /** By index of the task: [pixels of all rows], NaN where missing. */
  readonly masks: ReadonlyMap<number, Float32Array>;
}

/** What labels of the elements of rows are aligned with. */
export type ElementSpans = TokenSpans | PixelLabels;

/** The project's token input. */
export function tokenInput(inputs: Readonly<Record<string, InputSpec>>): [string, TokensInputSpec] | null {
  const found = Object.entries(inputs).find((entry): entry is [string, TokensInputSpec] => entry[1].kind === "tokens");
  return found ?? null;
}

/**
 * Counts the tokens of every row of the tables.
 * @param where tokenizers lie
 * @returns null where no task is asked per token
 */
export async function tokenSpans(
  graph: FlowGraph,
  inputs: Readonly<Record<string, InputSpec>>,
  joined: JoinedTables,
  where: TokenizerPlaces & { readonly signal?: AbortSignal | undefined },
): Promise<TokenSpans | null> {
  const input = hasTokenTasks(graph) ? tokenInput(inputs) : null;
  if (input === null) return null;
  const [name, spec] = input;
  const { tokenizer } = spec;
  if (tokenizer !== undefined) {
    const words = await wordPlaces(name, { ...spec, tokenizer }, joined, where);
    return {
      written: Int32Array.from(words, ({ starts }) => starts.length),
      offsets: offsetsOf(words.map(({ tokens }) => tokens)),
      places: words.map(({ starts }) => starts),
    };
  }
  const written = countTokens(name, spec, joined);
  return { written, offsets: offsetsOf(written.map((count) => Math.min(count, spec.maxLength))) };
}

/**
 * Offsets of all rows of open inputs; null where no task is asked per element.
 * @param rows of the inputs
 */
export function sourceOffsets(
  graph: FlowGraph,
  inputs: Readonly<Record<string, InputSource>>,
  rows: number,
): Offsets | null {
  const pixels = pixelsPerSample(graph);
  if (pixels !== null) return evenOffsets(rows, pixels);
  const source = hasTokenTasks(graph) ? Object.values(inputs).find(isTokenSource) : undefined;
  return source === undefined ? null : offsetsOf(source.lengths);
}

/** Rows that have a label: any, for a task per token. */
export function rowsWithLabel(task: TaskNode, labelled: Uint8Array, offsets: Offsets | null | undefined): Uint8Array {
  if (!isPerElement(task.spec)) return labelled;
  const own = neededOffsets(offsets);
  return Uint8Array.from({ length: own.length - 1 }, (_, row) =>
    labelled.subarray(own[row], own[row + 1]).includes(1) ? 1 : 0,
  );
}

/**
 * Reads a row's labels, one per token. An empty cell leaves all of them missing, and so does null in the list one.
 * @param written tokens of the row, or words that have been cut into tokens; the list must have as many labels
 * @param out receives the labels of the first tokens, as many as fit
 * @param places the token of each label, −1: none; undefined: the tokens one by one
 * @returns what is wrong with the cell, or null
 */
export function parseTokenLabels(
  { spec }: TaskNode,
  cell: unknown,
  written: number,
  out: Float32Array,
  places?: Int32Array,
): string | null {
  if (isMissing(cell)) return null;
  const items = listIn(cell);
  if (items === null) return "is no list; write one label per token, as a list or as JSON: [1, 0, null]";
  const unit = places === undefined ? "token" : "word";
  if (items.length !== written) {
    return `has ${items.length} label${items.length === 1 ? "" : "s"}, but the row has ${written} ${unit}${written === 1 ? "" : "s"}; give one per ${unit}, null where it is missing`;
  }
  const width = answerWidth(spec);
  const scratch = new Float32Array(width);
  for (const [i, item] of items.entries()) {
    const reason = behaviourOf(spec).parseLabel(spec, [item], [], scratch, 0);
    if (reason !== null) return `has ${quoteCell(item)} as the label of ${unit} ${i + 1}, which ${reason}`;
    const place = places === undefined ? i : i32At(places, i);
    if (place >= 0 && (place + 1) * width <= out.length) out.set(scratch, place * width);
  }
  return null;
}

function listIn(cell: unknown): readonly unknown[] | null {
  if (Array.isArray(cell)) return cell;
  if (typeof cell !== "string" || !cell.trim().startsWith("[")) return null;
  try {
    const parsed: unknown = JSON.parse(cell);
    return Array.isArray(parsed) ? parsed : null;
  } catch {
    return null;
  }
}
