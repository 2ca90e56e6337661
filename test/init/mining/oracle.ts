/**
 * @file Whether a mined flow is as good as the true one: its masks are the true ones, or no row tells them apart.
 *
 * A table's likelihood under a flow is summed cell by cell over all that may be missing, and compared with those of all
 * conditions of the language, so that nothing rests on how the search goes about it.
 */
import { type Condition, gatesOf } from "../../../src/flow/graph.js";
import type { LabelColumn } from "../../../src/init/mining/label-column.js";
import type { MinedTask } from "../../../src/init/mining/mine-flow.js";
import { type Drawn, differences, masksOf, truth } from "./drawn-flows.js";

/** Nats within which two likelihoods are the same. */
const SAME = 1e-6;
/** Missing rates over which likelihoods are averaged: tables are drawn with up to 10 %. */
const RATES = Array.from({ length: 20 }, (_, i) => (0.1 * (i + 0.5)) / 20);

/** @returns what is wrong with a mined flow: a line for each column whose masks are neither the true ones nor tied */
export function unexplained({ columns, conditions }: Drawn, tasks: readonly MinedTask[]): string[] {
  const mined = new Map(tasks.map((task) => [task.name, task]));
  return columns.flatMap(({ name }, index) => {
    const task = mined.get(name);
    const [given, expected] = [task?.given ?? null, conditions[index] ?? null];
    const masks = masksOf(columns, expected);
    if (differences(masksOf(columns, given), masks) === 0) return [];
    const wrong = (what: string): string => `${name}: ${words(given)} is ${words(expected)}: ${what}`;
    if (task === undefined || given === null) return [wrong("not found")];
    const named = [...task.equivalent, ...task.nearly];
    if (!named.some((other) => differences(masksOf(columns, other), masks) === 0)) return [wrong("not named")];
    const with_ = (condition: Condition | null): number =>
      logLikelihood(
        columns,
        conditions.map((own, i) => (i === index ? condition : own)),
      );
    const likelihood = with_(given);
    if (likelihood < with_(expected) - SAME) return [wrong("less likely")];
    const before = declaredBefore(columns, index, given).find((other) => Math.abs(with_(other) - likelihood) < SAME);
    return before === undefined ? [] : [wrong(`${words(before)} is as likely and was declared before`)];
  });
}

/** All conditions of the language that the labels do not rule out, and whose gates come before those of another one. */
function declaredBefore(columns: readonly LabelColumn[], index: number, than: Condition): Condition[] {
  const literals = columns.slice(0, index).map(literalsOf);
  const known = new Map(literals.flat().map((literal) => [literal, truthsOf(columns, literal)]));
  const of = (literal: Condition): Uint8Array => known.get(literal) ?? new Uint8Array(0);
  const filled = Array.from(columns[index]?.values ?? [], (value) => !Number.isNaN(value));
  // where one is true and the other false, by known labels, an empty cell is missing or was not asked: never as likely
  const truths = truthsOf(columns, than);
  const isPossible = (truthAt: (row: number) => number): boolean => {
    for (let row = 0; row < filled.length; row++) {
      const value = truthAt(row);
      if (value + (truths[row] ?? 0) === 1 || (value === 0 && filled[row] === true)) return false;
    }
    return true;
  };
  const found = literals
    .flat()
    .filter((literal) => isDeclaredBefore(columns, literal, than) && isPossible((row) => of(literal)[row] ?? 0));
  for (const [i, those] of literals.entries()) {
    for (const right of literals.slice(i + 1)) {
      const [one, other] = [those[0], right[0]];
      if (one === undefined || other === undefined) continue;
      if (isDeclaredBefore(columns, { kind: "or", of: [one, other] }, than)) found.push(...pairs(those, right));
    }
  }
  return found;

  function pairs(lefts: readonly Condition[], rights: readonly Condition[]): Condition[] {
    return lefts.flatMap((left) => {
      const one = of(left);
      return rights.flatMap((right): Condition[] => {
        const other = of(right);
        const [l, r] = [(row: number) => one[row] ?? 0, (row: number) => other[row] ?? 0];
        const both = isPossible((row) => (l(row) === 0 || r(row) === 0 ? 0 : Math.max(l(row), r(row))));
        const any = isPossible((row) => (l(row) === 1 || r(row) === 1 ? 1 : Math.max(l(row), r(row))));
        return [...(both ? ["and" as const] : []), ...(any ? ["or" as const] : [])].map((kind) => ({
          kind,
          of: [left, right],
        }));
      });
    });
  }
}

