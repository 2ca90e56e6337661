/** @file Ways to choose the next cells: at random, by doubt alone, and as `cool ask` does. */
import { rowDoubt, taskNeeds } from "../../src/analysis/labelling/gains.js";
import { rankCells } from "../../src/analysis/labelling/rank.js";
import { at } from "../../src/arrays.js";
import type { Random } from "../../src/data/rng.js";
import { type FlowGraph, gatesOf } from "../../src/flow/graph.js";
import type { Trained } from "./simulation.js";
import { cellsIn, type Labelled, type World } from "./world.js";

/** Labels more cells, until so many are labelled in all. */
type Strategy = (world: World, labelled: Labelled, cells: number, random: Random, trained: Trained) => void;

export const STRATEGIES = ["rows", "cells", "doubt", "ask"] as const;
type StrategyName = (typeof STRATEGIES)[number];

export const strategies: Readonly<Record<StrategyName, Strategy>> = {
  /** Row after row at random, every question that the flow asks of it: what people do without a tool. */
  rows(world, labelled, cells, random) {
    labelRows(world, labelled, cells, random.shuffle(everyRow(world)));
  },
  /**
   * Cell after cell of the table at random: its gates first where they are empty, since no label counts without them, and
   * "not applicable" where they say that it is not asked, which takes a cell of the budget as well.
   */
  cells(world, labelled, cells, random) {
    const { graph, pool, there } = world;
    for (let count = cellsIn(labelled); count < cells; ) {
      const [row, task] = [random.int(pool), random.int(graph.tasks.length)];
      for (const index of chainOf(graph, task)) {
        const mask = at(labelled, index);
        if (mask[row] === 1 || (index !== task && there[index]?.[row] !== 1) || count >= cells) continue;
        mask[row] = 1;
        count++;
      }
    }
  },
  /** The rows that the network is least sure of, summed over the questions that it would ask; all of their questions. */
  doubt(world, labelled, cells, _random, { scored }) {
    const doubts = Float64Array.from(everyRow(world), (row) =>
      scored.tasks.reduce((sum, task) => sum + (task.activePredicted[row] === 1 ? (rowDoubt(task, row) ?? 0) : 0), 0),
    );
    labelRows(
      world,
      labelled,
      cells,
      everyRow(world).sort((a, b) => at(doubts, b) - at(doubts, a)),
    );
  },
  ask(world, labelled, cells, random, { scored, valid, features }) {
    const { graph, there } = world;
    const counts = scored.tasks.map(({ lossMask }) => lossMask.reduce((sum, used) => sum + used, 0));
    let count = cellsIn(labelled);
    const ranked = rankCells(graph, scored, {
      features,
      seed: String(random.next()),
      // some are not asked in the end
      budget: 2 * (cells - count),
      seconds: graph.tasks.map(() => 1),
      needs: taskNeeds(graph, valid, counts, 0.05),
    });
    for (const { row, task } of ranked ?? []) {
      if (count >= cells) return;
      if (there[task]?.[row] !== 1) continue;
      at(labelled, task)[row] = 1;
      count++;
    }
  },
};

/** A task after all gates that it hangs on. */
function chainOf(graph: FlowGraph, task: number): number[] {
  const { precondition } = at(graph.tasks, task);
  const gates = precondition === null ? [] : [...gatesOf(precondition)];
  const before = gates.flatMap((gate) =>
    chainOf(
      graph,
      graph.tasks.findIndex(({ path }) => path === gate),
    ),
  );
  return [...new Set([...before, task])];
}

function everyRow({ pool }: World): Int32Array {
  return Int32Array.from({ length: pool }, (_, row) => row);
}

/** Every question of the rows in turn, in the order of the flow. */
export function labelRows({ graph, there }: World, labelled: Labelled, cells: number, order: Int32Array): void {
  let count = cellsIn(labelled);
  for (const row of order) {
    for (const { index } of graph.tasks) {
      if (count >= cells) return;
      const mask = at(labelled, index);
      if (mask[row] === 1 || there[index]?.[row] !== 1) continue;
      mask[row] = 1;
      count++;
    }
  }
}
