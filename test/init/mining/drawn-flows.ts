/** @file Tables drawn from random flows, whose true conditions are known. */
import { createRandom, type Random } from "../../../src/data/rng.js";
import type { Condition } from "../../../src/flow/graph.js";
import type { LabelColumn } from "../../../src/init/mining/label-column.js";

export type Truth = boolean | null;

/** A flow's tasks with their true conditions, and a table drawn from it. */
export interface Drawn {
  readonly columns: readonly LabelColumn[];
  readonly conditions: readonly (Condition | null)[];
}

export const differences = (left: readonly boolean[], right: readonly boolean[]): number =>
  left.filter((value, row) => value !== right[row]).length;

/** Rows on which the condition is true by the labels of the table: written out row by row, in plain three-valued logic. */
export function masksOf(columns: readonly LabelColumn[], condition: Condition | null): boolean[] {
  const rows = columns[0]?.values.length ?? 0;
  return Array.from({ length: rows }, (_, row) => condition === null || truth(columns, condition, row) === true);
}

export function truth(columns: readonly LabelColumn[], condition: Condition, row: number): Truth {
  if (condition.kind === "not") {
    const of = truth(columns, condition.of, row);
    return of === null ? null : !of;
  }
  if (condition.kind === "and" || condition.kind === "or") {
    const decisive = condition.kind === "or";
    const all = condition.of.map((each) => truth(columns, each, row));
    if (all.includes(decisive)) return decisive;
    return all.includes(null) ? null : !decisive;
  }
  const value = columns.find(({ name }) => name === condition.task)?.values[row] ?? Number.NaN;
  if (Number.isNaN(value)) return null;
  switch (condition.kind) {
    case "true":
      return value === 1;
    case "isOneOf":
      return condition.classes.includes(value);
    case "has":
      return ((value >>> condition.label) & 1) === 1;
    case "atLeast":
      return value >= condition.value;
    case "below":
      return value < condition.value;
    default:
      return condition satisfies never;
  }
}

/** A table of 200 to 1,000 rows and up to eight tasks, up to 10 % of its cells missing besides. */
export function drawFlow(seed: number): Drawn {
  const rng = createRandom(seed);
  const below = (n: number): number => Math.floor(rng.next() * n);
  for (;;) {
    const tasks = 4 + below(5);
    const rows = 200 + below(800);
    const missing = 0.1 * rng.next();
    const columns: { name: string; form: LabelColumn["form"]; values: Float64Array }[] = [];
    const conditions: (Condition | null)[] = [];
    for (let t = 0; t < tasks; t++) {
      const form = FORMS[below(FORMS.length)] ?? { kind: "binary" };
      conditions.push(t === 0 || rng.next() < 0.25 ? null : randomCondition(columns, below, rng));
      const share = 0.3 + 0.4 * rng.next();
      const values = Float64Array.from({ length: rows }, (_, row) => {
        const condition = conditions[t] ?? null;
        if (condition !== null && truth(columns, condition, row) !== true) return Number.NaN;
        return form.kind === "binary"
          ? Number(rng.next() < share)
          : form.kind === "number"
            ? below(30)
            : below(form.kind === "classes" ? form.names.length : 8);
      });
      columns.push({ name: `t${t}`, form, values });
    }
    // a task that is hardly ever asked, or hardly ever not, says nothing of its condition
    const asked = columns.map(({ values }) => values.filter((value) => !Number.isNaN(value)).length);
    if (conditions.some((c, t) => (asked[t] ?? 0) < 30 || (c !== null && (asked[t] ?? 0) > rows - 30))) continue;
    // a gate that leaves the asked rows as they are, because another one hangs on it, cannot be seen in any table
    if (conditions.some((condition) => condition !== null && hasIdleGate(columns, condition))) continue;
    const dropped = columns.map((column) => ({
      ...column,
      values: column.values.map((v) => (rng.next() < missing ? Number.NaN : v)),
    }));
    return { columns: dropped, conditions };
  }
}

/** Whether one of two gates decides less than ten rows. */
function hasIdleGate(columns: readonly LabelColumn[], condition: Condition): boolean {
  if (condition.kind !== "and" && condition.kind !== "or") return false;
  const whole = masksOf(columns, condition);
  return condition.of.some((part) => differences(masksOf(columns, part), whole) < 10);
}

const FORMS: readonly LabelColumn["form"][] = [
  { kind: "binary" },
  { kind: "binary" },
  { kind: "classes", names: ["a", "b", "c", "d"] },
  { kind: "labels", names: ["x", "y", "z"] },
  { kind: "number" },
];

function randomCondition(
  columns: readonly { name: string; form: LabelColumn["form"] }[],
  below: (n: number) => number,
  rng: Random,
): Condition {
  const literal = ({ name, form }: { name: string; form: LabelColumn["form"] }): Condition => {
    const negate = (condition: Condition): Condition => (rng.next() < 0.4 ? { kind: "not", of: condition } : condition);
    switch (form.kind) {
      case "binary":
        return negate({ kind: "true", task: name });
      case "classes":
        return negate({ kind: "isOneOf", task: name, classes: rng.next() < 0.5 ? [below(4)] : [0, 1 + below(3)] });
      case "labels":
        return negate({ kind: "has", task: name, label: below(3) });
      default:
        return { kind: rng.next() < 0.5 ? "atLeast" : "below", task: name, value: 10 * (1 + below(2)) };
    }
  };
  const first = columns[below(columns.length)];
  const second = columns[below(columns.length)];
  if (first === undefined || second === undefined) throw new Error("there is an earlier task");
  if (first === second || rng.next() < 0.5) return literal(first);
  return { kind: rng.next() < 0.5 ? "and" : "or", of: [literal(first), literal(second)] };
}