/** By row: 0 false, 1 true, 2 where it may be either, for want of a label. */
function truthsOf(columns: readonly LabelColumn[], condition: Condition | null): Uint8Array {
  const rows = columns[0]?.values.length ?? 0;
  return Uint8Array.from({ length: rows }, (_, row) => {
    if (condition === null) return 1;
    const value = truth(columns, condition, row);
    return value === null ? 2 : Number(value);
  });
}

function literalsOf({ name, form, values }: LabelColumn): Condition[] {
  const either = (condition: Condition): Condition[] => [condition, { kind: "not", of: condition }];
  switch (form.kind) {
    case "binary":
      return either({ kind: "true", task: name });
    case "labels":
      return form.names.flatMap((_, label) => either({ kind: "has", task: name, label }));
    case "classes":
      return Array.from({ length: 2 ** form.names.length - 2 }, (_, i) => ({
        ...{ kind: "isOneOf", task: name },
        classes: form.names.flatMap((_name, index) => ((((i + 1) >> index) & 1) === 1 ? [index] : [])),
      }));
    default:
      return [...new Set(values)]
        .filter((value) => !Number.isNaN(value))
        .flatMap((value) => [
          { kind: "atLeast" as const, task: name, value },
          { kind: "below" as const, task: name, value },
        ]);
  }
}

/** Whether a condition has as few gates as another one, and gates that come before. */
function isDeclaredBefore(columns: readonly LabelColumn[], one: Condition, other: Condition): boolean {
  const places = (condition: Condition): number[] =>
    [...gatesOf(condition)].map((gate) => columns.findIndex(({ name }) => name === gate)).sort((a, b) => a - b);
  const [left, right] = [places(one), places(other)];
  if (left.length !== right.length) return left.length < right.length;
  const first = left.findIndex((place, i) => place !== right[i]);
  return first >= 0 && (left[first] ?? 0) < (right[first] ?? 0);
}

/**
 * How likely it is that just these cells are empty, in nats: row by row summed over all values that missing labels may
 * have, and over missing rates. Conditions read columns before their own.
 */
export function logLikelihood(columns: readonly LabelColumn[], conditions: readonly (Condition | null)[]): number {
  const gates = new Set(conditions.flatMap((condition) => (condition === null ? [] : [...gatesOf(condition)])));
  const shares = columns.map(({ values }) => {
    const known = [...values].filter((value) => !Number.isNaN(value));
    const counts = new Map<number, number>();
    for (const value of known) counts.set(value, (counts.get(value) ?? 0) + 1 / known.length);
    return [...counts];
  });
  const sums = RATES.map(() => 0);
  const latent = columns.map((column) => ({ ...column, values: new Float64Array(1) }));
  const rows = columns[0]?.values.length ?? 0;
  for (let row = 0; row < rows; row++) {
    // by how many of the asked cells are missing
    const ways = columns.map(() => 0).concat(0);
    let filled = 0;
    const walk = (index: number, missing: number, probability: number): void => {
      const [column, now] = [columns[index], latent[index]];
      if (column === undefined || now === undefined) {
        ways[missing] = (ways[missing] ?? 0) + probability;
        return;
      }
      const condition = conditions[index] ?? null;
      const isAsked = condition === null || truth(latent, condition, 0) === true;
      const value = column.values[row] ?? Number.NaN;
      const isFilled = !Number.isNaN(value);
      if (isFilled && !isAsked) return;
      now.values[0] = value;
      if (isFilled || !isAsked || !gates.has(column.name)) {
        walk(index + 1, missing + Number(isAsked && !isFilled), probability);
        return;
      }
      for (const [possible, share] of shares[index] ?? []) {
        now.values[0] = possible;
        walk(index + 1, missing + 1, probability * share);
      }
    };
    walk(0, 0, 1);
    for (const { values } of columns) filled += Number(!Number.isNaN(values[row] ?? Number.NaN));
    for (const [i, rate] of RATES.entries()) {
      const of = ways.reduce((sum, way, missing) => sum + way * rate ** missing, 0);
      sums[i] = (sums[i] ?? 0) + Math.log(of) + filled * Math.log(1 - rate);
    }
  }
  const most = Math.max(...sums);
  return most + Math.log(sums.reduce((sum, each) => sum + Math.exp(each - most), 0) / RATES.length);
}

function words(condition: Condition | null): string {
  return condition === null ? "always" : JSON.stringify(condition);
}
