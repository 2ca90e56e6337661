/** @file What a model decides by itself is what the decoders decide, for every kind of task, gate to gate. */
import { describe, expect, it } from "vitest";
import { createRandom } from "../../../src/data/rng.js";
import { calibrate, type TaskCalibration } from "../../../src/decoding/calibration.js";
import { decodeFlow } from "../../../src/decoding/decode-flow.js";
import { unitScaleBy } from "../../../src/decoding/unit-scale.js";
import { frameOf } from "../../../src/decoding/framing.js";
import { defineTasks } from "../../../src/flow/define.js";
import { axisOf, type FlowGraph, taskAt } from "../../../src/flow/graph.js";
import { offsetsOf, tokensIn } from "../../../src/flow/masks.js";
import { traceFlow } from "../../../src/flow/trace.js";
import { writeAnswers } from "../../../src/shipping/onnx/answers.js";
import { OnnxGraph } from "../../../src/shipping/onnx/graph.js";
import { encodeModel, OPSET_VERSION } from "../../../src/shipping/onnx/model.js";
import { writeEntrances } from "../../../src/shipping/onnx/signature.js";
import {
  behaviourOf,
  binary,
  boundedRegression,
  box,
  classification,
  known,
  multilabel,
  ordinal,
  point,
  regression,
} from "../../../src/tasks/index.js";
import { needs } from "../../support/needs.js";
import { ensureOnnxRuntime } from "../../support/onnx-runtime.js";
import { askOnnx, type Fed } from "../../support/onnx-session.js";
import { graph as tokenGraph, INPUTS as TOKEN_INPUTS } from "../../support/token-project.js";

needs(await ensureOnnxRuntime());

const random = createRandom("answers");
const ROWS = 300;
const LENGTH = 7;
/** Some numbers are NaN, and some are the same as others. */
const draw = (): number => (random.next() < 0.05 ? Number.NaN : Math.round(40 * random.next() - 20) / 8);

const IMAGE = { kind: "image", column: "img", size: [10, 20], channels: 3, framing: { fit: "crop" } } as const;

const definitions = defineTasks({
  features: ["f"],
  tasks: {
    night: known(),
    open: binary(),
    color: classification({ classes: ["red", "green", "blue"] }),
    marks: multilabel({ labels: ["dot", "stripe"] }),
    grade: ordinal({ levels: ["poor", "fair", "good"] }),
    x: boundedRegression({ min: -1, max: 3 }),
    left: boundedRegression({ max: 1, scale: "image-width" }),
    age: regression(),
    face: box({ columns: ["a", "b", "c", "d"], format: "xyxy", scale: "image" }),
    head: box({ columns: ["a1", "b1", "c1", "d1"], format: "cxcywh" }),
    hand: box({ columns: ["a2", "b2", "c2", "d2"], format: "xywh", scale: "image" }),
    eye: point({ columns: ["e", "f"], scale: "image" }),
  },
}).flow("all", (flow, x, out) => {
  out.add(flow.night());
  out.add(flow.open(x.f));
  out.add(flow.color(x.f).given(out.open));
  out.add(flow.marks(x.f).given(out.color.is("blue").not()));
  out.add(flow.face(x.f).given(out.open.and(out.night.not())));
  out.add(flow.head(x.f));
  out.add(flow.hand(x.f));
  out.add(flow.eye(x.f));
  out.add(flow.grade(x.f));
  out.add(flow.age(x.f));
  out.add(flow.left(x.f).given(out.age.atLeast(30)));
  out.add(flow.x(x.f).given(out.grade.atLeast("fair").or(out.marks.has("dot")).or(out.night)));
});

/** The flow as it is once the data has been read: standardized, and figures in a cut of the picture. */
function fitted(graph: FlowGraph): FlowGraph {
  const tasks = graph.tasks.map((task) => {
    if (task.spec.kind === "regression")
      return { ...task, spec: { ...task.spec, statistics: { mean: 31, deviation: 9 } } };
    if (task.spec.kind === "box" || task.spec.kind === "point") {
      return { ...task, spec: { ...task.spec, framed: true as const } };
    }
    return task;
  });
  return { ...graph, tasks };
}

const thresholdsOf = (graph: FlowGraph): number[][] =>
  graph.tasks.map(({ spec }) =>
    behaviourOf(spec)
      .defaultThresholds(spec)
      .map((_, i) => 0.4 + 0.2 * i),
  );

