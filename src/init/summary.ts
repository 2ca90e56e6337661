/** @file A proposal in words, for people at a terminal. */
import { printableLine } from "../platform/printable.js";
import { conditionWords } from "./conditions.js";
import type { ColumnRole } from "./guess-columns.js";
import type { Proposal, ProposedTask } from "./proposal.js";

const NAME_WIDTH = 24;
/** Classes and categories that are named. */
const NAMED = 6;

/** What every column is taken for, a line or more for each. */
export function summaryLines(file: string, proposal: Proposal, width: number): string[] {
  const { rows, columns } = proposal;
  const entries = columns.map((role) => [role.column, wordsOf(role, proposal)] as const);
  const longest = Math.max(...entries.map(([name]) => [...printableLine(name)].length));
  const column = Math.min(NAME_WIDTH, longest);
  return [
    `${file}: ${rows} ${rows === 1 ? "row" : "rows"}, ${columns.length} ${columns.length === 1 ? "column" : "columns"}`,
    "",
    ...entries.flatMap(([name, words]) => entryLines(printableLine(name), printableLine(words), column, width)),
  ];
}

function entryLines(name: string, words: string, column: number, width: number): string[] {
  const letters = [...name];
  const shown = letters.length > column ? `${letters.slice(0, column - 1).join("")}…` : name.padEnd(column);
  const lines = wrap(words, Math.max(20, width - column - 4));
  return lines.map((line, i) => `  ${i === 0 ? shown : " ".repeat(column)}  ${line}`);
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}

function wordsOf(role: ColumnRole, proposal: Proposal): string {
  switch (role.role) {
    case "image": {
      const input = proposal.inputs.find(({ columns }) => columns.includes(role.column));
      return input?.kind === "image"
        ? `input: pictures, read at ${input.size[1]} × ${input.size[0]}${backboneWords(proposal)}`
        : "input: pictures";
    }
    case "split":
      return "which rows train, validate and test";
    case "numeric":
      return `input: a number${role.hasGaps ? ", the mean where it is empty" : ""}`;
    case "categorical":
      return `input: a category (${some(role.categories)})`;
    case "tokens": {
      const input = proposal.inputs.find(({ columns }) => columns.includes(role.column));
      return input?.kind === "tokens"
        ? `input: a text (${input.vocabulary.tokens.length} tokens are known)`
        : "input: a text";
    }
    case "ignored":
      return `left out: ${role.why}`;
    case "unclear":
      return `unclear: ${role.why}`;
    case "task": {
      const task = proposal.tasks.find(({ column }) => column === role.column);
      const whole = proposal.tasks.find(({ figure }) => figure?.columns.includes(role.column) === true);
      if (task === undefined) return whole === undefined ? role.kind : `of ${whole.name}`;
      return taskWords(task, proposal);
    }
    default:
      return role satisfies never;
  }
}

function backboneWords({ backbone }: Proposal): string {
  return backbone === null ? "" : ` by ${backbone.model} up to ${backbone.output}, frozen`;
}

function taskWords({ name, role, place, figure, given, mined }: ProposedTask, { gates, rows }: Proposal): string {
  const kind = figure === null ? role.kind : `${figure.kind} (${name})`;
  const names = role.names.length > 0 ? ` (${some(role.names)})` : "";
  const measures = place === null || figure !== null ? "" : `, ${place.measures} on the picture`;
  if (given === null) {
    const missing = rows - mined.filled;
    return `${kind}${names}${measures}${missing === 0 ? "" : `, ${missing} labels are missing`}`;
  }
  return `${kind}${names}${measures}, asked where ${conditionWords(given, gates)}`;
}

function some(names: readonly string[]): string {
  const shown = names.slice(0, NAMED).join(", ");
  return names.length > NAMED ? `${shown}, … ${names.length} in all` : shown;
}
