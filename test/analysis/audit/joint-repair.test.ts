/** @file Joint repair against every way in which a row can be filled, over small flows. */
import { describe, expect, it } from "vitest";
import { type CellCosts, choiceCosts, questionCosts } from "../../../src/analysis/audit/cell-costs.js";
import { repairRow } from "../../../src/analysis/audit/joint-repair.js";
import { latticeOf } from "../../../src/analysis/audit/lattice.js";
import { at } from "../../../src/arrays.js";
import { createRandom, type Random } from "../../../src/data/rng.js";
import { defineTasks } from "../../../src/flow/define.js";
import type { FlowGraph } from "../../../src/flow/graph.js";
import { activeRows } from "../../../src/flow/masks.js";
import { traceFlow } from "../../../src/flow/trace.js";
import { binary, classification, multilabel, ordinal } from "../../../src/tasks/index.js";

const graph = traceFlow(
  defineTasks({
    features: ["f"],
    tasks: {
      blocked: binary(),
      open: binary(),
      color: classification({ classes: ["red", "green", "blue"] }),
      marks: multilabel({ labels: ["dot", "stripe", "hole"] }),
      grade: ordinal({ levels: ["low", "middle", "high"] }),
      locked: binary(),
      torn: binary(),
    },
  }).flow("all", (flow, x, out) => {
    out.add(flow.blocked(x.f));
    out.add(flow.open(x.f).given(out.blocked.not()));
    out.add(flow.color(x.f).given(out.open));
    out.add(flow.marks(x.f).given(out.color.is("blue").not()));
    out.add(flow.grade(x.f).given(out.marks.has("dot").or(out.open.not())));
    out.add(flow.locked(x.f).given(out.open.not().and(out.grade.atLeast("middle"))));
    out.add(flow.torn(x.f).given(out.marks.has("stripe").not().or(out.blocked)));
  }),
  "all",
);

/** Numbers of answers that a task can have. */
const VALUES: Readonly<Record<string, readonly (readonly number[])[]>> = {
  ...Object.fromEntries(["blocked", "open", "locked", "torn"].map((name) => [name, [[0], [1]]])),
  color: [[0], [1], [2]],
  grade: [[0], [1], [2]],
  marks: Array.from({ length: 8 }, (_, set) => [set & 1, (set >> 1) & 1, (set >> 2) & 1]),
};

/** One cell: what stands there, and how likely each value is. */
interface Cell {
  readonly label: readonly number[] | null;
  /** Of the values of a choice, or of yes. */
  readonly probabilities: readonly number[];
  readonly price: number;
  readonly missing: number;
}

function drawCells(random: Random): Cell[] {
  return graph.tasks.map(({ name }): Cell => {
    const values = VALUES[name] ?? [];
    const drawn = Array.from({ length: name === "marks" ? 3 : values.length }, () => 0.05 + random.next());
    const sum = drawn.reduce((total, one) => total + one, 0);
    return {
      label: random.next() < 0.5 ? null : at(values, random.int(values.length)),
      probabilities: name === "marks" ? drawn.map((one) => one / 1.1) : drawn.map((one) => one / sum),
      price: 0.5 + 3 * random.next(),
      missing: random.next(),
    };
  });
}

const likelihood = (name: string, { probabilities }: Cell, value: readonly number[]): number =>
  name === "marks"
    ? value.reduce((product, yes, i) => product * (yes === 1 ? at(probabilities, i) : 1 - at(probabilities, i)), 1)
    : at(probabilities, at(value, 0));

interface Way {
  readonly cost: number;
  readonly changed: readonly boolean[];
  readonly answers: readonly (readonly number[] | null)[];
}

/** Every way in which a row can be filled, and which of its tasks are then active. */
const FILLED = ((): (readonly number[] | null)[][] => {
  let partial: (readonly number[] | null)[][] = [[]];
  for (const { name } of graph.tasks) {
    partial = partial.flatMap((row) => [null, ...(VALUES[name] ?? [])].map((value) => [...row, value]));
  }
  return partial;
})();
const ACTIVE = activeRows(
  graph,
  graph.tasks.map(({ name }, i) =>
    Float32Array.from(FILLED.flatMap((row) => row[i] ?? (VALUES[name]?.[0] ?? []).map(() => Number.NaN))),
  ),
  FILLED.length,
);
const CONSISTENT = FILLED.map((answers, row) => ({ answers, row })).filter(({ answers, row }) =>
  answers.every((value, i) => value === null || ACTIVE[i]?.[row] === 1),
);

