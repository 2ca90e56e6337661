/** @file Custom tasks and known ones: their values by hand, and definitions that are wrong. */
import { describe, expect, test } from "vitest";
import { evaluateSplit } from "../../../src/analysis/evaluate.js";
import { explainRow } from "../../../src/analysis/explanation/explain.js";
import { printExplanation } from "../../../src/analysis/explanation/print-explanation.js";
import { scoreSplit } from "../../../src/analysis/score.js";
import { tuneThresholds } from "../../../src/analysis/tune.js";
import { defineTasks } from "../../../src/flow/define.js";
import type { CustomSpec } from "../../../src/flow/graph.js";
import { printGraph } from "../../../src/flow/print.js";
import { traceFlow } from "../../../src/flow/trace.js";
import { defineTask } from "../../../src/project/define-task.js";
import { behaviourOf, binary, known, directionOfMetric, metricNames } from "../../../src/tasks/index.js";
import { angle } from "../../support/angle-task.js";

const spec: CustomSpec = angle({ column: "wrist_angle", lossWeight: 2 });
const behaviour = behaviourOf(spec);

function parse(own: CustomSpec, cell: unknown) {
  const out = new Float32Array(own.answerWidth).fill(7);
  return { problem: behaviourOf(own).parseLabel(own, [cell], [], out, 0), answer: [...out] };
}