describe("a model's answers are the decoders'", () => {
  it("of every kind of task, in pixels of the original, where some numbers are NaN", async () => {
    const flow = fitted(traceFlow(definitions, "all"));
    const thresholds = thresholdsOf(flow);
    const logits = flow.tasks.map(({ spec }) =>
      Float32Array.from({ length: ROWS * behaviourOf(spec).logitWidth(spec) }, draw),
    );
    const night = Float32Array.from({ length: ROWS }, (_, i) => [0, 1, Number.NaN][i % 3] ?? 0);
    const side = () => Float32Array.from({ length: ROWS }, () => 20 + random.int(300));
    const sizes = { width: side(), height: side(), input: IMAGE };
    const scores = flow.tasks.map(({ spec }, i) => ({
      activated: behaviourOf(spec).activate(spec, logits[i] ?? new Float32Array(0)),
      thresholds: thresholds[i] ?? [],
      unitScale: unitScaleBy(behaviourOf(spec).imageScales(spec), sizes),
      known: night,
    }));
    const expected = decodeFlow(flow, scores, { rows: ROWS, offsets: null }, behaviourOf);

    const graph = new OnnxGraph(OPSET_VERSION);
    const entrances = writeEntrances(graph, { image: IMAGE }, flow);
    const { model, fed } = withLogits(graph, flow, logits, thresholds, entrances, [ROWS]);
    const frames = Array.from({ length: ROWS }, (_, row) => {
      const frame = frameOf(IMAGE, { width: sizes.width[row] ?? 0, height: sizes.height[row] ?? 0 });
      return [frame.left, frame.top, frame.width, frame.height];
    });
    const outputs = await askOnnx(model, {
      ...fed,
      image: { type: "uint8", data: new Uint8Array(ROWS * 600), dims: [ROWS, 10, 20, 3] },
      night: { type: "float32", data: night, dims: [ROWS] },
      "image/size": {
        type: "float32",
        data: Float32Array.from(
          { length: 2 * ROWS },
          (_, i) => (i % 2 === 0 ? sizes.height : sizes.width)[i >> 1] ?? 0,
        ),
        dims: [ROWS, 2],
      },
      "image/frame": { type: "float32", data: Float32Array.from(frames.flat()), dims: [ROWS, 4] },
    });
    const seen = new Set<number>();
    flow.tasks.forEach(({ path }, i) => {
      const active = Array.from(outputs[`${path}/active`]?.data ?? [], Number);
      expect([path, active]).toEqual([path, [...(expected.active[i] ?? [])]]);
      for (const each of active) seen.add(each);
      expectClose(path, outputs[`${path}/decoded`]?.data ?? [], expected.decoded[i] ?? new Float32Array(0));
    });
    expect(seen).toEqual(new Set([0, 1]));
  });

  it("of tasks per token, where padding is no token", async () => {
    const thresholds = thresholdsOf(tokenGraph);
    const lengths = Array.from({ length: ROWS }, () => random.int(LENGTH + 1));
    lengths[0] = LENGTH;
    const offsets = offsetsOf(lengths);
    const ids = Int32Array.from({ length: ROWS * LENGTH }, (_, i) =>
      i % LENGTH < (lengths[Math.floor(i / LENGTH)] ?? 0) ? 1 + random.int(5) : 0,
    );
    const there = [...ids.keys()].filter((i) => ids[i] !== 0);
    const padded = tokenGraph.tasks.map(({ spec }) => {
      const entries = axisOf(spec) === "token" ? ROWS * LENGTH : ROWS;
      return Float32Array.from({ length: entries * behaviourOf(spec).logitWidth(spec) }, draw);
    });
    const unpadded = tokenGraph.tasks.map(({ spec }, i) => {
      const width = behaviourOf(spec).logitWidth(spec);
      const all = padded[i] ?? new Float32Array(0);
      if (axisOf(spec) === "sample") return all;
      return Float32Array.from({ length: tokensIn(offsets) * width }, (_, k) => {
        const token = there[Math.floor(k / width)] ?? 0;
        return all[token * width + (k % width)] ?? 0;
      });
    });
    const scores = tokenGraph.tasks.map(({ spec }, i) => ({
      activated: behaviourOf(spec).activate(spec, unpadded[i] ?? new Float32Array(0)),
      thresholds: thresholds[i] ?? [],
      unitScale: null,
      known: new Float32Array(0),
    }));
    const expected = decodeFlow(tokenGraph, scores, { rows: ROWS, offsets }, behaviourOf);
    const graph = new OnnxGraph(OPSET_VERSION);
    const entrances = writeEntrances(graph, TOKEN_INPUTS, tokenGraph);
    const { model, fed } = withLogits(graph, tokenGraph, padded, thresholds, entrances, [ROWS, LENGTH]);
    const outputs = await askOnnx(model, { ...fed, text: { type: "int32", data: ids, dims: [ROWS, LENGTH] } });
    tokenGraph.tasks.forEach(({ path, spec }, i) => {
      if (behaviourOf(spec).answeredBy === "training") {
        expect(outputs[`${path}/active`]).toBeUndefined();
        return;
      }
      const { data: active = [] } = outputs[`${path}/active`] ?? {};
      const own = axisOf(spec) === "sample" ? Array.from(active) : there.map((token) => active[token]);
      expect([path, own.map(Number)]).toEqual([path, [...(expected.active[i] ?? [])]]);
      if (axisOf(spec) === "token") {
        const beyond = [...ids.keys()].filter((at) => ids[at] === 0).map((at) => Number(active[at]));
        expect(new Set(beyond)).toEqual(new Set([0]));
      }
    });
  });
});

