/** @file Layers that only gated questions need run where one of these is asked, and answer as they do without branches. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { InputSpec } from "../../../src/data/dataset.js";
import { createRandom } from "../../../src/data/rng.js";
import { defineTasks } from "../../../src/flow/define.js";
import type { FlowGraph } from "../../../src/flow/graph.js";
import { traceFlow } from "../../../src/flow/trace.js";
import { onlyOutputs } from "../../../src/protobuf/onnx-outputs.js";
import { writeAnswers } from "../../../src/shipping/onnx/answers.js";
import { NO_BRANCHES, planBranches } from "../../../src/shipping/onnx/branches.js";
import type { GateForm } from "../../../src/shipping/onnx/export-onnx.js";
import { OnnxGraph } from "../../../src/shipping/onnx/graph.js";
import { encodeModel, OPSET_VERSION } from "../../../src/shipping/onnx/model.js";
import { branchedNetwork, NetworkWriter } from "../../../src/shipping/onnx/network.js";
import type { SavedLayer, SavedLayers } from "../../../src/shipping/onnx/saved-layers.js";
import { writeEntrances } from "../../../src/shipping/onnx/signature.js";
import { behaviourOf, binary } from "../../../src/tasks/index.js";
import { needs } from "../../support/needs.js";
import { ensureOnnxRuntime } from "../../support/onnx-runtime.js";
import { openOnnxSession, ort } from "../../support/onnx-session.js";
import { drawn, graphFrom } from "../../support/random-flows.js";

const missing = await ensureOnnxRuntime();

const WIDTH = 6;
const NUMBERS: InputSpec = {
  kind: "numeric",
  columns: Array.from({ length: WIDTH }, (_, i) => `c${i}`),
  listLength: null,
  standardize: false,
  missing: "error",
  statistics: null,
};

const random = createRandom("branches");
const numbers = (count: number): Float32Array => Float32Array.from({ length: count }, () => 2 * random.next() - 1);

function dense(name: string, from: string, units: number): SavedLayer {
  const weights = new Map([
    ["kernel", { values: numbers(WIDTH * units), shape: [WIDTH, units] }],
    ["bias", { values: numbers(units), shape: [units] }],
  ]);
  return { name, className: "Dense", config: { units, activation: "linear" }, inputs: [from], weights };
}

const input: SavedLayer = { name: "x", className: "InputLayer", config: {}, inputs: [], weights: new Map() };

/** A trunk, hidden layers in a tree, and a head on one of them for each task. @param parents of hidden layers and heads */
function networkOf({ tasks }: FlowGraph, parents: readonly number[]): SavedLayers {
  const hidden = [0, 1, 2, 3].map((i) => `h${i}`);
  const layers = [input, dense("trunk", "x", WIDTH)];
  hidden.forEach((name, i) => {
    const above = ["trunk", ...hidden.slice(0, i)];
    layers.push(dense(name, above[(parents[i] ?? 0) % above.length] ?? "trunk", WIDTH));
  });
  tasks.forEach(({ path, spec }, i) => {
    const feature = ["trunk", ...hidden][(parents[4 + i] ?? 0) % 5] ?? "trunk";
    layers.push(dense(path, feature, behaviourOf(spec).logitWidth(spec)));
  });
  return { layers, outputs: tasks.map(({ path }) => path) };
}

function modelOf(flow: FlowGraph, saved: SavedLayers, gates: GateForm): Uint8Array {
  const graph = new OnnxGraph(OPSET_VERSION);
  const entrances = writeEntrances(graph, { x: NUMBERS }, flow);
  const network =
    gates === "if"
      ? branchedNetwork(graph, flow, saved, entrances.seen)
      : new NetworkWriter(graph, saved, entrances.seen, NO_BRANCHES, []);
  const thresholds = flow.tasks.map(({ spec }) => behaviourOf(spec).defaultThresholds(spec));
  writeAnswers(graph, flow, thresholds, (path, activeOf) => network.value(path, activeOf).name, entrances);
  return encodeModel(graph, { name: "test", version: "0", metadata: {} });
}

/** Answers to batches of some rows. */
async function ask(model: Uint8Array, batches: readonly Float32Array[]) {
  const session = await openOnnxSession(model);
  const { Tensor } = ort();
  const answers = [];
  for (const batch of batches) {
    answers.push(await session.run({ x: new Tensor("float32", batch, [batch.length / WIDTH, WIDTH]) }));
  }
  await session.release();
  return answers;
}

