/** @file Metrics against scikit-learn (fixtures/sklearn/make.py) and their undefined cases. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { BinarySpec, ClassificationSpec, TaskSpec } from "../../src/flow/graph.js";
import type { MetricValue, Scored } from "../../src/tasks/behaviour.js";
import { behaviourOf, binary, boundedRegression, classification, multilabel } from "../../src/tasks/index.js";
import {
  binaryMetrics,
  classificationMetrics,
  type MetricTable,
  multilabelMetrics,
  regressionMetrics,
} from "../../src/tasks/metrics.js";

type Expected = Readonly<Record<string, number | null>>;
type Column = readonly (number | null)[];

interface Vectors {
  readonly binary: readonly {
    readonly name: string;
    readonly labels: Column;
    readonly scores: readonly number[];
    readonly threshold: number;
    readonly expected: Expected;
    readonly further: Expected;
  }[];
  readonly multilabel: readonly {
    readonly name: string;
    readonly labels: readonly Column[];
    readonly scores: readonly (readonly number[])[];
    readonly thresholds: readonly number[];
    readonly expected: Expected;
    readonly further: Expected;
    readonly expected_per_label: readonly Expected[];
    readonly further_per_label: readonly Expected[];
  }[];
  readonly classification: readonly {
    readonly name: string;
    readonly classes: number;
    readonly labels: Column;
    readonly scores: readonly (readonly number[])[];
    readonly expected: Expected;
    readonly further: Expected;
  }[];
  readonly regression: readonly {
    readonly name: string;
    readonly labels: Column;
    readonly fractions: readonly number[];
    readonly min: number;
    readonly max: number;
    readonly units: readonly number[];
    readonly expected: Expected;
    readonly further: Expected;
  }[];
}

const vectors = JSON.parse(
  readFileSync(new URL("../../fixtures/sklearn/metrics.json", import.meta.url), "utf8"),
) as Vectors;

const answersOf = (labels: readonly Column[] | Column): Float32Array =>
  Float32Array.from(labels.flat(), (label) => label ?? Number.NaN);
const knownIn = (labels: Column): number => labels.filter((label) => label !== null).length;
const everyRow = (rows: number): Uint8Array => new Uint8Array(rows).fill(1);
// metrics do not read logits
const noLogits = new Float32Array();

function expectMetrics(actual: readonly MetricValue[], expected: Expected, count: number): void {
  expect(actual.map(({ name }) => name).sort()).toEqual(Object.keys(expected).sort());
  for (const { name, value, count: counted } of actual) {
    const wanted = expected[name] as number | null;
    expect(counted, name).toBe(count);
    if (wanted === null || value === null) expect(value, name).toBe(wanted);
    else expect(Math.abs(value - wanted), name).toBeLessThanOrEqual(1e-6 * Math.max(1, Math.abs(wanted)));
  }
}

/**
 * scikit-learn takes the first of equal classes for the decoded one, and the last ones among the first k: its top-k
 * accuracy may fall as k grows. Ours has the first order alone, written out here.
 */
function withTies(
  expected: Expected,
  labels: readonly (number | null)[],
  scores: readonly (readonly number[])[],
): Expected {
  const ranks = labels.flatMap((label, row) => {
    if (label === null) return [];
    const rounded = Array.from(Float32Array.from(scores[row] ?? []));
    const order = rounded.map((_, c) => c).sort((a, b) => (rounded[b] ?? 0) - (rounded[a] ?? 0) || a - b);
    return [order.indexOf(label)];
  });
  return Object.fromEntries(
    Object.entries(expected).map(([name, value]) => {
      const k = /^accuracy_(\d+)$/.exec(name)?.[1];
      if (k === undefined || value === null) return [name, value];
      return [name, ranks.filter((rank) => rank < Number(k)).length / ranks.length];
    }),
  );
}

/** Metrics as they are by default, then with all that can be asked for. */
function bothWays<Spec extends TaskSpec>(
  metrics: MetricTable<Spec>,
  scored: Scored<Spec>,
): readonly [usual: MetricValue[], all: MetricValue[]] {
  const onDemand = metrics.facts(scored.spec).flatMap((facts) => (facts.onDemand ? [facts.name] : []));
  return [metrics.values(scored), metrics.values(scored, onDemand)];
}

