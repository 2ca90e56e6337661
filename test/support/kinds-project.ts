/** @file Numbers, grades, boxes and points in a conditional flow, on numbers made in memory: for tests of their heads and losses. */
import type { BatchTargets } from "../../src/engine/batches/targets.js";
import { layOutHeads } from "../../src/engine/model/layout.js";
import { Network, type SymbolicTensor } from "../../src/engine/model/network.js";
import { defineTasks } from "../../src/flow/define.js";
import { activeRows, answerWidth, bothMasks, labelledRows } from "../../src/flow/masks.js";
import { traceFlow } from "../../src/flow/trace.js";
import { fitTasks } from "../../src/data/labels/fit-tasks.js";
import { binary, boundedRegression, box, type Labels, ordinal, point, regression } from "../../src/tasks/index.js";

const definitions = defineTasks({
  features: ["f", "g"],
  tasks: {
    on: binary(),
    grade: ordinal({ levels: ["none", "mild", "moderate", "severe"] }),
    price: regression({ lossWeight: 0.5 }),
    age: regression({ loss: "absolute" }),
    dose: regression({ loss: "huber", delta: 0.5 }),
    gain: regression({ loss: "log-cosh" }),
    share: boundedRegression({ max: 1, loss: "huber", delta: 0.1 }),
    rate: boundedRegression({ max: 1, loss: "absolute" }),
    stage: ordinal({ levels: ["I", "II"] }),
    face: box({ columns: ["a", "b", "c", "d"] }),
    tight: box({ columns: ["a", "b", "c", "d"], format: "cxcywh", loss: "giou", lossWeight: 2 }),
    eye: point({ columns: ["a", "b"] }),
  },
})
  .flow("inner", (flow, { f, g }, out) => {
    out.add(flow.age(f));
    out.add(flow.dose(g));
    out.add(flow.gain(f));
  })
  .flow("main", (flow, x, out) => {
    out.add(flow.on(x.f));
    out.add(flow.grade(x.f));
    out.add(flow.price(x.f).given(out.grade.atLeast("moderate")));
    out.add(flow.inner(x).given(out.price.below(10).or(out.on)));
    out.add(flow.share(x.g));
    out.add(flow.rate(x.f));
    out.add(flow.stage(x.g).given(out.on));
    out.add(flow.face(x.g).given(out.on));
    out.add(flow.tight(x.f));
    out.add(flow.eye(x.f));
  });

export const ROWS = 12;
const wave = (i: number, seed: number): number => Math.sin(i * 12.9898 + seed * 78.233);
const column = (valueAt: (row: number, i: number) => number, width = 1): Labels => ({
  answers: Float32Array.from({ length: ROWS * width }, (_, at) => {
    const row = Math.floor(at / width);
    return row % 5 === 4 ? Number.NaN : valueAt(row, at % width);
  }),
  unitScale: null,
});
const declared = traceFlow(definitions, "main");
const labels = declared.tasks.map(({ spec }, task): Labels => {
  if (spec.kind === "binary") return column((row) => row % 2);
  if (spec.kind === "ordinal") return column((row) => (row * 7) % spec.levels.length);
  // a corner and a size, or a place
  if (spec.kind === "box" || spec.kind === "point") {
    return column((row, i) => 0.3 + 0.25 * wave(row + 7 * i, task), answerWidth(spec));
  }
  return column((row) => (spec.kind === "regression" ? 8 + 5 * wave(row, task) : 0.5 + 0.4 * wave(row, task)));
});
const answers = labels.map((own) => own.answers);

/** Fitted to its own labels. */
export const graph = fitTasks(declared, {
  rows: ROWS,
  labels,
  splits: { train: Int32Array.from({ length: ROWS }, (_, row) => row), valid: Int32Array.of(), test: Int32Array.of() },
  offsets: null,
});
export const layout = layOutHeads(graph);
export const targets: BatchTargets = {
  rows: ROWS,
  labels,
  masks: activeRows(graph, answers, ROWS).map((active, i) => {
    const { spec } = graph.tasks[i] as (typeof graph.tasks)[number];
    return bothMasks(active, labelledRows(spec, answers[i] as Float32Array));
  }),
};

export const INPUTS = {
  v: { kind: "numeric", columns: ["v"], listLength: 4, standardize: false, missing: "error", statistics: null },
} as const;
export const inputs = { v: Float32Array.from({ length: ROWS * 4 }, (_, i) => wave(i, 3)) };

export const build = (seed = 3): Network =>
  Network.build(
    graph,
    INPUTS,
    ({ v }, layers) => ({
      f: layers.dense({ units: 5, activation: "tanh" }).apply(v as SymbolicTensor) as SymbolicTensor,
      g: layers.dense({ units: 4, activation: "tanh" }).apply(v as SymbolicTensor) as SymbolicTensor,
    }),
    seed,
  );
