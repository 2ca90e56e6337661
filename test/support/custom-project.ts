/** @file Tasks of the user's own, with and without heads of their own, on numbers made in memory. */
import type { BatchTargets } from "../../src/engine/batches/targets.js";
import { Network, type SymbolicTensor } from "../../src/engine/model/network.js";
import { defineTasks } from "../../src/flow/define.js";
import { traceFlow } from "../../src/flow/trace.js";
import { defineTask, type HeadFunction } from "../../src/project/define-task.js";
import { binary, boundedRegression, known, type Labels } from "../../src/tasks/index.js";
import { angle } from "./angle-task.js";

const hidden: HeadFunction = ({ feature, layers, width }) => {
  const inner = layers.dense({ name: "hidden", units: 3, activation: "tanh" }).apply(feature);
  return layers.dense({ units: width }).apply(inner) as SymbolicTensor;
};

/** Two numbers, by squared error, through a head of the definition's own. */
function pointWith(head: HeadFunction) {
  return defineTask({
    name: "point",
    width: 2,
    answerWidth: 2,
    parse: () => [0, 0],
    loss: ([a = 0, b = 0], [x = 0, y = 0]) => (a - x) ** 2 + (b - y) ** 2,
    activation: (logits) => logits,
    decoder: { parameters: [], decode: ([a = 0, b = 0]) => [a, b] },
    metrics: {},
    head,
  });
}

function graphWith(head: HeadFunction) {
  const definitions = defineTasks({
    features: ["f", "g"],
    tasks: { spot: pointWith(head)(), member: known(), on: binary(), wrist: angle(), x: boundedRegression({ max: 1 }) },
  })
    .flow("inner", (flow, { f, g }, out) => {
      out.add(flow.spot(f));
      out.add(flow.x(g));
    })
    .flow("main", (flow, x, out) => {
      out.add(flow.spot(x.g));
      out.add(flow.member());
      out.add(flow.on(x.f));
      out.add(flow.wrist(x.f).given(out.on));
      out.add(flow.inner(x).given(out.member));
    });
  return traceFlow(definitions, "main");
}

export const graph = graphWith(hidden);
export const INPUTS = {
  v: { kind: "numeric", columns: ["v"], listLength: 4, standardize: false, missing: "error", statistics: null },
} as const;

export const build = (head: HeadFunction = hidden, seed = 3): Network =>
  Network.build(
    graphWith(head),
    INPUTS,
    ({ v }, layers) => ({
      f: layers.dense({ units: 5, activation: "tanh" }).apply(v as SymbolicTensor) as SymbolicTensor,
      g: layers.dense({ units: 4, activation: "tanh" }).apply(v as SymbolicTensor) as SymbolicTensor,
    }),
    seed,
  );

export const ROWS = 6;
export const inputs = { v: Float32Array.from({ length: ROWS * 4 }, (_, i) => Math.sin(i)) };
const column = (...answers: number[]): Labels => ({ answers: Float32Array.from(answers), unitScale: null });
const points = (seed: number): Labels => column(...Array.from({ length: 2 * ROWS }, (_, i) => Math.cos(seed + i)));
const all = Uint8Array.of(1, 1, 1, 1, 1, 1);
const some = Uint8Array.of(1, 0, 1, 0, 1, 1);
// in the order of the graph: spot, member, on, wrist, inner.spot, inner.x
export const targets: BatchTargets = {
  rows: ROWS,
  labels: [
    points(1),
    column(1, 0, 1, 0, 1, 1),
    column(1, 0, 1, 0, 1, 1),
    column(0, 90, 10, 350, 180, 33),
    points(2),
    column(0.1, 0.9, 0.4, 0.6, 0.2, 0),
  ],
  masks: [all, all, all, some, some, some],
};