describe("binary metrics are scikit-learn's", () => {
  it.each(vectors.binary)("$name", ({ labels, scores, threshold, expected, further }) => {
    const spec = binary();
    const activated = Float32Array.from(scores);
    const [usual, all] = bothWays(binaryMetrics, {
      spec,
      logits: noLogits,
      activated,
      decoded: behaviourOf(spec).decode(spec, activated, [threshold], null),
      labels: { answers: answersOf(labels), unitScale: null },
      mask: everyRow(labels.length),
    });
    expectMetrics(usual, expected, knownIn(labels));
    expectMetrics(all, { ...expected, ...further }, knownIn(labels));
  });

  it("are computed on demand one by one", () => {
    const scored: Scored<BinarySpec> = {
      spec: binary(),
      logits: noLogits,
      activated: Float32Array.of(0.9, 0.2),
      decoded: Float32Array.of(1, 0),
      labels: { answers: Float32Array.of(1, 0), unitScale: null },
      mask: everyRow(2),
    };
    const names = binaryMetrics.values(scored, ["cohen_kappa", "r2", "accuracy"]).map(({ name }) => name);
    expect(names).toEqual([...binaryMetrics.values(scored).map(({ name }) => name), "cohen_kappa"]);
  });

  it("leaves rows outside the mask out", () => {
    const spec = binary();
    const activated = Float32Array.of(0.9, 0.2, 0.8, 0.1);
    const metrics = binaryMetrics.values({
      spec,
      logits: noLogits,
      activated,
      decoded: Float32Array.of(1, 0, 1, 0),
      labels: { answers: Float32Array.of(1, 0, 0, 1), unitScale: null },
      mask: Uint8Array.of(1, 1, 0, 0),
    });
    const all = { accuracy: 1, f1_score: 1, precision: 1, recall: 1, roc_auc: 1, average_precision: 1 };
    expectMetrics(metrics, all, 2);
  });

  it("is undefined where a score is not a number", () => {
    const metrics = binaryMetrics.values({
      spec: binary(),
      logits: noLogits,
      activated: Float32Array.of(Number.NaN, 0.2),
      decoded: Float32Array.of(0, 0),
      labels: { answers: Float32Array.of(1, 0), unitScale: null },
      mask: everyRow(2),
    });
    const undefinedMetrics = {
      ...{ accuracy: null, f1_score: null, precision: null, recall: null },
      ...{ roc_auc: null, average_precision: null },
    };
    expectMetrics(metrics, undefinedMetrics, 2);
  });
});

describe("multilabel metrics are scikit-learn's, label by label and averaged", () => {
  it.each(vectors.multilabel)("$name", (vector) => {
    const { labels, scores, thresholds } = vector;
    const spec = multilabel({ labels: ["RBC", "WBC", "platelets"] });
    const activated = Float32Array.from(scores.flat());
    const [usual, all] = bothWays(multilabelMetrics, {
      spec,
      logits: noLogits,
      activated,
      decoded: behaviourOf(spec).decode(spec, activated, thresholds, null),
      labels: { answers: answersOf(labels), unitScale: null },
      mask: everyRow(labels.length),
    });
    const { expected, further, expected_per_label, further_per_label } = vector;
    const rows = labels.filter((row) => knownIn(row) > 0).length;
    const ofAllLabels = ({ name }: MetricValue): boolean => !name.includes("/");
    expectMetrics(usual.filter(ofAllLabels), expected, rows);
    expectMetrics(all.filter(ofAllLabels), { ...expected, ...further }, rows);
    spec.labels.forEach((label, i) => {
      const count = knownIn(labels.map((row) => row[i] as number | null));
      const ofLabel = ({ name }: MetricValue): boolean => name.endsWith(`/${label}`);
      const named = (values: Expected | undefined): Expected =>
        Object.fromEntries(Object.entries(values ?? {}).map(([name, value]) => [`${name}/${label}`, value]));
      const wanted = named(expected_per_label[i]);
      expectMetrics(usual.filter(ofLabel), wanted, count);
      expectMetrics(all.filter(ofLabel), { ...wanted, ...named(further_per_label[i]) }, count);
    });
  });
});