describe("a custom task", () => {
  test("has a spec of plain data, and the same digest whenever it is defined the same", () => {
    expect(JSON.parse(JSON.stringify(spec))).toEqual(spec);
    expect(spec).toMatchObject({
      kind: "custom",
      type: "angle",
      logitWidth: 2,
      answerWidth: 1,
      gate: "bounds",
      head: "dense",
      likelihood: "gaussian",
      higherIsBetter: { mean_angular_deviation: false, within_five_degrees: true },
      column: "wrist_angle",
      lossWeight: 2,
    });
    expect(spec.digest).toMatch(/^[0-9a-f]{64}$/);
    const twice = [0, 1].map(() => minimal({})().digest);
    expect(twice[0]).toBe(twice[1]);
    expect(minimal({ loss: () => 2 })().digest).not.toBe(twice[0]);
    expect(minimal({ decoder: { parameters: [1], decode: () => 0 } })().digest).not.toBe(twice[0]);
  });

  test("reads cells by its own function; empty ones are missing", () => {
    expect(parse(spec, "90")).toEqual({ problem: null, answer: [90] });
    expect(parse(spec, "")).toEqual({ problem: null, answer: [Number.NaN] });
    expect(parse(spec, null)).toEqual({ problem: null, answer: [Number.NaN] });
    expect(parse(spec, 400)).toEqual({ problem: "is no angle from 0 up to 360 degrees", answer: [Number.NaN] });
  });

  test("decides itself which cells hold a label", () => {
    const own = minimal({ available: (cell) => cell !== -1, parse: Number })();
    expect(parse(own, -1)).toEqual({ problem: null, answer: [Number.NaN] });
    expect(parse(own, 3)).toEqual({ problem: null, answer: [3] });
  });

  test("a cell that parse throws at is refused with its reason", () => {
    const own = minimal({
      parse() {
        throw new Error("no such year");
      },
    })();
    expect(parse(own, "x").problem).toBe('is refused by the task type "minimal": no such year');
    const list = minimal({ parse: () => Number.POSITIVE_INFINITY })();
    expect(parse(list, "x").problem).toContain("as Infinity; expected finite numbers");
  });

  test("loss, gradient, activation, decoding and metrics are those of its functions", () => {
    const labels = { answers: Float32Array.of(90, Number.NaN, 350), unitScale: null };
    // two logits in a matrix of three columns, behind one of another task
    const logits = { data: Float32Array.of(9, 3, 4, 9, 1, 1, 9, 0, -1), stride: 3, offset: 1 };
    const gradient = new Float32Array(9);
    // (3 − cos 90°)² + (4 − sin 90°)²
    expect(behaviour.lossSum(spec, logits, labels, 0, gradient)).toBeCloseTo(18, 6);
    expect([...gradient.subarray(0, 3)].map((g) => Number(g.toFixed(5)))).toEqual([0, 6, 6]);
    expect(behaviour.lossSum(spec, logits, labels, 1, gradient)).toBe(0);
    expect([0, 1, 2].map((row) => behaviour.lossTerms(spec, labels, row))).toEqual([1, 0, 1]);

    const own = Float32Array.of(3, 4, 0, -2, 1, 1);
    const activated = behaviour.activate(spec, own);
    expect([...activated.subarray(0, 4)].map((a) => Number(a.toFixed(6)))).toEqual([0.6, 0.8, 0, -1]);
    const decoded = behaviour.decode(spec, activated, [10], null);
    expect(decoded[0]).toBeCloseTo(53.1301 + 10, 3);
    expect(decoded[1]).toBeCloseTo(270 + 10, 3);

    const answers = Float32Array.of(60, 350, 0);
    const mask = Uint8Array.of(1, 1, 0);
    const metrics = behaviour.metrics.values({
      spec,
      logits: own,
      activated,
      decoded: Float32Array.of(64, 10, 0),
      labels: { answers, unitScale: null },
      mask,
    });
    // 4° and, through 0°, 20°
    expect(metrics).toEqual([
      { name: "mean_angular_deviation", value: 12, count: 2 },
      { name: "within_five_degrees", value: 0.5, count: 2 },
    ]);
  });

  test("metrics without rows are null, and the first one is the headline", () => {
    expect(metricNames(spec)).toEqual(["loss", "mean_angular_deviation", "within_five_degrees"]);
    expect(behaviour.headlineMetric(spec)).toBe("mean_angular_deviation");
    expect(directionOfMetric(spec, "within_five_degrees")).toBe(true);
    expect(directionOfMetric(spec, "mean_angular_deviation")).toBe(false);
    expect(directionOfMetric(spec, "loss")).toBe(false);
  });

  test("the gradient of a task without one is taken by differences", () => {
    const cubic = minimal({ width: 2, activation: (z) => z, loss: ([a = 0, b = 0], y) => a ** 3 + y * b })();
    const gradient = new Float32Array(2);
    const labels = { answers: Float32Array.of(5), unitScale: null };
    behaviourOf(cubic).lossSum(cubic, { data: Float32Array.of(2, 7), stride: 2, offset: 0 }, labels, 0, gradient);
    expect(gradient[0]).toBeCloseTo(12, 6);
    expect(gradient[1]).toBeCloseTo(5, 6);
  });

  test("answers are described as numbers, or by its own words", () => {
    expect(behaviour.describe(spec, Float32Array.of(12.5), 0)).toBe(12.5);
    expect(behaviour.describe(spec, Float32Array.of(Number.NaN), 0)).toBe(null);
    const named = minimal({ describe: (answer) => (answer > 0 ? "up" : "down") })();
    expect(behaviourOf(named).describe(named, Float32Array.of(-1), 0)).toBe("down");
    expect(behaviourOf(named).answerType(named)).toBe("text");
    expect(behaviour.answerType(spec)).toBe("number");
  });
});

/** The smallest definition, with some parts replaced. */
function minimal(parts: Partial<Parameters<typeof defineTask<1>>[0]>) {
  return defineTask<1>({
    name: "minimal",
    width: 1,
    parse: () => null,
    loss: () => 1,
    activation: ([z = 0]) => [z],
    decoder: { parameters: [], decode: () => 0 },
    metrics: {},
    ...parts,
  });
}

