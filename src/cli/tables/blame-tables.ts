/** @file Whom to blame, as a table and as a tree. */
import type { Blame, BlamedRow, GateShare, TaskBlame } from "../../analysis/blame/blame.js";
import { points } from "../../analysis/blame/headline.js";
import { cellText } from "../text.js";
import { displayWidth } from "./display-width.js";
import { drawTable, formatMetric } from "./tables.js";

/** Under each task what the gates above it cost: those that make errors. */
export function blameTable({ split, tasks }: Blame): string {
  const head = [split, "end to\nend", "true\ngates", "gap", "misses", "false\nalarms", "alone"];
  let flow = "";
  const rows = tasks.flatMap((task) => {
    const at = task.task_path.lastIndexOf(".");
    const own = task.task_path.slice(0, Math.max(0, at));
    const header = own === flow || own === "" ? [] : [[{ content: own, colSpan: head.length }]];
    flow = own;
    const scores = [task.end_to_end, task.truth, task.gap].map(formatMetric);
    return [...header, [task.task_path.slice(at + 1), ...scores, "", "", ""], ...task.gates.filter(errs).map(gateRow)];
  });
  return drawTable(head, rows, [1, 2, 3, 4, 5, 6]);
}

const errs = ({ missed_rows, false_alarm_rows, share }: GateShare): boolean =>
  missed_rows + false_alarm_rows > 0 || share !== 0;

function gateRow({ gate, share, misses, false_alarms, alone, standard_error }: GateShare): string[] {
  const spread = standard_error === undefined ? "" : `±${formatMetric(standard_error)}`;
  return [`  ${gate}`, "", spread, ...[share, misses, false_alarms, alone].map(formatMetric)];
}

/** What hangs where. */
export interface Hanging {
  readonly path: string;
  readonly name: string;
  readonly parent: string | null;
}

const WIDTH = 80;

/**
 * Tasks under their gates, with what each loses to whom, in points of a hundred.
 * @param nodes all tasks of the flow, in its order
 */
export function blameTree({ tasks }: Blame, nodes: readonly Hanging[]): string {
  const blamed = new Map(tasks.map((task) => [task.task_path, task]));
  const isShown = ({ path }: Hanging): boolean =>
    blamed.has(path) || nodes.some((node) => node.parent === path && isShown(node));
  const shown = nodes.filter(isShown);
  const lines: string[] = [];
  const print = (siblings: readonly Hanging[], indent: string): void => {
    siblings.forEach(({ path, name }, i) => {
      const last = i === siblings.length - 1;
      const children = shown.filter(({ parent }) => parent === path);
      const below = indent + (last ? "    " : "│   ");
      const task = blamed.get(path);
      // two flows may have tasks of one name
      const called = cellText(shown.filter((node) => node.name === name).length > 1 ? path : name);
      const [first = "", ...more] = task === undefined ? [] : wrapped(partsOf(task), called, below);
      lines.push(`${indent}${last ? "└── " : "├── "}${called}${first}`);
      for (const line of more) lines.push(`${below}${children.length > 0 ? "│" : " "}   ${line}`);
      print(children, below);
    });
  };
  print(
    shown.filter(({ parent }) => parent === null || !shown.some(({ path }) => path === parent)),
    "",
  );
  return lines.join("\n");
}

/** `81.2 of 100`, then what is lost. */
function partsOf({ end_to_end, own_error, gates }: TaskBlame): string[] {
  if (end_to_end === null) return ["nothing due or given"];
  const lost = gates.filter(({ share }) => points(share) !== "0.0");
  return [
    `${points(end_to_end)} of 100`,
    ...(own_error === null || points(own_error) === "0.0" ? [] : [`own errors ${points(own_error)}`]),
    ...lost.map(({ gate, share }) => `${cellText(gate)} ${points(share)}`),
  ];
}

/** The parts behind a name, on lines of their own where they do not fit. */
function wrapped(parts: readonly string[], name: string, indent: string): string[] {
  const [first = "", ...others] = parts;
  const lines = [`  ${first}`];
  let used = displayWidth(`${indent}${name}  ${first}`);
  for (const part of others) {
    const fits = used + displayWidth(part) + 3 <= WIDTH;
    const before = `${lines.pop() ?? ""},`;
    lines.push(...(fits ? [`${before} ${part}`] : [before, part]));
    used = fits ? used + displayWidth(part) + 2 : displayWidth(`${indent}    ${part}`);
  }
  return lines;
}

const ROWS_SHOWN = 8;

/** The rows behind each number, the first few of them. */
export function blamedRows(rows: readonly BlamedRow[]): string {
  const groups = new Map<string, BlamedRow[]>();
  for (const row of rows) {
    const key = JSON.stringify([row.task_path, row.gate, row.error]);
    const group = groups.get(key) ?? [];
    group.push(row);
    groups.set(key, group);
  }
  return [...groups.values()]
    .flatMap((group) => {
      const [first] = group;
      if (first === undefined) return [];
      const named = group.slice(0, ROWS_SHOWN).map(({ sample, position }) => {
        return `  ${cellText(sample)}${position === undefined ? "" : `, token ${position}`}`;
      });
      const more = group.length - named.length;
      return [
        `${first.task_path}: ${whatOf(first)} (${group.length})`,
        ...named,
        ...(more > 0 ? [`  … and ${more} more (all with --json)`] : []),
      ];
    })
    .join("\n");
}

function whatOf({ gate, error }: BlamedRow): string {
  return gate === null ? "own errors" : `${gate}, ${error === "misses" ? "misses" : "false alarms"}`;
}