/** Every consistent row with its cost. */
function everyWay(cells: readonly Cell[]): Way[] {
  return CONSISTENT.flatMap(({ answers, row }): Way[] => {
    let cost = 0;
    const changed: boolean[] = [];
    for (const [i, { name }] of graph.tasks.entries()) {
      const [cell, value] = [at(cells, i), answers[i] ?? null];
      const isSame = cell.label === null ? value === null : cell.label.every((one, k) => one === value?.[k]);
      changed.push(!isSame);
      if (ACTIVE[i]?.[row] !== 1) {
        cost += isSame ? 0 : cell.price;
        continue;
      }
      if (value === null && cell.label !== null) return [];
      cost += value === null ? cell.missing : -Math.log(likelihood(name, cell, value)) + (isSame ? 0 : cell.price);
    }
    return [{ cost, changed, answers }];
  });
}

function costsOf(flow: FlowGraph, cells: readonly Cell[]): CellCosts[] {
  const lattice = latticeOf(flow);
  return (lattice?.layers ?? []).map(({ task, form, signatures }): CellCosts => {
    const { label, probabilities, price, missing } = at(cells, task.index);
    const isBinary = form?.kind === "questions";
    const own = isBinary
      ? questionCosts(task.name === "marks" ? probabilities : [at(probabilities, 1)], label, signatures, price)
      : choiceCosts(probabilities, label === null ? null : at(label, 0), signatures, price);
    const isFilled = label !== null;
    return { ...own, isFilled, kept: isFilled ? own.kept : missing, unasked: isFilled ? price : 0 };
  });
}

describe("joint repair", () => {
  const lattice = latticeOf(graph);
  const random = createRandom("joint repair");

  it.each(Array.from({ length: 30 }, (_, i) => i))("finds the cheapest of all ways to fill a row (%i)", () => {
    const cells = drawCells(random);
    const ways = everyWay(cells);
    const least = Math.min(...ways.map(({ cost }) => cost));
    if (lattice === null) throw new Error("the flow has a lattice");
    const found = repairRow(lattice, costsOf(graph, cells));
    expect(found.cost).toBeCloseTo(least, 9);
    const best = ways.find(({ cost }) => cost < least + 1e-9);
    expect(
      found.cells.map((cell, i) =>
        cell.kind === "kept" ? (cells[i]?.label ?? null) : cell.kind === "emptied" ? null : cell.answer,
      ),
    ).toEqual(best?.answers);
    // and the probability of each cell being wrong: the share of the ways that change it
    const total = ways.reduce((sum, { cost }) => sum + Math.exp(-cost), 0);
    graph.tasks.forEach((_, i) => {
      const changed = ways.reduce((sum, way) => sum + (way.changed[i] === true ? Math.exp(-way.cost) : 0), 0);
      expect(found.wrong[i]).toBeCloseTo(changed / total, 9);
    });
  });

  it("states are as many as conditions can tell apart, not as there are answers", () => {
    expect(lattice?.layers.map(({ after }) => after)).toMatchInlineSnapshot(`
      [
        3,
        5,
        7,
        9,
        13,
        5,
        1,
      ]
    `);
  });

  it("a flow with too many ways has no lattice", () => {
    const [first, ...more] = Array.from({ length: 16 }, (_, i) => ({ kind: "true", task: `gate_${i}` }) as const);
    const node = at(graph.tasks, 0);
    const gates = [first, ...more].map((gate, index) => ({ ...node, index, path: gate?.task ?? "" }));
    const last = { ...node, index: 16, path: "last", precondition: { kind: "or" as const, of: more } };
    expect(latticeOf({ ...graph, tasks: [...gates, last] })).toBeNull();
  });
});
