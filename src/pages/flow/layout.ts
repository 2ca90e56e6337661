/** @file Where the tasks of a flow stand in its drawing: in layers, each gate left of what it opens. */
import type { FlowEdge, FlowReport, FlowReportNode } from "../../reporting/document.js";

export const NODE_WIDTH = 184;
export const NODE_HEIGHT = 54;
/** Room for the words on the edges into a layer. */
const LEAST_BETWEEN = 52;
const MOST_BETWEEN = 140;
const LETTER_WIDTH = 6.2;
const BETWEEN_NODES = 18;
const MARGIN = 12;

export interface PlacedNode {
  readonly node: FlowReportNode;
  /** Top left corner. */
  readonly x: number;
  readonly y: number;
}

export interface PlacedEdge {
  readonly edge: FlowEdge;
  /** Path of an SVG. */
  readonly path: string;
  /** Where its words stand: their end. */
  readonly labelX: number;
  readonly labelY: number;
}

export interface FlowLayout {
  readonly width: number;
  readonly height: number;
  readonly nodes: readonly PlacedNode[];
  readonly edges: readonly PlacedEdge[];
}

/**
 * A layer is the longest way from a task that is always asked (Sugiyama et al. 1981); within a layer tasks stand at the
 * mean height of their gates, and where that is the same, in the order of the flow.
 */
export function layOut({ nodes, edges }: Pick<FlowReport, "nodes" | "edges">): FlowLayout {
  const layers = layersOf(nodes, edges);
  const placed = new Map<string, PlacedNode>();
  let x = MARGIN;
  layers.forEach((layer, depth) => {
    if (depth > 0) x += NODE_WIDTH + roomBefore(layer, edges);
    let lowest = MARGIN;
    for (const { node, wanted } of ordered(layer, edges, placed)) {
      const y = Math.max(lowest, wanted);
      placed.set(node.path, { node, x, y });
      lowest = y + NODE_HEIGHT + BETWEEN_NODES;
    }
  });
  centreGates(layers, edges, placed);
  const all = nodes.flatMap(({ path }) => placed.get(path) ?? []);
  return {
    width: Math.max(0, ...all.map(({ x }) => x)) + NODE_WIDTH + MARGIN,
    height: Math.max(0, ...all.map(({ y }) => y)) + NODE_HEIGHT + MARGIN,
    nodes: all,
    edges: edges.flatMap((edge) => placeEdge(edge, placed)),
  };
}

/** From the last layer back, each gate moves down to the middle of what it opens, in the order of its layer. */
function centreGates(
  layers: readonly (readonly FlowReportNode[])[],
  edges: readonly FlowEdge[],
  placed: Map<string, PlacedNode>,
): void {
  for (const layer of layers.toReversed()) {
    let lowest = MARGIN;
    const fromTop = layer.flatMap(({ path }) => placed.get(path) ?? []).sort((a, b) => a.y - b.y);
    for (const one of fromTop) {
      const opened = edges.flatMap(({ from, to }) => (from === one.node.path ? (placed.get(to)?.y ?? []) : []));
      const middle = opened.length === 0 ? one.y : (Math.min(...opened) + Math.max(...opened)) / 2;
      const y = Math.max(lowest, middle);
      placed.set(one.node.path, { ...one, y });
      lowest = y + NODE_HEIGHT + BETWEEN_NODES;
    }
  }
}

function roomBefore(layer: readonly FlowReportNode[], edges: readonly FlowEdge[]): number {
  const paths = new Set(layer.map(({ path }) => path));
  const letters = edges.reduce((most, { to, label }) => (paths.has(to) ? Math.max(most, label.length) : most), 0);
  return Math.max(LEAST_BETWEEN, Math.min(MOST_BETWEEN, 32 + letters * LETTER_WIDTH));
}

/** Gates stand before what they open in `nodes`. */
function layersOf(nodes: readonly FlowReportNode[], edges: readonly FlowEdge[]): FlowReportNode[][] {
  const depths = new Map<string, number>();
  const layers: FlowReportNode[][] = [];
  for (const node of nodes) {
    const gates = edges.filter(({ to }) => to === node.path).map(({ from }) => depths.get(from) ?? -1);
    const depth = Math.max(-1, ...gates) + 1;
    depths.set(node.path, depth);
    const layer = layers[depth] ?? [];
    layer.push(node);
    layers[depth] = layer;
  }
  return layers.map((layer) => layer ?? []);
}

function ordered(
  layer: readonly FlowReportNode[],
  edges: readonly FlowEdge[],
  placed: ReadonlyMap<string, PlacedNode>,
): { readonly node: FlowReportNode; readonly wanted: number }[] {
  const centred = layer.map((node) => {
    const heights = edges.flatMap(({ from, to }) => (to === node.path ? (placed.get(from)?.y ?? []) : []));
    const gates = edges.flatMap(({ from, to }) => (to === node.path ? [from] : []));
    const mean = heights.length === 0 ? 0 : heights.reduce((sum, y) => sum + y, 0) / heights.length;
    return { node, mean, group: gates.join("\n") };
  });
  // siblings of one gate stand around its height
  const sizes = new Map<string, number>();
  for (const { group } of centred) sizes.set(group, (sizes.get(group) ?? 0) + 1);
  return centred
    .map(({ node, mean, group }) => {
      const above = group === "" ? 0 : (((sizes.get(group) ?? 1) - 1) * (NODE_HEIGHT + BETWEEN_NODES)) / 2;
      return { node, mean, wanted: Math.max(0, mean - above) };
    })
    .sort((a, b) => a.mean - b.mean);
}

function placeEdge(edge: FlowEdge, placed: ReadonlyMap<string, PlacedNode>): PlacedEdge[] {
  const [from, to] = [placed.get(edge.from), placed.get(edge.to)];
  if (from === undefined || to === undefined) return [];
  const [x1, y1] = [from.x + NODE_WIDTH, from.y + NODE_HEIGHT / 2];
  const [x2, y2] = [to.x - 6, to.y + NODE_HEIGHT / 2];
  const bend = Math.min(MOST_BETWEEN, x2 - x1) / 2;
  return [
    {
      edge,
      path: `M${x1} ${y1} C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`,
      labelX: x2 - 4,
      labelY: y2 - 5,
    },
  ];
}
