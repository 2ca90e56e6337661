/** @file Ordinals and regressions that are asked of every token. */
import { beforeAll, expect, test } from "vitest";
import { fitTasks } from "../../../src/data/labels/fit-tasks.js";
import { openBackend } from "../../../src/engine/backends/choose.js";
import { computeLogits } from "../../../src/engine/inference/compute-logits.js";
import { Network } from "../../../src/engine/model/network.js";
import { batchLoss } from "../../../src/engine/optimization/losses.js";
import { Trainer } from "../../../src/engine/optimization/trainer.js";
import { defineTasks } from "../../../src/flow/define.js";
import { traceFlow } from "../../../src/flow/trace.js";
import { type Labels, ordinal, regression } from "../../../src/tasks/index.js";
import { ADAMW } from "../../support/small-project.js";
import { INPUTS, tokenwise } from "../../support/token-project.js";

beforeAll(() => openBackend("cpu"));

const declared = traceFlow(
  defineTasks({
    features: ["tokens", "row"],
    tasks: {
      grade: ordinal({ levels: ["low", "middle", "high"], per: "token" }),
      size: regression({ per: "token" }),
    },
  }).flow("all", (flow, x, out) => {
    out.add(flow.grade(x.tokens));
    out.add(flow.size(x.tokens).given(out.grade.atLeast("middle")));
  }),
  "all",
);

// two rows of three and of two tokens
const NO = Number.NaN;
const labelled = (...answers: number[]): Labels => ({ answers: Float32Array.from(answers), unitScale: null });
const graph = fitTasks(declared, {
  rows: 2,
  labels: [labelled(0, 1, 2, 1, NO), labelled(50, 4, 8, 6, 50)],
  splits: { train: Int32Array.of(0), valid: Int32Array.of(1), test: Int32Array.of() },
  offsets: Int32Array.of(0, 3, 5),
});
const inputs = { text: Int32Array.of(1, 2, 3, 4, 5, 0) };
/** Padded to three tokens. */
const targets = {
  rows: 2,
  length: 3,
  labels: [labelled(0, 1, 2, 1, NO, NO), labelled(50, 4, 8, 6, 50, NO)],
  masks: [Uint8Array.of(1, 1, 1, 1, 0, 0), Uint8Array.of(0, 1, 1, 1, 0, 0)],
};

test("a regression per token is standardized by the tokens of train that are active", () => {
  // 4 and 8; the 50 is asked of no token, the 6 stands in valid
  expect(graph.tasks[1]?.spec).toMatchObject({ statistics: { mean: 6, deviation: 2 } });
});

test("an ordinal per token has one score per token, and both are learnt", async () => {
  const network = Network.build(graph, INPUTS, tokenwise, 3);
  expect(network.model.outputs.map(({ shape }) => shape.at(-1))).toEqual([2, 1]);
  const logitsNow = () => computeLogits(network, inputs, 2).token;
  const lossNow = () => batchLoss(network.layout, logitsNow(), targets, null).total;
  const before = lossNow();
  const trainer = new Trainer(network, { optimizer: ADAMW, batchSize: 2, clipNorm: null, seed: 1 });
  for (let step = 0; step < 60; step++) await trainer.step(inputs, targets, 0.05);
  expect(lossNow()).toBeLessThan(before / 4);
  const { offset } = network.layout.columns[0] ?? { offset: 0 };
  const logits = logitsNow();
  const stride = logits.length / 6;
  const gaps = Array.from({ length: 6 }, (_, token) => {
    const at = token * stride + offset;
    return (logits[at] as number) - (logits[at + 1] as number);
  });
  for (const gap of gaps) expect(gap).toBeCloseTo(gaps[0] as number, 4);
  network.dispose();
});