describe("branches", () => {
  needs(missing);

  it("answer the questions that are asked as the whole network does, in random flows", async () => {
    let [closed, asked] = [0, 0];
    const property = fc.asyncProperty(
      drawn,
      fc.array(fc.nat(99), { minLength: 9, maxLength: 9 }),
      async (flowed, parents) => {
        const flow = graphFrom(flowed);
        const saved = networkOf(flow, parents);
        const batches = [1, 1, 1, 5].map((rows) => numbers(rows * WIDTH));
        const whole = await ask(modelOf(flow, saved, "tensors"), batches);
        const gated = await ask(modelOf(flow, saved, "if"), batches);
        expect(Object.keys(gated[0] ?? {})).toEqual(Object.keys(whole[0] ?? {}));
        batches.forEach((_, batch) => {
          for (const { path } of flow.tasks) {
            const active = Array.from(whole[batch]?.[`${path}/active`]?.data ?? [], Boolean);
            expect(Array.from(gated[batch]?.[`${path}/active`]?.data ?? [], Boolean)).toEqual(active);
            for (const what of ["logits", "activated", "decoded"]) {
              const [a, b] = [whole, gated].map((all) => all[batch]?.[`${path}/${what}`]);
              expect(b?.dims).toEqual(a?.dims);
              const width = (a?.data.length ?? 0) / active.length;
              active.forEach((isAsked, row) => {
                if (!isAsked) return;
                asked += 1;
                for (let i = row * width; i < (row + 1) * width; i++)
                  expect(b?.data[i]).toBeCloseTo(a?.data[i] ?? 0, 6);
              });
            }
            const logits = Array.from(gated[batch]?.[`${path}/logits`]?.data ?? []);
            if (!active.includes(true) && logits.every((value) => value === 0)) closed += 1;
          }
        });
      },
    );
    await fc.assert(property, { numRuns: 30, seed: 5 });
    expect(closed).toBeGreaterThan(25);
    expect(asked).toBeGreaterThan(250);
  });

  it("keep their logits in a model that puts out nothing else, and so do whole networks", async () => {
    const property = fc.asyncProperty(
      drawn,
      fc.array(fc.nat(99), { minLength: 9, maxLength: 9 }),
      async (flowed, parents) => {
        const flow = graphFrom(flowed);
        const saved = networkOf(flow, parents);
        const names = flow.tasks.map(({ path }) => `${path}/logits`);
        const batches = [1, 3].map((rows) => numbers(rows * WIDTH));
        for (const gates of ["tensors", "if"] as const) {
          const model = modelOf(flow, saved, gates);
          const less = onlyOutputs(model, new Set(names));
          if (less === null) throw new Error("nothing was left out");
          expect(less.length).toBeLessThan(model.length);
          const [all, some] = [await ask(model, batches), await ask(less, batches)];
          some.forEach((answers, batch) => {
            expect(Object.keys(answers).sort()).toEqual([...names].sort());
            for (const name of names) expect(answers[name]?.data).toEqual(all[batch]?.[name]?.data);
          });
        }
      },
    );
    await fc.assert(property, { numRuns: 10, seed: 6 });
  });
});

describe("the plan of branches", () => {
  const definitions = defineTasks({
    features: ["f"],
    tasks: { open: binary(), locked: binary(), person: binary(), face: binary(), shirt: binary() },
  }).flow("door", (flow, x, out) => {
    out.add(flow.open(x.f));
    out.add(flow.locked(x.f).given(out.open.not()));
    out.add(flow.person(x.f).given(out.open));
    out.add(flow.face(x.f).given(out.person));
    out.add(flow.shirt(x.f).given(out.person));
  });
  const flow = traceFlow(definitions, "door");
  const saved: SavedLayers = {
    layers: [
      input,
      dense("trunk", "x", WIDTH),
      dense("people", "trunk", WIDTH),
      dense("clothes", "people", WIDTH),
      ...["open", "locked"].map((path) => dense(path, "trunk", 1)),
      ...["person", "face"].map((path) => dense(path, "people", 1)),
      dense("shirt", "clothes", 1),
    ],
    outputs: flow.tasks.map(({ path }) => path),
  };

  it("has one for each question that opens layers of its own, the deeper ones by their own gates", () => {
    const { branches } = planBranches(flow, saved, () => true);
    expect(branches).toEqual([
      { owners: ["person"], layers: ["people", "person"] },
      { owners: ["shirt"], layers: ["clothes", "shirt"] },
      { owners: ["locked"], layers: ["locked"] },
      { owners: ["face"], layers: ["face"] },
    ]);
  });

  it("leaves layers out on whose answers hangs whether they are needed", () => {
    const either = defineTasks({ features: ["f"], tasks: { a: binary(), b: binary(), c: binary(), d: binary() } }).flow(
      "either",
      (own, x, out) => {
        out.add(own.a(x.f));
        out.add(own.b(x.f).given(out.a));
        out.add(own.c(x.f).given(out.b.or(out.a.not())));
        out.add(own.d(x.f).given(out.a.not()));
      },
    );
    const shared: SavedLayers = {
      layers: [
        input,
        dense("a", "x", 1),
        dense("h", "x", WIDTH),
        ...["b", "c"].map((path) => dense(path, "h", 1)),
        dense("d", "x", 1),
      ],
      outputs: [],
    };
    const { branches } = planBranches(traceFlow(either, "either"), shared, () => true);
    expect(branches.map(({ owners, layers }) => [owners, layers])).toEqual([
      [["b"], ["b"]],
      [["c"], ["c"]],
      [["d"], ["d"]],
    ]);
  });
});