describe("a definition that does not fit", () => {
  const problemOf = (own: CustomSpec): string | null => behaviourOf(own).problemWith(own);
  test.each<[string, CustomSpec, string]>([
    ["activation", minimal({ activation: () => [1, 2] })(), "activation returns 2: [1, 2]; expected 1 number"],
    [
      "decode",
      minimal({ decoder: { parameters: [], decode: (() => [1, 2, 3]) as never } })(),
      "decoder.decode returns 3: [1, 2, 3]; expected 1 number",
    ],
    ["gradient", minimal({ gradient: () => [1, 2] })(), "gradient returns 2: [1, 2]; expected 1 number"],
    ["loss", minimal({ loss: (() => "much") as never })(), 'loss returns "much"; expected 1 number'],
    [
      "throws",
      minimal({
        loss() {
          throw new Error("oh");
        },
      })(),
      'loss throws "oh"',
    ],
  ])("%s: the problem names type, function, expected and got", (_, own, text) => {
    expect(problemOf(own)).toContain(`does not work. The task type "minimal": ${text}`);
  });

  test("a fitting one has no problem", () => {
    expect(problemOf(spec)).toBe(null);
    expect(problemOf(minimal({})())).toBe(null);
  });

  const train = (own: CustomSpec) => {
    const labels = { answers: Float32Array.of(1), unitScale: null };
    const view = { data: Float32Array.of(2), stride: 1, offset: 0 };
    return behaviourOf(own).lossSum(own, view, labels, 0, new Float32Array(1));
  };
  test("a gradient that is NaN stops training, with the logits and the label", () => {
    expect(() => train(minimal({ gradient: () => [Number.NaN] })())).toThrow(
      'The task type "minimal": gradient([2], 1) is [NaN]; expected a finite number.',
    );
    expect(() => train(minimal({ loss: () => Number.NaN })())).toThrow('"minimal": loss([2], 1) is [NaN]');
  });

  test.each<[object, string]>([
    [{ widht: 1 }, '"widht" is not a part of it; did you mean "width"?'],
    [{ loss: undefined }, 'it has no "loss"; add it'],
    [{ width: 0 }, "its width is 0; expected the number of logits, 1 or more"],
    [{ answerWidth: 1.5 }, "its answerWidth is 1.5; expected a whole number, 1 or more"],
    [{ gradient: 3 }, "its gradient is number; expected a function"],
    [{ decoder: { parameters: [] } }, "its decoder has no function decode; add it"],
    [{ decoder: { parameters: ["a"], decode: () => 0 } }, "parameters are no list of finite numbers"],
    [{ metrics: { m: { compute: () => 0 } } }, 'its metric "m" does not say higherIsBetter'],
    [{ metrics: { m: { higherIsBetter: true } } }, 'its metric "m" has no function compute'],
    [{ metrics: { loss: { compute: () => 0, higherIsBetter: true } } }, "has the name of the loss"],
    [{ answerWidth: 2, gate: "truth" }, "its answer is 2 numbers, which cannot be true or false"],
    [{ gate: "bare" }, 'its gate is "bare"; expected "truth" or "bounds"'],
  ])("%j is refused", (parts, text) => {
    expect(() => minimal(parts)).toThrow(text);
    expect(() => minimal(parts)).toThrow('defineTask of "minimal": ');
  });
});

