/** @file Masks against the reference vectors. */
import { describe, expect, it } from "vitest";
import { scoreSplit } from "../../src/analysis/index.js";
import { defineTasks } from "../../src/flow/define.js";
import { traceFlow } from "../../src/flow/trace.js";
import { binary } from "../../src/tasks/index.js";
import {
  defaultThresholds,
  masksByPath,
  outputsFrom,
  type ReferenceColumns,
  type ReferenceMasks,
  readReference,
  referenceThresholds,
  security,
  securityBatch,
} from "../support/security-flow.js";

describe("the home-security flow", () => {
  it("counts the rows of the reference when the gates are the labels", () => {
    const expected = security["precondition_with_gt(training_and_eval_identical)"];
    expect(masksByPath(securityBatch(), "lossMask")).toEqual(expected);
  });

  it("asks the questions of the reference when the gates are decoded at 0.5", () => {
    expect(masksByPath(securityBatch(), "activePredicted")).toEqual(security["inference_thresholds_0.5"].precondition);
  });

  it("asks the questions of the reference when the gates are decoded at tuned thresholds", () => {
    expect(masksByPath(securityBatch(referenceThresholds), "activePredicted")).toEqual(
      security.inference_tuned.precondition,
    );
  });
});

interface Combinations {
  readonly targets: ReferenceColumns;
  readonly logits: ReferenceColumns;
  readonly expected_correct: ReferenceMasks;
  readonly loss_per_task: Readonly<Record<string, number>>;
  readonly "expected_kleene(~(False & unknown) = True)": ReferenceMasks;
  readonly inference: { readonly logits: ReferenceColumns; readonly precondition: ReferenceMasks };
}

describe("a flow given not camera_blocked, around a; b given not a; c given b", () => {
  const reference: Combinations = readReference("nested_negation");
  const definitions = defineTasks({
    features: ["features"],
    tasks: { camera_blocked: binary(), a: binary(), b: binary(), c: binary() },
  })
    .flow("inner", (flow, x, out) => {
      out.add(flow.a(x.features));
      out.add(flow.b(x.features).given(out.a.not()));
      out.add(flow.c(x.features).given(out.b));
    })
    .flow("outer", (flow, x, out) => {
      out.add(flow.camera_blocked(x.features));
      out.add(flow.inner(x).given(out.camera_blocked.not()));
    });
  const graph = traceFlow(definitions, "outer");

  it("counts the right rows in all 27 combinations of yes, no and missing", () => {
    const scored = scoreSplit(graph, outputsFrom(graph, reference.logits, reference.targets), defaultThresholds(graph));
    expect(masksByPath(scored, "lossMask")).toEqual(reference.expected_correct);
  });

  it("asks the right questions in all 8 combinations of decoded answers", () => {
    const outputs = outputsFrom(graph, reference.inference.logits, reference.inference.logits);
    const scored = scoreSplit(graph, outputs, defaultThresholds(graph));
    expect(masksByPath(scored, "activePredicted")).toEqual(reference.inference.precondition);
  });
});

describe("eight conditions with and and not over a, b and m given a", () => {
  const reference: Combinations = readReference("and_conditions");
  const names = ["c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8"] as const;
  const definitions = defineTasks({
    features: ["features"],
    tasks: {
      a: binary(),
      b: binary(),
      m: binary(),
      ...(Object.fromEntries(names.map((name) => [name, binary()])) as Record<
        (typeof names)[number],
        ReturnType<typeof binary>
      >),
    },
  }).flow("conditions", (flow, x, out) => {
    const a = out.add(flow.a(x.features));
    const b = out.add(flow.b(x.features));
    const m = out.add(flow.m(x.features).given(a));
    out.add(flow.c1(x.features).given(a.and(b)));
    out.add(flow.c2(x.features).given(a.not().and(b)));
    out.add(flow.c3(x.features).given(a.and(b).not()));
    out.add(flow.c4(x.features).given(a.not().not()));
    out.add(flow.c5(x.features).given(a.and(m)));
    out.add(flow.c6(x.features).given(a.and(m).not()));
    out.add(flow.c7(x.features).given(a.not().and(b.not())));
    out.add(flow.c8(x.features).given(m.not()));
  });
  const graph = traceFlow(definitions, "conditions");

  it("counts the right rows in all 27 combinations of yes, no and missing", () => {
    const blank = Object.fromEntries(
      Object.entries(reference.targets).map(([path, rows]) => [path, rows.map(() => 0)]),
    );
    const scored = scoreSplit(graph, outputsFrom(graph, blank, reference.targets), defaultThresholds(graph));
    expect(masksByPath(scored, "lossMask")).toEqual(reference["expected_kleene(~(False & unknown) = True)"]);
  });

  it("asks the right questions in all 8 combinations of decoded answers", () => {
    const outputs = outputsFrom(graph, reference.inference.logits, reference.inference.logits);
    const masks = masksByPath(scoreSplit(graph, outputs, defaultThresholds(graph)), "activePredicted");
    // the reference's c6 wants m to have been asked; "a and m" is already false where a is
    const { a, m } = reference.inference.logits as Record<"a" | "m", [number][]>;
    const c6 = a.map(([aLogit], row) => aLogit < 0 || (m[row]?.[0] ?? 0) < 0);
    expect(masks).toEqual({ ...reference.inference.precondition, c6 });
  });
});
