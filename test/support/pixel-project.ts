/** @file Tasks per pixel in a conditional flow, on small pictures made in memory: for tests of their heads and losses. */
import type { BatchTargets } from "../../src/engine/batches/targets.js";
import { Network, type SymbolicTensor } from "../../src/engine/model/network.js";
import { unet } from "../../src/engine/model/u-net.js";
import { fitTasks } from "../../src/data/labels/fit-tasks.js";
import { defineTasks } from "../../src/flow/define.js";
import { activeRows, bothMasks, evenOffsets, labelledRows } from "../../src/flow/masks.js";
import { traceFlow } from "../../src/flow/trace.js";
import { withPixels } from "../../src/project/elements/pixel-tasks.js";
import { binary, classification, type Labels, regression } from "../../src/tasks/index.js";

// one: the plain JavaScript backend mixes up the pictures of a batch in the gradient of upSampling2d
const ROWS = 1;
const SIDE = 4;
const PIXELS = ROWS * SIDE * SIDE;

export const INPUTS = { image: { kind: "image", column: "image", size: [SIDE, SIDE], channels: 3 } } as const;

const definitions = defineTasks({
  features: ["map"],
  tasks: {
    inside: binary({ per: "pixel" }),
    part: classification({ per: "pixel", classes: ["a", "b", "c"] }),
    doubtful: binary({ per: "pixel", loss: "focal", lossWeight: 0.5 }),
    depth: regression({ per: "pixel", loss: "huber" }),
  },
}).flow("main", (flow, x, out) => {
  out.add(flow.inside(x.map));
  out.add(flow.part(x.map).given(out.inside));
  out.add(flow.doubtful(x.map));
  out.add(flow.depth(x.map).given(out.part.is("b").not()));
});

const wave = (i: number, seed: number): number => Math.sin(i * 12.9898 + seed * 78.233);
const declared = withPixels(traceFlow(definitions, "main"), INPUTS, "a test");
const offsets = evenOffsets(ROWS, SIDE * SIDE);
const labels = declared.tasks.map(
  ({ spec }, task): Labels => ({
    answers: Float32Array.from({ length: PIXELS }, (_, pixel) => {
      if (pixel % 7 === 6) return Number.NaN;
      if (spec.kind === "regression") return 3 + 2 * wave(pixel, task);
      return Math.floor((spec.kind === "binary" ? 2 : 3) * (0.5 + 0.49 * wave(pixel, task)));
    }),
    unitScale: null,
  }),
);
const answers = labels.map((own) => own.answers);

export const graph = fitTasks(declared, {
  ...{ rows: ROWS, labels, offsets },
  splits: { train: Int32Array.from({ length: ROWS }, (_, row) => row), valid: Int32Array.of(), test: Int32Array.of() },
});

export const targets: BatchTargets = {
  rows: ROWS,
  length: SIDE * SIDE,
  labels,
  masks: activeRows(graph, answers, ROWS, offsets).map((active, i) => {
    const { spec } = graph.tasks[i] as (typeof graph.tasks)[number];
    return bothMasks(active, labelledRows(spec, answers[i] as Float32Array));
  }),
};
export const inputs = { image: Uint8Array.from({ length: PIXELS * 3 }, (_, i) => 127 + 120 * wave(i, 5)) };

export const build = (): Network =>
  Network.build(
    graph,
    INPUTS,
    ({ image }, layers) => ({ map: unet({ depth: 1, filters: 2 })(image as SymbolicTensor, layers) }),
    3,
  );