describe("tuning a custom decoder", () => {
  const graph = traceFlow(
    defineTasks({ features: ["f"], tasks: { wrist: angle(), on: binary() } }).flow("main", (flow, { f }, out) => {
      out.add(flow.on(f));
      out.add(flow.wrist(f).given(out.on));
    }),
    "main",
  );
  const outputs = (on: readonly number[]) => ({
    split: "valid" as const,
    ids: ["a", "b", "c"],
    outputs: [Float32Array.of(1, 1, 1), Float32Array.of(1, 0, 0, 1, -1, 0)],
    labels: [
      { answers: Float32Array.from(on), unitScale: null },
      { answers: Float32Array.of(10, 110, 0), unitScale: null },
    ],
  });

  test("uses the rows that are active and labelled, and reports before and after", () => {
    // errors of 10° and 20°; the third row, 180° off, is not asked
    const scored = scoreSplit(graph, outputs([1, 1, 0]), [[0.5], [0]]);
    const { thresholds, reports } = tuneThresholds(graph, scored, "mean_angular_deviation");
    expect(thresholds[1]?.[0]).toBeCloseTo(15, 4);
    const report = reports.find(({ task_path }) => task_path === "wrist");
    expect(report).toMatchObject({ label: null, metric: "mean_angular_deviation" });
    expect(report?.before).toBeCloseTo(15, 4);
    expect(report?.after).toBeCloseTo(5, 4);
    // yes-or-no questions have no such metric
    expect(reports.find(({ task_path }) => task_path === "on")?.metric).toBe("f1_score");
  });

  test("without a row its parameters stay, with a warning", () => {
    const scored = scoreSplit(graph, outputs([0, 0, 0]), [[0.5], [0]]);
    const { thresholds, reports } = tuneThresholds(graph, scored);
    expect(thresholds[1]).toEqual([0]);
    expect(reports.at(-1)?.warning).toBe("no row is active and labelled; its parameters stay");
    // f1_score is no metric of the task: its first one is taken
    expect(reports.at(-1)?.metric).toBe("mean_angular_deviation");
  });

  test("a metric that no task has is answered with the nearest", () => {
    const scored = scoreSplit(graph, outputs([1, 1, 0]), [[0.5], [0]]);
    expect(() => tuneThresholds(graph, scored, "within_5_degrees")).toThrow('Did you mean "within_five_degrees"?');
  });

  test("parameters that do not fit are refused", () => {
    const own = minimal({
      parse: Number,
      decoder: { parameters: [0], decode: () => 0, tune: () => [1, 2] },
      metrics: { m: { compute: () => 0, higherIsBetter: true } },
    })();
    const tuner = behaviourOf(own).tuner(own);
    const one = Float32Array.of(1);
    const scored = { spec: own, logits: one, activated: one, decoded: one, labels: { answers: one, unitScale: null } };
    expect(() => tuner?.({ ...scored, mask: Uint8Array.of(1) }, "m")).toThrow(
      '"minimal": decoder.tune returns 2: [1, 2]; expected 1 number',
    );
  });
});

describe("gates", () => {
  const on = defineTask({
    name: "on",
    width: 1,
    parse: Number,
    loss: () => 0,
    activation: (z) => z,
    decoder: { parameters: [], decode: ([z = 0]) => z },
    metrics: {},
    gate: "truth",
  });
  const point = defineTask({
    name: "point",
    width: 2,
    answerWidth: 2,
    parse: () => [0, 0],
    loss: () => 0,
    activation: (z) => z,
    decoder: { parameters: [], decode: ([a = 0, b = 0]) => [a, b] },
    metrics: {},
  });
  const declared = defineTasks({
    features: ["f"],
    tasks: { wrist: angle(), on: on(), point: point(), member: known(), asked: binary() },
  });

  test("an own number has bounds, one that is a truth is a condition itself, a known task too", () => {
    const graph = traceFlow(
      declared.flow("main", (flow, { f }, out) => {
        const wrist = out.add(flow.wrist(f));
        const isOn = out.add(flow.on(f).given(wrist.atLeast(90)));
        out.add(flow.member());
        out.add(flow.asked(f).given(isOn.and(isOn.below(3), wrist.below(180), out.member.not())));
      }),
      "main",
    );
    expect(printGraph(graph)).toBe(
      [
        "main",
        "├── wrist  [angle, f]",
        "├── on | wrist >= 90  [on, f]",
        "├── member  [known]",
        "└── asked | on and on < 3 and wrist < 180 and not member  [binary, f]",
      ].join("\n"),
    );
  });

  test("an answer of several numbers, and a number alone, are no conditions", () => {
    const add = (gate: "wrist" | "point") =>
      traceFlow(
        declared.flow("main", (flow, { f }, out) => {
          out.add(flow[gate](f) as never);
          out.add(flow.asked(f).given(out[gate] as never));
        }),
        "main",
      );
    for (const gate of ["wrist", "point"] as const) {
      expect(() => add(gate)).toThrow('The precondition of "asked" is not a condition.');
    }
  });

  test("a known task reads no feature, and cannot be all that is asked", () => {
    const trace = (body: (flow: never, out: never) => void) =>
      traceFlow(
        declared.flow("main", (flow, _, out) => body(flow as never, out as never)),
        "main",
      );
    expect(() =>
      trace((flow: { member(x: unknown): never }, out: { add(x: never): void }) => out.add(flow.member(1))),
    ).toThrow('The task "member" in flow "main" is known, so it reads no feature. Write flow.member().');
    expect(() => trace((flow: { member(): never }, out: { add(x: never): void }) => out.add(flow.member()))).toThrow(
      'The flow "main" asks the network nothing: all its tasks are known.',
    );
  });
});

