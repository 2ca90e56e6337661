/** @file Joint repair: the cheapest way to make one row consistent with the flow, and how likely each cell is wrong. */
import { at } from "../../arrays.js";
import type { CellCosts } from "./cell-costs.js";
import type { Lattice } from "./lattice.js";

/** What becomes of one cell. */
export type CellRepair =
  | { readonly kind: "kept" }
  | { readonly kind: "emptied" }
  /** Numbers of the new answer. */
  | { readonly kind: "changed"; readonly answer: readonly number[] };

export interface RowRepair {
  /** Cost of the cheapest repair, in nats. */
  readonly cost: number;
  /** Per layer of the lattice. */
  readonly cells: readonly CellRepair[];
  /** Probability that the cell is not as it should be, per layer, among all repairs by exp(−cost). */
  readonly wrong: readonly number[];
}

/** Costs of a way through one layer: with the cell as it is, and with another one. */
interface EdgeCosts {
  readonly kept: number;
  readonly changed: number;
  /** The cheapest, and what it makes of the cell. */
  readonly best: number;
  readonly repair: CellRepair;
}

const KEPT: CellRepair = { kind: "kept" };
const EMPTIED: CellRepair = { kind: "emptied" };
const NEVER = Number.POSITIVE_INFINITY;

/**
 * A filled cell is consistent where its question is asked by the repaired gates; an empty one always is. Every way
 * through the lattice is a consistent row, so the cheapest one is found by dynamic programming over its states (Viterbi),
 * and the sums over all by the forward-backward algorithm (Rabiner, Proc. IEEE 77, 1989).
 * @param cells per layer
 */
export function repairRow({ layers }: Lattice, cells: readonly CellCosts[]): RowRepair {
  const costs = layers.map(({ edges }, i) => {
    const cell = at(cells, i);
    return edges.map(({ asked, signature }) => edgeCosts(cell, asked, signature));
  });
  const { cost, repairs } = cheapest(layers, costs);
  return { cost, cells: repairs, wrong: shares(layers, costs) };
}

function edgeCosts(cell: CellCosts, asked: boolean, signature: number): EdgeCosts {
  if (!asked) {
    if (!cell.isFilled) return { kept: 0, changed: NEVER, best: 0, repair: KEPT };
    return { kept: NEVER, changed: cell.unasked, best: cell.unasked, repair: EMPTIED };
  }
  if (signature < 0) {
    // a filled cell of which a condition reads a part that is unknown stays as it is, too
    const isSo = !cell.isFilled || cell.signature < 0;
    const kept = isSo ? cell.kept : NEVER;
    return { kept, changed: NEVER, best: kept, repair: KEPT };
  }
  const kept = cell.isFilled && cell.signature === signature ? cell.kept : NEVER;
  const change = cell.changed[signature] ?? null;
  if (change === null) return { kept, changed: NEVER, best: kept, repair: KEPT };
  const isKept = kept <= change.cost;
  return {
    kept,
    changed: change.total,
    best: isKept ? kept : change.cost,
    repair: isKept ? KEPT : { kind: "changed", answer: change.answer },
  };
}

function cheapest(
  layers: Lattice["layers"],
  costs: readonly (readonly EdgeCosts[])[],
): { readonly cost: number; readonly repairs: CellRepair[] } {
  let reached = [0];
  const ways: (readonly number[])[] = [];
  layers.forEach(({ edges, after }, i) => {
    const next = new Array<number>(after).fill(NEVER);
    const way = new Array<number>(after).fill(-1);
    edges.forEach(({ from, to }, e) => {
      const cost = at(reached, from) + at(at(costs, i), e).best;
      if (cost >= at(next, to)) return;
      next[to] = cost;
      way[to] = e;
    });
    ways.push(way);
    reached = next;
  });
  let state = reached.indexOf(Math.min(...reached));
  const cost = at(reached, state);
  const repairs: CellRepair[] = [];
  for (let i = layers.length - 1; i >= 0; i--) {
    const e = at(at(ways, i), state);
    repairs.unshift(at(at(costs, i), e).repair);
    state = at(at(layers, i).edges, e).from;
  }
  return { cost, repairs };
}

/** Share of changed cells among all ways, per layer. */
function shares(layers: Lattice["layers"], costs: readonly (readonly EdgeCosts[])[]): number[] {
  const forward: number[][] = [[1]];
  layers.forEach(({ edges, after }, i) => {
    const next = new Array<number>(after).fill(0);
    const least = leastOf(at(costs, i));
    edges.forEach(({ from, to }, e) => {
      next[to] = at(next, to) + at(at(forward, i), from) * weightOf(at(at(costs, i), e), least).all;
    });
    forward.push(scaled(next));
  });
  let backward = new Array<number>(at(forward, layers.length).length).fill(1);
  const wrong: number[] = [];
  for (let i = layers.length - 1; i >= 0; i--) {
    const { edges, before } = at(layers, i);
    const least = leastOf(at(costs, i));
    const next = new Array<number>(before).fill(0);
    let [changed, all] = [0, 0];
    edges.forEach(({ from, to }, e) => {
      const weight = weightOf(at(at(costs, i), e), least);
      const through = at(at(forward, i), from) * at(backward, to);
      changed += through * weight.changed;
      all += through * weight.all;
      next[from] = at(next, from) + weight.all * at(backward, to);
    });
    wrong.unshift(all === 0 ? 0 : changed / all);
    backward = scaled(next);
  }
  return wrong;
}

function leastOf(costs: readonly EdgeCosts[]): number {
  return costs.reduce((least, { best }) => Math.min(least, best), NEVER);
}

/** Relative to the cheapest way through the layer, so that nothing underflows. */
function weightOf({ kept, changed }: EdgeCosts, least: number): { readonly changed: number; readonly all: number } {
  const other = Math.exp(least - changed);
  return { changed: other, all: other + Math.exp(least - kept) };
}

function scaled(values: readonly number[]): number[] {
  const most = values.reduce((largest, value) => Math.max(largest, value), 0);
  return values.map((value) => value / most);
}