describe("a model's calibrated probabilities", () => {
  const map = { scores: [0.1, 0.3, 0.30001, 0.8], probabilities: [0, 0.2, 0.6, 0.95] };
  const cases: readonly (readonly [string, Readonly<Record<string, TaskCalibration>>])[] = [
    [
      "temperature",
      {
        open: { method: "temperature", temperatures: [1.7] },
        color: { method: "temperature", temperatures: [0.6] },
        marks: { method: "temperature", temperatures: [2, 0.5] },
      },
    ],
    [
      "isotonic",
      {
        open: { method: "isotonic", maps: [map] },
        color: { method: "isotonic", maps: [map, { scores: [0.5], probabilities: [0.3] }, map] },
        grade: { method: "isotonic", maps: [map] },
      },
    ],
  ];
  it.each(cases)("are those of the decoders: %s", async (_name, calibrations) => {
    const flow = fitted(traceFlow(definitions, "all"));
    const logits = flow.tasks.map(({ spec }) =>
      Float32Array.from({ length: ROWS * behaviourOf(spec).logitWidth(spec) }, () => 8 * random.next() - 4),
    );
    const graph = new OnnxGraph(OPSET_VERSION);
    const entrances = writeEntrances(graph, { image: IMAGE }, flow);
    const { model, fed } = withLogits(graph, flow, logits, thresholdsOf(flow), entrances, [ROWS], calibrations);
    const outputs = await askOnnx(model, {
      ...fed,
      image: { type: "uint8", data: new Uint8Array(ROWS * 600), dims: [ROWS, 10, 20, 3] },
      night: { type: "float32", data: new Float32Array(ROWS), dims: [ROWS] },
      "image/size": { type: "float32", data: new Float32Array(2 * ROWS).fill(40), dims: [ROWS, 2] },
      "image/frame": { type: "float32", data: new Float32Array(4 * ROWS).fill(1), dims: [ROWS, 4] },
    });
    for (const [path, calibration] of Object.entries(calibrations)) {
      const { spec, index } = taskAt(flow, path);
      expectClose(
        path,
        outputs[`${path}/activated`]?.data ?? [],
        calibrate(spec, calibration, logits[index] ?? new Float32Array(0)),
        2e-3,
      );
    }
  });
});

/** A model that takes logits as they are. */
function withLogits(
  graph: OnnxGraph,
  flow: FlowGraph,
  logits: readonly Float32Array[],
  thresholds: readonly (readonly number[])[],
  entrances: ReturnType<typeof writeEntrances>,
  [rows = 0, length = 0]: readonly number[],
  calibrations: Readonly<Record<string, TaskCalibration>> = {},
) {
  const names = new Map<string, string>();
  const fed: Record<string, Fed> = {};
  flow.tasks.forEach(({ path, spec }, i) => {
    const behaviour = behaviourOf(spec);
    if (behaviour.answeredBy !== "network") return;
    const width = behaviour.logitWidth(spec);
    const axes = axisOf(spec) === "token" ? [rows, length] : [rows];
    const name = graph.input(`in/${path}`, "float", [...axes, width]);
    names.set(path, name);
    fed[name] = { type: "float32", data: logits[i] ?? new Float32Array(0), dims: [...axes, width] };
  });
  writeAnswers(graph, flow, thresholds, (path) => names.get(path) ?? "", entrances, calibrations);
  return { model: encodeModel(graph, { name: "test", version: "0", metadata: {} }), fed };
}

function expectClose(path: string, own: ArrayLike<number>, expected: Float32Array, tolerance = 1e-4): void {
  expect([path, own.length]).toEqual([path, expected.length]);
  expected.forEach((value, i) => {
    const got = own[i] ?? Number.POSITIVE_INFINITY;
    const isSame = Number.isNaN(value)
      ? Number.isNaN(got)
      : Math.abs(got - value) <= tolerance * Math.max(1, Math.abs(value));
    if (!isSame) expect([path, i, got]).toEqual([path, i, value]);
  });
}