describe("a known task", () => {
  const graph = traceFlow(
    defineTasks({ features: ["f"], tasks: { member: known(), asked: binary() } }).flow("main", (flow, { f }, out) => {
      out.add(flow.member());
      out.add(flow.asked(f).given(out.member));
    }),
    "main",
  );
  const scored = scoreSplit(
    graph,
    {
      split: "test",
      ids: ["yes", "no", "unknown"],
      outputs: [new Float32Array(0), Float32Array.of(2, 2, 2)],
      labels: [
        { answers: Float32Array.of(1, 0, Number.NaN), unitScale: null },
        { answers: Float32Array.of(1, 1, 1), unitScale: null },
      ],
    },
    [[], [0.5]],
  );

  test("answers from the table by truth and by prediction; under an unknown answer nothing is asked", () => {
    expect([...(scored.tasks[1]?.activeTruth ?? [])]).toEqual([1, 0, 0]);
    expect([...(scored.tasks[1]?.activePredicted ?? [])]).toEqual([1, 0, 0]);
  });

  test("has no loss and no metrics", () => {
    const rows = evaluateSplit(graph, scored);
    expect(new Set(rows.map(({ task_path }) => task_path))).toEqual(new Set(["asked"]));
    expect(metricNames(known())).toEqual([]);
  });

  test("is shown as given in explanation trees", () => {
    const print = (row: number) => printExplanation(graph, "x", explainRow(graph, scored, row));
    expect(print(0)).toBe(
      "├── x\n│   └── member | given: [True]\n│       └── asked | decoded: [True], activated: [0.8808] ≥ 0.5, logits: [2]",
    );
    expect(print(1)).toBe("├── x\n│   └── member | given: [False]");
    expect(print(2)).toBe("├── x\n│   └── member | given: [unknown]");
    expect(explainRow(graph, scored, 0)[0]).toMatchObject({ decoded: [true], activated: [], logits: [] });
  });
});

describe("loss weights", () => {
  const declared = defineTasks({ features: ["f"], tasks: { a: binary({ lossWeight: 3 }), b: binary() } });

  test("of a task, of the flows around it and of their uses multiply", () => {
    const graph = traceFlow(
      declared
        .flow(
          "inner",
          (flow, { f }, out) => {
            out.add(flow.a(f));
            out.add(flow.b(f).weighted(0.5));
          },
          { lossWeight: 2 },
        )
        .flow("main", (flow, x, out) => {
          out.add(flow.b(x.f));
          out.add(flow.inner(x));
          out.add(flow.inner(x).as("again").weighted(5));
        }),
      "main",
    );
    expect(graph.tasks.map(({ path, lossWeight }) => [path, lossWeight])).toEqual([
      ["b", 1],
      ["inner.a", 6],
      ["inner.b", 1],
      ["again.a", 30],
      ["again.b", 5],
    ]);
  });

  test("that are negative or no numbers are refused", () => {
    expect(() => declared.flow("x", () => {}, { lossWeight: -1 })).toThrow('The flow "x" has the loss weight -1');
    const main = declared.flow("main", (flow, { f }, out) => {
      out.add(flow.a(f).weighted(Number.NaN));
    });
    expect(() => traceFlow(main, "main")).toThrow('The use of "a" has the loss weight NaN; it must be a number');
  });
});
