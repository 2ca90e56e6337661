/** @file Summaries of very wide answers say what the answers themselves would. */
import { expect, test } from "vitest";
import { evaluateSplit } from "../../src/analysis/evaluate.js";
import { scoreSplit } from "../../src/analysis/score.js";
import { createRandom } from "../../src/data/rng.js";
import { defineTasks } from "../../src/flow/define.js";
import { traceFlow } from "../../src/flow/trace.js";
import { classification, isSummarized, summarize } from "../../src/tasks/index.js";

const CLASSES = 300;
const names = Array.from({ length: CLASSES }, (_, i) => `class ${i}`);

const flowOf = (per: { readonly per?: "token" }) =>
  traceFlow(
    defineTasks({ features: ["f"], tasks: { word: classification({ classes: names, ...per }) } }).flow(
      "all",
      (flow, x, out) => {
        out.add(flow.word(x.f));
      },
    ),
    "all",
  );

test("only one of many classes for each token is summarized", () => {
  const specs = [
    classification({ classes: names, per: "token" }),
    classification({ classes: names }),
    classification({ classes: names.slice(0, 256), per: "token" }),
  ];
  expect(specs.map(isSummarized)).toEqual([true, false, false]);
});

test("loss and every metric of summaries are those of the logits, to the last bit", () => {
  const random = createRandom("summaries");
  const lines = 200;
  // a coarse grid, so that there are equal scores
  const logits = Float32Array.from({ length: lines * CLASSES }, () => random.int(40) / 4);
  const answers = Float32Array.from({ length: lines }, (_, line) => {
    if (random.next() < 0.2) return Number.NaN;
    // half of them are good guesses
    return line % 2 === 0 ? random.int(CLASSES) : logits.indexOf(9.75, line * CLASSES) - line * CLASSES;
  }).map((answer) => (answer >= CLASSES ? 0 : answer));
  const labels = { answers, unitScale: null };
  const perRow = flowOf({});
  const ids = Array.from({ length: lines }, (_, i) => String(i));
  const whole = scoreSplit(perRow, { split: "test", ids, outputs: [logits], labels: [labels] }, [[]]);

  const perToken = flowOf({ per: "token" });
  const spec = perToken.tasks[0]?.spec as Parameters<typeof summarize>[0];
  const summaries = new Float32Array(lines * 12);
  for (let line = 0; line < lines; line++) {
    summarize(spec, { data: logits, stride: CLASSES, offset: 0 }, labels, line, summaries, line * 12);
  }
  // one token per row
  const offsets = Int32Array.from({ length: lines + 1 }, (_, i) => i);
  const summed = scoreSplit(perToken, { split: "test", ids, offsets, outputs: [summaries], labels: [labels] }, [[]]);

  expect(summed.tasks[0]?.decoded).toEqual(whole.tasks[0]?.decoded);
  expect(summed.tasks[0]?.perSampleLoss).toEqual(whole.tasks[0]?.perSampleLoss);
  expect(evaluateSplit(perToken, summed)).toEqual(evaluateSplit(perRow, whole));
  expect(
    evaluateSplit(perRow, whole).find(({ metric_name }) => metric_name === "accuracy_5")?.metric_res,
  ).toBeGreaterThan(0.05);
});

test("a summary names the five best classes with their probabilities", () => {
  const spec = classification({ classes: names, per: "token" });
  const logits = new Float32Array(CLASSES).fill(-1000);
  // e^0, e^0, e^-ln 2 …: probabilities 0.4, 0.4, 0.2
  logits[7] = 0;
  logits[200] = 0;
  logits[3] = -Math.LN2;
  const out = new Float32Array(12);
  summarize(
    spec,
    { data: logits, stride: CLASSES, offset: 0 },
    { answers: Float32Array.of(3), unitScale: null },
    0,
    out,
    0,
  );
  const [loss, ahead, ...rest] = out;
  expect(loss).toBeCloseTo(-Math.log(0.2), 6);
  expect(ahead).toBe(2);
  expect(rest.slice(0, 3)).toEqual([7, 200, 3]);
  [0.4, 0.4, 0.2, 0, 0].forEach((score, i) => {
    expect(rest[5 + i]).toBeCloseTo(score, 6);
  });
});
