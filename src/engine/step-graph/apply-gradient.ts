/** @file From a flat gradient to the parameters after it: norm, clipping, and an update that is left out where it would harm. */
import { DTYPE } from "../../protobuf/tensorflow.js";
import type { StepConfig } from "../optimization/step-engine.js";
import { FLOAT, type GraphBuilder, type Output, outputOf } from "./graph-def.js";
import type { Feed } from "./session.js";
import type { RecordedGraph, Traced, TracedGraph } from "./traced-graph.js";
import { type Alive, buildUpdate } from "./updates.js";

/** Name of the vector that sums up the gradients of a batch in parts. */
export const ACCUMULATED = "accumulated";

/** The end of a step. */
export interface PlacedUpdate {
  /** Of the gradient, before clipping. */
  readonly norm: Output;
  /** True once all is done, or false at once where the gradient is not finite: everything then stays. */
  readonly done: Output;
  /** @param updates applied before */
  feeds(updates: number, learningRate: number): Feed[];
}

/**
 * @param gradient flat
 * @param keep builds what else is kept where the update is applied
 */
export function placeUpdate(
  graph: RecordedGraph,
  { clipNorm, ...config }: StepConfig,
  gradient: Output,
  keep: (alive: Alive) => readonly string[] = () => [],
): PlacedUpdate {
  const { builder } = graph;
  const norm = normOf(builder, gradient);
  const finite = builder.float("IsFinite", norm);
  const alive: Alive = (value) => outputOf(builder.node("Switch", [value, finite], { T: FLOAT }), 1);
  const update = buildUpdate(graph, config, alive(clipped(builder, gradient, norm, clipNorm)), alive);
  const done = reportDone(builder, finite, [...update.done, ...keep(alive)]);
  return { norm, done, feeds: update.feeds };
}

/** The update by the sum of the gradients of a batch's parts. */
export interface TracedUpdate extends Traced {
  feeds(updates: number, learningRate: number): Feed[];
}

export function traceUpdate(graph: TracedGraph, config: StepConfig): TracedUpdate {
  const sum = graph.variable(ACCUMULATED);
  if (sum === null) throw new Error(`no variable "${ACCUMULATED}" in the graph`);
  const { norm, done, feeds } = placeUpdate(graph, config, sum.value);
  return { outputs: [norm, done], placeholders: feeds(0, 0).map(({ placeholder }) => placeholder), feeds };
}

/** Euclidean norm of a vector. */
export function normOf(builder: GraphBuilder, vector: Output): Output {
  const squares = builder.float("Square", vector);
  const attributes = { T: FLOAT, Tidx: { type: DTYPE.int32 }, keep_dims: { boolean: false } };
  return builder.float("Sqrt", builder.node("Sum", [squares, builder.intVector([0])], attributes));
}

/** Pascanu, Mikolov & Bengio (2013), as in `clip.ts`. */
function clipped(builder: GraphBuilder, gradient: Output, norm: Output, clipNorm: number | null): Output {
  if (clipNorm === null) return gradient;
  const ratio = builder.float("RealDiv", builder.floatScalar(clipNorm), norm);
  return builder.float("Mul", gradient, builder.float("Minimum", builder.floatScalar(1), ratio));
}

/** @returns true once all of `done` is, or false at once where it will not be */
function reportDone(builder: GraphBuilder, finite: Output, done: readonly string[]): Output {
  const T = { type: DTYPE.bool };
  const gate = builder.node("Switch", [finite, finite], { T });
  const no = builder.node("Identity", [gate], { T });
  const yes = builder.node("Identity", [outputOf(gate, 1), ...done.map((node) => `^${node}`)], { T });
  return builder.node("Merge", [no, yes], { T, N: { integer: 2 } });
}
