/** @file Joint repair: the cheapest way to make one row consistent with the flow, and how likely each cell is wrong. */
import { at, f64At, i32At, u8At } from "../../arrays.js";
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

const KEPT: CellRepair = { kind: "kept" };
const EMPTIED: CellRepair = { kind: "emptied" };
const NEVER = Number.POSITIVE_INFINITY;

/** One layer's ways, and what they cost in the row at hand. */
interface LayerCosts {
  readonly from: Int32Array;
  readonly to: Int32Array;
  readonly asked: Uint8Array;
  readonly signature: Int32Array;
  /** With the cell as it is. */
  readonly kept: Float64Array;
  /** With another one. */
  readonly changed: Float64Array;
  /** The cheaper of both. */
  readonly best: Float64Array;
  /** exp(−cost), relative to the cheapest way: of the changed cell, and of both together. */
  readonly changedWeight: Float64Array;
  readonly weight: Float64Array;
  /** Best way into each state after the layer, and its cost. */
  readonly way: Int32Array;
  readonly reached: Float64Array;
  /** Weights of all ways into each state before the layer. */
  readonly forward: Float64Array;
}

/**
 * Makes a function that repairs rows: the numbers of a row stand where those of the row before stood.
 *
 * A filled cell is consistent where its question is asked by the repaired gates; an empty one always is. Every way
 * through the lattice is a consistent row, so the cheapest one is found by dynamic programming over its states (Viterbi),
 * and the sums over all by the forward-backward algorithm (Rabiner, Proc. IEEE 77, 1989).
 */
export function repairer({ layers }: Lattice): (cells: readonly CellCosts[]) => RowRepair {
  const work = layers.map(
    ({ edges, before, after }): LayerCosts => ({
      from: Int32Array.from(edges, ({ from }) => from),
      to: Int32Array.from(edges, ({ to }) => to),
      asked: Uint8Array.from(edges, ({ asked }) => Number(asked)),
      signature: Int32Array.from(edges, ({ signature }) => signature),
      kept: new Float64Array(edges.length),
      changed: new Float64Array(edges.length),
      best: new Float64Array(edges.length),
      changedWeight: new Float64Array(edges.length),
      weight: new Float64Array(edges.length),
      way: new Int32Array(after),
      reached: new Float64Array(after),
      forward: new Float64Array(before),
    }),
  );
  return (cells) => {
    for (let i = 0; i < work.length; i++) price(at(work, i), at(cells, i));
    const { cost, repairs } = cheapest(work, cells);
    return { cost, cells: repairs, wrong: shares(work) };
  };
}

/** One row. @param cells per layer */
export function repairRow(lattice: Lattice, cells: readonly CellCosts[]): RowRepair {
  return repairer(lattice)(cells);
}

/** Costs and weights of a layer's ways. */
function price(layer: LayerCosts, cell: CellCosts): void {
  const { kept, changed, best, changedWeight, weight } = layer;
  let least = NEVER;
  for (let e = 0; e < kept.length; e++) {
    const stays = keptCost(layer, e, cell);
    const change = changeOf(layer, e, cell);
    kept[e] = stays;
    changed[e] = change === null ? NEVER : change.total;
    const own = change === null || stays <= change.cost ? stays : change.cost;
    best[e] = own;
    least = Math.min(least, own);
  }
  for (let e = 0; e < kept.length; e++) {
    // relative to the cheapest way through the layer, so that nothing underflows
    const other = Math.exp(least - f64At(changed, e));
    changedWeight[e] = other;
    weight[e] = other + Math.exp(least - f64At(kept, e));
  }
}

function keptCost({ asked, signature }: LayerCosts, e: number, cell: CellCosts): number {
  if (u8At(asked, e) === 0) return cell.isFilled ? NEVER : 0;
  const own = i32At(signature, e);
  // a filled cell of which a condition reads a part that is unknown stays as it is, too
  if (own < 0) return !cell.isFilled || cell.signature < 0 ? cell.kept : NEVER;
  return cell.isFilled && cell.signature === own ? cell.kept : NEVER;
}

/** What else the cell may be on this way; an emptied one has no answer. */
function changeOf(
  { asked, signature }: LayerCosts,
  e: number,
  cell: CellCosts,
): { readonly cost: number; readonly total: number; readonly answer?: readonly number[] } | null {
  if (u8At(asked, e) === 0) return cell.isFilled ? { cost: cell.unasked, total: cell.unasked } : null;
  const own = i32At(signature, e);
  return own < 0 ? null : (cell.changed[own] ?? null);
}

function repairOn(layer: LayerCosts, e: number, cell: CellCosts): CellRepair {
  const change = changeOf(layer, e, cell);
  if (change === null || keptCost(layer, e, cell) <= change.cost) return KEPT;
  return change.answer === undefined ? EMPTIED : { kind: "changed", answer: change.answer };
}

function cheapest(
  layers: readonly LayerCosts[],
  cells: readonly CellCosts[],
): { readonly cost: number; readonly repairs: CellRepair[] } {
  let before: Float64Array = START;
  for (const { from, to, best, way, reached } of layers) {
    reached.fill(NEVER);
    way.fill(-1);
    for (let e = 0; e < from.length; e++) {
      const cost = f64At(before, i32At(from, e)) + f64At(best, e);
      const target = i32At(to, e);
      if (cost >= f64At(reached, target)) continue;
      reached[target] = cost;
      way[target] = e;
    }
    before = reached;
  }
  let state = before.indexOf(before.reduce((least, cost) => Math.min(least, cost), NEVER));
  const cost = at(before, state);
  const repairs = new Array<CellRepair>(layers.length).fill(KEPT);
  for (let i = layers.length - 1; i >= 0; i--) {
    const layer = at(layers, i);
    const e = i32At(layer.way, state);
    repairs[i] = repairOn(layer, e, at(cells, i));
    state = i32At(layer.from, e);
  }
  return { cost, repairs };
}

const START = Float64Array.of(0);

/** Share of changed cells among all ways, per layer. */
function shares(layers: readonly LayerCosts[]): number[] {
  layers[0]?.forward.fill(1);
  for (let i = 0; i + 1 < layers.length; i++) {
    const { from, to, weight, forward } = at(layers, i);
    const next = at(layers, i + 1).forward;
    next.fill(0);
    for (let e = 0; e < from.length; e++) {
      const target = i32At(to, e);
      next[target] = f64At(next, target) + f64At(forward, i32At(from, e)) * f64At(weight, e);
    }
    scale(next);
  }
  let backward: Float64Array = new Float64Array(layers.at(-1)?.way.length ?? 0).fill(1);
  const wrong = new Array<number>(layers.length).fill(0);
  for (let i = layers.length - 1; i >= 0; i--) {
    const { from, to, weight, changedWeight, forward } = at(layers, i);
    const next = new Float64Array(forward.length);
    let [changed, all] = [0, 0];
    for (let e = 0; e < from.length; e++) {
      const [start, end] = [i32At(from, e), i32At(to, e)];
      const through = f64At(forward, start) * f64At(backward, end);
      changed += through * f64At(changedWeight, e);
      all += through * f64At(weight, e);
      next[start] = f64At(next, start) + f64At(weight, e) * f64At(backward, end);
    }
    wrong[i] = all === 0 ? 0 : changed / all;
    scale(next);
    backward = next;
  }
  return wrong;
}

function scale(values: Float64Array): void {
  let most = 0;
  for (let i = 0; i < values.length; i++) most = Math.max(most, f64At(values, i));
  for (let i = 0; i < values.length; i++) values[i] = f64At(values, i) / most;
}
