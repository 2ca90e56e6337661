/** @file Which questions labels say are asked, against every way in which the missing ones could be filled. */
import { describe, expect, it } from "vitest";
import { createRandom, type Random } from "../../src/data/rng.js";
import { ASKED, askedByLabels, NOT_ASKED, UNDECIDED } from "../../src/flow/asked.js";
import type { Condition, FlowGraph, TaskNode } from "../../src/flow/graph.js";
import { activeRows } from "../../src/flow/masks.js";

const TASKS = 5;
const NAMES = Array.from({ length: TASKS }, (_, i) => `t${i}`);

/** A condition of distinct earlier tasks, each at most once. */
function drawCondition(random: Random, names: readonly string[]): Condition | null {
  if (names.length === 0 || random.next() < 0.3) return null;
  const picked = random.shuffle([...names]).slice(0, 1 + random.int(Math.min(3, names.length)));
  const atoms = picked.map((task): Condition => {
    const atom: Condition = { kind: "true", task };
    return random.next() < 0.4 ? { kind: "not", of: atom } : atom;
  });
  const [first] = atoms;
  if (atoms.length === 1 && first !== undefined) return first;
  return { kind: random.next() < 0.5 ? "and" : "or", of: atoms };
}

function drawGraph(random: Random): FlowGraph {
  const tasks = NAMES.map((name, index): TaskNode => {
    const precondition = drawCondition(random, NAMES.slice(0, index));
    return {
      ...{ index, path: name, name, declaredName: name, feature: "f", spec: { kind: "binary" }, lossWeight: 1 },
      ...{ ownPrecondition: precondition, precondition, parent: null },
    };
  });
  return { formatVersion: 1, flow: "all", features: ["f"], tasks, flows: [] };
}

/** All ways to fill the missing labels of one row. */
function fillings(row: readonly number[]): number[][] {
  return row.reduce<number[][]>(
    (filled, label) =>
      (Number.isNaN(label) ? [0, 1] : [label]).flatMap((value) => filled.map((before) => [...before, value])),
    [[]],
  );
}

const columns = (row: readonly number[]): Float32Array[] => row.map((label) => Float32Array.of(label));

describe("whether a question is asked, by labels of which some are missing", () => {
  it("is yes where it is asked however they are filled, and no where it never is", () => {
    const random = createRandom("asked");
    const seen = [0, 0, 0];
    let cautious = 0;
    for (let draw = 0; draw < 600; draw++) {
      const graph = drawGraph(random);
      const row = NAMES.map(() => (random.next() < 0.3 ? Number.NaN : random.int(2)));
      const statuses = askedByLabels(graph, columns(row), 1).map(([status]) => status ?? -1);
      const filled = fillings(row).map((one) => activeRows(graph, columns(one), 1).map(([active]) => active ?? -1));
      statuses.forEach((status, task) => {
        const answers = new Set(filled.map((active) => active[task]));
        const truth = answers.size === 2 ? UNDECIDED : answers.has(1) ? ASKED : NOT_ASKED;
        // a label that decides both sides of a condition may leave it undecided, but nothing certain is ever wrong
        if (status === UNDECIDED && truth !== UNDECIDED) cautious++;
        else expect(status).toBe(truth);
        seen[truth] = (seen[truth] ?? 0) + 1;
      });
    }
    expect(Math.min(...seen)).toBeGreaterThan(200);
    expect(cautious / (600 * TASKS)).toBeLessThan(0.03);
  });

  it("is what the masks say where no label is missing", () => {
    const random = createRandom("complete");
    for (let draw = 0; draw < 200; draw++) {
      const graph = drawGraph(random);
      const answers = NAMES.map(() => Float32Array.from({ length: 8 }, () => random.int(2)));
      expect(askedByLabels(graph, answers, 8)).toEqual(activeRows(graph, answers, 8));
    }
  });
});
