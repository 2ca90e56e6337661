/** @file Two texts line by line: the fewest lines taken out and put in, as a unified diff. */

import { at as itemAt, i32At } from "../../arrays.js";

/** A stretch of lines: kept, only in the first text, or only in the second. */
export interface Edit {
  readonly kind: "same" | "removed" | "added";
  readonly lines: readonly string[];
}

/** Beyond so many changed lines the middle parts are taken as replaced: the search takes their square. */
const MOST_CHANGES = 2000;

/**
 * The shortest edit from one list of lines to another, by the greedy algorithm of Myers, An O(ND) Difference Algorithm
 * and Its Variations, Algorithmica 1 (1986). Where more than 2,000 lines differ, everything between the first and
 * the last difference is one replacement.
 */
export function diffLines(first: readonly string[], second: readonly string[]): Edit[] {
  const start = commonStart(first, second);
  const end = commonEnd(first, second, start);
  const a = first.slice(start, first.length - end);
  const b = second.slice(start, second.length - end);
  const middle = shortestEdit(a, b) ?? [
    { kind: "removed" as const, lines: a },
    { kind: "added" as const, lines: b },
  ];
  return merged([
    { kind: "same", lines: first.slice(0, start) },
    ...middle,
    { kind: "same", lines: first.slice(first.length - end) },
  ]);
}

function commonStart(a: readonly string[], b: readonly string[]): number {
  const shorter = Math.min(a.length, b.length);
  let length = 0;
  while (length < shorter && a[length] === b[length]) length++;
  return length;
}

function commonEnd(a: readonly string[], b: readonly string[], start: number): number {
  const shorter = Math.min(a.length, b.length) - start;
  let length = 0;
  while (length < shorter && a[a.length - 1 - length] === b[b.length - 1 - length]) length++;
  return length;
}

/** Line by line; null where there are too many changes to look for. */
function shortestEdit(a: readonly string[], b: readonly string[]): Edit[] | null {
  const most = Math.min(a.length + b.length, MOST_CHANGES);
  // furthest[k + offset]: how far into `a` the best path on diagonal k has come; k = (lines of a) − (lines of b)
  const offset = most + 1;
  const furthest = new Int32Array(2 * most + 3);
  const history: Int32Array[] = [];
  for (let changes = 0; changes <= most; changes++) {
    history.push(furthest.slice(offset - changes - 1, offset + changes + 2));
    for (let k = -changes; k <= changes; k += 2) {
      const [left, right] = [i32At(furthest, offset + k - 1), i32At(furthest, offset + k + 1)];
      const isDown = k === -changes || (k !== changes && left < right);
      let x = isDown ? right : left + 1;
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x++;
      furthest[offset + k] = x;
      if (x >= a.length && x - k >= b.length) return backtrack(a, b, history);
    }
  }
  return null;
}

/** Walks the paths back from the end; `history[d]` holds the diagonals −d − 1 … d + 1 before the step d. */
function backtrack(a: readonly string[], b: readonly string[], history: readonly Int32Array[]): Edit[] {
  const edits: Edit[] = [];
  let [x, y] = [a.length, b.length];
  for (let changes = history.length - 1; changes >= 0; changes--) {
    const before = itemAt(history, changes);
    const at = (k: number): number => i32At(before, k + changes + 1);
    const k = x - y;
    const isDown = k === -changes || (k !== changes && at(k - 1) < at(k + 1));
    const fromX = changes === 0 ? 0 : at(isDown ? k + 1 : k - 1);
    const fromY = changes === 0 ? 0 : fromX - (isDown ? k + 1 : k - 1);
    while (x > fromX && y > fromY) {
      x--;
      y--;
      edits.push({ kind: "same", lines: [itemAt(a, x)] });
    }
    if (changes === 0) break;
    edits.push(isDown ? { kind: "added", lines: [itemAt(b, fromY)] } : { kind: "removed", lines: [itemAt(a, fromX)] });
    [x, y] = [fromX, fromY];
  }
  return edits.reverse();
}

/** Neighbours of one kind become one edit; of each change the removed lines come first. */
function merged(edits: readonly Edit[]): Edit[] {
  const result: { kind: Edit["kind"]; lines: string[] }[] = [];
  let change: Record<"removed" | "added", string[]> = { removed: [], added: [] };
  const endChange = (): void => {
    for (const kind of ["removed", "added"] as const) {
      if (change[kind].length > 0) result.push({ kind, lines: change[kind] });
    }
    change = { removed: [], added: [] };
  };
  for (const { kind, lines } of edits) {
    if (lines.length === 0) continue;
    if (kind !== "same") {
      for (const line of lines) change[kind].push(line);
      continue;
    }
    endChange();
    const last = result.at(-1);
    if (last?.kind === "same") for (const line of lines) last.lines.push(line);
    else result.push({ kind, lines: [...lines] });
  }
  endChange();
  return result;
}

/**
 * A unified diff as `diff -u` prints it, without the lines that name the files.
 * @param context unchanged lines around each change
 * @returns empty where the texts are the same
 */
export function unifiedDiff(first: string, second: string, context = 3): string {
  const edits = diffLines(linesOf(first), linesOf(second));
  const lines = edits.flatMap(({ kind, lines }) => lines.map((text): DiffLine => ({ kind, text })));
  return hunks(lines, context)
    .map((hunk) => hunkText(lines, hunk))
    .join("\n");
}

/** A last line break ends a line and begins no other. */
export function linesOf(text: string): string[] {
  if (text === "") return [];
  return (text.endsWith("\n") ? text.slice(0, -1) : text).split("\n");
}

interface DiffLine {
  readonly kind: Edit["kind"];
  readonly text: string;
}

/** Stretches of lines that are within reach of a change. */
function hunks(lines: readonly DiffLine[], context: number): [from: number, to: number][] {
  const result: [number, number][] = [];
  lines.forEach(({ kind }, i) => {
    if (kind === "same") return;
    const last = result.at(-1);
    const to = Math.min(lines.length, i + 1 + context);
    if (last !== undefined && i - context <= last[1]) last[1] = to;
    else result.push([Math.max(0, i - context), to]);
  });
  return result;
}

function hunkText(lines: readonly DiffLine[], [from, to]: readonly [number, number]): string {
  const count = (some: readonly DiffLine[], other: Edit["kind"]): number =>
    some.filter(({ kind }) => kind !== other).length;
  const before = lines.slice(0, from);
  const own = lines.slice(from, to);
  const range = (other: Edit["kind"], sign: string): string => {
    const length = count(own, other);
    // an empty range stands after the line before it
    const start = count(before, other) + (length === 0 ? 0 : 1);
    return `${sign}${start}${length === 1 ? "" : `,${length}`}`;
  };
  const signs = { same: " ", removed: "-", added: "+" } as const;
  return [
    `@@ ${range("added", "-")} ${range("removed", "+")} @@`,
    ...own.map(({ kind, text }) => signs[kind] + text),
  ].join("\n");
}
