/** @file The slices of one or two columns on which a task does worse than elsewhere, beyond chance. */
import { at, f64At, i32At } from "../../arrays.js";
import { fisherLower } from "../statistics/fisher-exact.js";
import { holm } from "../statistics/holm.js";
import { studentTail } from "../statistics/student.js";
import type { RowValues } from "./row-values.js";
import type { Slice, Slicer } from "./slicers.js";

/** A slice beside the rest of the split. */
export interface WorseSlice {
  readonly task_path: string;
  readonly slice: Slice;
  readonly measure: string;
  /** Rows of the slice that count. */
  readonly n: number;
  readonly value: number;
  /** Over the other rows that count. */
  readonly rest: number;
  readonly p_value: number;
  /** Adjusted for all slices and tasks that were tested. */
  readonly p_holm: number;
}

/** Fewer rows say nothing of a slice. */
export const FEWEST_ROWS = 10;

/** Sums of a slice's values. */
interface Sums {
  count: number;
  sum: number;
  squares: number;
}

const NOTHING: Sums = { count: 0, sum: 0, squares: 0 };

/**
 * Slices of every column and every pair of columns, each task's answers in one beside those outside. Decisions are tested
 * by Fisher's exact test, other values, and those of groups of rows, by Welch's t; one-sided, for only worse ones are
 * sought. p-values are adjusted by Holm's method over all slices and tasks, which holds however they overlap. A pair that
 * has the same rows as one of its columns says nothing new and is left out.
 * @param ownColumns of each task, by which its own slices would only be its classes
 * @param groups of rows, see `withIntervals`
 * @returns those that are worse than the rest, the smallest p-value first; how many were tested; tasks that were not,
 *   because some of their errors are none
 */
export function worstSlices(
  tasks: readonly RowValues[],
  slicers: readonly Slicer[],
  options: {
    readonly ownColumns?: ReadonlyMap<string, readonly string[]>;
    readonly groups?: Int32Array | null;
  } = {},
): { readonly tested: number; readonly slices: readonly WorseSlice[]; readonly warnings: readonly string[] } {
  const known = tasks.filter(({ unanswered }) => unanswered === 0);
  const candidates = cuts(slicers).flatMap((cut) => tested(known, cut, options));
  const adjusted = holm(candidates.map(({ p_value }) => p_value));
  const slices = candidates
    .map((candidate, i) => ({ ...candidate, p_holm: adjusted[i] ?? 1 }))
    .filter(({ isWorse }) => isWorse)
    .map(({ isWorse: _, ...slice }): WorseSlice => slice)
    .sort((a, b) => a.p_value - b.p_value || b.n - a.n);
  const warnings = tasks.flatMap(({ task_path, unanswered }) =>
    unanswered === 0 ? [] : [unsearched(task_path, unanswered)],
  );
  return { tested: candidates.length, slices, warnings };
}

function unsearched(path: string, unanswered: number): string {
  const count = unanswered === 1 ? "one of its answers is" : `${unanswered} of its answers are`;
  return `${path} is not searched: ${count} NaN, so that its mean error is undefined; with --gates end_to_end such an answer is not right`;
}

/** Single columns, then pairs; each with the slices of its first column and of its second. */
function cuts(slicers: readonly Slicer[]): (readonly Slicer[])[] {
  const pairs = slicers.flatMap((first, i) => slicers.slice(i + 1).map((second) => [first, second] as const));
  return [...slicers.map((one) => [one] as const), ...pairs];
}

type Candidate = Omit<WorseSlice, "p_holm"> & { readonly isWorse: boolean };

