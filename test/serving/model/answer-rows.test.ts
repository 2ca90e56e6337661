/** @file What a batch comes to where its network says nothing, or fails at one of its rows. */
import { expect, it } from "vitest";
import { scoreSplit } from "../../../src/analysis/score.js";
import { defineTasks } from "../../../src/flow/define.js";
import { traceFlow } from "../../../src/flow/trace.js";
import { answerEach, answerRows } from "../../../src/serving/model/answer-rows.js";
import type { OpenModel } from "../../../src/serving/model/open-model.js";
import type { ServedRow } from "../../../src/serving/model/served-model.js";
import { binary, boundedRegression } from "../../../src/tasks/index.js";

const graph = traceFlow(
  defineTasks({ features: ["f"], tasks: { open: binary(), x: boundedRegression({ max: 10 }) } }).flow(
    "main",
    (flow, x, out) => {
      out.add(flow.open(x.f));
      out.add(flow.x(x.f).given(out.open));
    },
  ),
  "main",
);

const sizes: number[] = [];

/** Its one number is the logit of both tasks; 13 is a row that no network can read. */
const model: OpenModel = {
  runtime: "test",
  graph,
  inputs: {
    n: { kind: "numeric", columns: ["n"], listLength: null, standardize: false, missing: "mean", statistics: null },
  },
  async score({ ids, sources }) {
    sizes.push(ids.length);
    const logits = Float32Array.from(sources.n?.read(ids.map((_, row) => row)) ?? []);
    if (logits.includes(13)) throw new Error("unlucky");
    const labels = graph.tasks.map(() => ({ answers: new Float32Array(ids.length).fill(Number.NaN), unitScale: null }));
    const outputs = graph.tasks.map(() => logits);
    return scoreSplit(graph, { split: "test", ids, outputs, labels }, [[0.5], []]);
  },
  async close() {},
};

const row = (n: number, wants: ServedRow["wants"] = "answers"): ServedRow => ({
  ...{ name: String(n), names: ["n"], values: [Float64Array.of(n)], size: null, tokens: null, known: {}, wants },
});

it("a row whose score is no number is refused, and the others of its batch are answered", async () => {
  for (const wants of ["answers", "tree"] as const) {
    const [none, open, shut] = await answerEach(model, [row(Number.NaN, wants), row(0), row(-2)]);
    expect(none).toMatchObject({ status: 422, code: "nan_answer" });
    expect((none as Error).message).toMatch(/^open: the network's answer to NaN is NaN, which is no answer\. Look for/);
    expect([open, shut]).toMatchObject([
      { prediction: { answers: { open: { decoded: true, activated: [0.5] }, x: { decoded: 5 } } } },
      { prediction: { answers: { open: { decoded: false } } } },
    ]);
  }
});

it("answers and trees may share a batch", async () => {
  const [answers, tree] = await answerRows(model, [row(1), row(1, "tree")]);
  expect([answers?.kind, tree?.kind]).toEqual(["answers", "tree"]);
});

it("a row that fails, fails alone", async () => {
  sizes.length = 0;
  const answers = await answerEach(model, [row(1), row(13), row(2)]);
  expect(answers.map((one) => (one instanceof Error ? one.message : one.kind))).toEqual([
    "answers",
    "unlucky",
    "answers",
  ]);
  expect(sizes).toEqual([3, 1, 1, 1]);
});