describe("classification metrics are scikit-learn's", () => {
  it.each(vectors.classification)("$name", ({ classes, labels, scores, expected, further }) => {
    const spec = classification({ classes: Array.from({ length: classes }, (_, c) => `class ${c}`) });
    const activated = Float32Array.from(scores.flat());
    const [usual, all] = bothWays(classificationMetrics, {
      spec,
      logits: noLogits,
      activated,
      decoded: behaviourOf(spec).decode(spec, activated, [], null),
      labels: { answers: answersOf(labels), unitScale: null },
      mask: everyRow(labels.length),
    });
    const wanted = withTies(expected, labels, scores);
    expectMetrics(usual, wanted, knownIn(labels));
    expectMetrics(all, { ...wanted, ...withTies(further, labels, scores) }, knownIn(labels));
  });

  it("top-k accuracy never falls as k grows, whatever the ties", () => {
    const [, all] = bothWays(classificationMetrics, {
      spec: classification({ classes: ["a", "b", "c", "d", "e"] }),
      logits: noLogits,
      activated: Float32Array.of(0.2, 0.2, 0.2, 0.2, 0.2, 0.5, 0.5, 0, 0, 0),
      decoded: Float32Array.of(0, 0),
      labels: { answers: Float32Array.of(0, 1), unitScale: null },
      mask: everyRow(2),
    });
    const top = Object.fromEntries(all.map(({ name, value }) => [name, value]));
    expect([1, 2, 3, 4].map((k) => top[`accuracy_${k}`])).toEqual([0.5, 1, 1, 1]);
  });

  it("are undefined where a score is not a number", () => {
    const spec = classification({ classes: ["a", "b", "c", "d"] });
    const activated = new Float32Array(8).fill(0.25).fill(Number.NaN, 4);
    const decoded = behaviourOf(spec).decode(spec, activated, [], null);
    expect([...decoded]).toEqual([0, Number.NaN]);
    const labels = { answers: Float32Array.of(0, 1), unitScale: null };
    const [usual] = bothWays(classificationMetrics, {
      spec,
      logits: noLogits,
      activated,
      decoded,
      labels,
      mask: everyRow(2),
    });
    expectMetrics(usual, { accuracy_1: null, accuracy_3: null, f1_score: null, precision: null, recall: null }, 2);
  });

  it("are undefined without rows", () => {
    const [usual, all] = bothWays(classificationMetrics, {
      spec: classification({ classes: ["a", "b", "c", "d"] }),
      logits: noLogits,
      activated: new Float32Array(4),
      decoded: new Float32Array(1),
      labels: { answers: Float32Array.of(2), unitScale: null },
      mask: Uint8Array.of(0),
    });
    expectMetrics(usual, { accuracy_1: null, accuracy_3: null, f1_score: null, precision: null, recall: null }, 0);
    expectMetrics(all, Object.fromEntries(all.map(({ name }) => [name, null])), 0);
  });

  it("have no areas under curves of scores that are not numbers", () => {
    const scored: Scored<ClassificationSpec> = {
      spec: classification({ classes: ["a", "b"] }),
      logits: noLogits,
      activated: Float32Array.of(Number.NaN, Number.NaN, 0.2, 0.8),
      decoded: Float32Array.of(0, 1),
      labels: { answers: Float32Array.of(0, 1), unitScale: null },
      mask: everyRow(2),
    };
    const asked = ["roc_auc", "average_precision", "log_loss"];
    const found = classificationMetrics.values(scored, asked).filter(({ name }) => asked.includes(name));
    expectMetrics(found, { roc_auc: null, average_precision: null, log_loss: null }, 2);
  });
});

describe("regression metrics are scikit-learn's", () => {
  it.each(vectors.regression)("$name", (vector) => {
    const { labels, fractions, min, max, units, expected, further } = vector;
    const spec = boundedRegression({ min, max });
    const activated = Float32Array.from(fractions);
    const unitScale = Float32Array.from(units);
    const [usual, all] = bothWays(regressionMetrics, {
      spec,
      logits: noLogits,
      activated,
      decoded: behaviourOf(spec).decode(spec, activated, [], unitScale),
      labels: { answers: answersOf(labels), unitScale },
      mask: everyRow(labels.length),
    });
    expectMetrics(usual, expected, knownIn(labels));
    expectMetrics(all, { ...expected, ...further }, knownIn(labels));
  });

  it("are undefined without rows", () => {
    const [, all] = bothWays(regressionMetrics, {
      spec: boundedRegression({ max: 1 }),
      logits: noLogits,
      activated: Float32Array.of(0.5),
      decoded: Float32Array.of(0.5),
      labels: { answers: Float32Array.of(Number.NaN), unitScale: null },
      mask: Uint8Array.of(1),
    });
    expect(all).toHaveLength(5);
    expectMetrics(all, Object.fromEntries(all.map(({ name }) => [name, null])), 0);
  });
});