function tested(
  tasks: readonly RowValues[],
  cut: readonly Slicer[],
  { ownColumns, groups = null }: Parameters<typeof worstSlices>[2] & object,
): Candidate[] {
  const width = cut.reduce((product, { names }) => product * names.length, 1);
  const rows = at(cut, 0).codes.length;
  const codes = new Int32Array(rows);
  for (let row = 0; row < rows; row++) {
    let code = 0;
    for (const { codes: own, names } of cut)
      code = own[row] === -1 || code < 0 ? -1 : code * names.length + i32At(own, row);
    codes[row] = code;
  }
  return tasks.flatMap((task): Candidate[] => {
    if (cut.some(({ column }) => ownColumns?.get(task.task_path)?.includes(column) === true)) return [];
    const slices = Array.from({ length: width }, () => ({ ...NOTHING }));
    const parents = cut.length === 1 ? [] : cut.map(({ names }) => names.map(() => 0));
    const all = { ...NOTHING };
    for (let row = 0; row < rows; row++) {
      const value = f64At(task.values, row);
      if (Number.isNaN(value)) continue;
      add(all, value);
      cut.forEach(({ codes: own }, i) => {
        const parent = parents[i];
        const code = i32At(own, row);
        if (parent !== undefined && code >= 0) parent[code] = at(parent, code) + 1;
      });
      const code = i32At(codes, row);
      if (code >= 0) add(at(slices, code), value);
    }
    return slices.flatMap((own, code): Candidate[] => {
      const rest = { count: all.count - own.count, sum: all.sum - own.sum, squares: all.squares - own.squares };
      if (own.count < FEWEST_ROWS || rest.count < FEWEST_ROWS) return [];
      const places = placesOf(code, cut);
      if (parents.some((parent, i) => parent[at(places, i)] === own.count)) return [];
      const p_value =
        groups !== null
          ? groupedTail(task, codes, code, groups, [own, rest])
          : task.isDecision && task.higherIsBetter
            ? fisherLower(own.sum, own.count, all.sum, all.count)
            : welchTail(own, rest, task.higherIsBetter);
      const [value, elsewhere] = [own.sum / own.count, rest.sum / rest.count];
      return [
        {
          task_path: task.task_path,
          slice: Object.fromEntries(cut.map(({ column, names }, i) => [column, at(names, at(places, i))])),
          measure: task.measure,
          ...{ n: own.count, value, rest: elsewhere, p_value },
          isWorse: task.higherIsBetter ? value < elsewhere : value > elsewhere,
        },
      ];
    });
  });
}

function placesOf(code: number, cut: readonly Slicer[]): number[] {
  const places: number[] = [];
  let left = code;
  for (const { names } of [...cut].reverse()) {
    places.unshift(left % names.length);
    left = Math.floor(left / names.length);
  }
  return places;
}

function add(sums: Sums, value: number): void {
  sums.count++;
  sums.sum += value;
  sums.squares += value * value;
}

function varianceOf({ count, sum, squares }: Sums): number {
  return Math.max(0, squares - (sum * sum) / count) / (count - 1);
}

/** Welch's t, one-sided (Welch, Biometrika 34, 1947). */
function welchTail(own: Sums, rest: Sums, higherIsBetter: boolean): number {
  const [a, b] = [varianceOf(own) / own.count, varianceOf(rest) / rest.count];
  const difference = (higherIsBetter ? -1 : 1) * (own.sum / own.count - rest.sum / rest.count);
  if (a + b === 0) return difference > 0 ? 0 : 1;
  const degrees = (a + b) ** 2 / (a ** 2 / (own.count - 1) + b ** 2 / (rest.count - 1));
  return studentTail(difference / Math.sqrt(a + b), degrees);
}

/** The difference by its cluster-robust standard error, with as many degrees of freedom as the slice has groups, less one. */
function groupedTail(
  task: RowValues,
  codes: Int32Array,
  code: number,
  groups: Int32Array,
  [own, rest]: readonly [Sums, Sums],
): number {
  const [value, elsewhere] = [own.sum / own.count, rest.sum / rest.count];
  const sums = new Map<number, { influence: number; isInside: boolean }>();
  for (let row = 0; row < codes.length; row++) {
    const one = f64At(task.values, row);
    if (Number.isNaN(one)) continue;
    const isInside = codes[row] === code;
    const known = sums.get(i32At(groups, row)) ?? { influence: 0, isInside: false };
    known.influence += isInside ? (one - value) / own.count : -(one - elsewhere) / rest.count;
    known.isInside ||= isInside;
    sums.set(i32At(groups, row), known);
  }
  const inside = [...sums.values()].filter((group) => group.isInside).length;
  if (inside < 2) return 1;
  const variance = [...sums.values()].reduce((sum, { influence }) => sum + influence ** 2, 0) * (inside / (inside - 1));
  const difference = (task.higherIsBetter ? -1 : 1) * (value - elsewhere);
  if (variance === 0) return difference > 0 ? 0 : 1;
  return studentTail(difference / Math.sqrt(variance), inside - 1);
}
