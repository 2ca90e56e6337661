/** @file Optimizers as ops of a graph move weights, and their average, as torch does. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { at } from "../../../src/arrays.js";
import type { OptimizerConfig } from "../../../src/engine/optimization/optimizer.js";
import { AVERAGE, createUpdater } from "../../../src/engine/optimization/weight-average.js";
import { PARAMETERS } from "../../../src/engine/step-graph/network-inputs.js";
import { buildUpdate } from "../../../src/engine/step-graph/updates.js";
import { GraphRunner } from "../../support/run-graph.js";

const torch = JSON.parse(readFileSync(new URL("../../../fixtures/torch/recipes.json", import.meta.url), "utf8")) as {
  readonly averageDecay: number;
  readonly optimizers: readonly {
    readonly name: string;
    readonly config: OptimizerConfig;
    readonly start: readonly number[];
    readonly gradients: readonly (readonly number[])[];
    readonly learningRates: readonly number[];
    readonly expected: readonly (readonly number[])[];
    readonly averages: readonly (readonly number[])[];
  }[];
};

describe.each(torch.optimizers.map((torchCase) => [torchCase.name, torchCase] as const))(
  "%s in a graph",
  (_, given) => {
    test("moves weights, and their average, as torch does", () => {
      const config = { optimizer: given.config, averageDecay: torch.averageDecay };
      const { slots } = createUpdater(config, given.start.length).state;
      const graph = new GraphRunner({ [PARAMETERS]: Float32Array.from(given.start), ...slots });
      const place = graph.builder.placeholder(1, []);
      const update = buildUpdate(graph, config, place, (value) => value);
      given.gradients.forEach((gradient, step) => {
        const feeds = update.feeds(step, given.learningRates[step] as number);
        graph.run(feeds, { place, values: Float32Array.from(gradient) }, update.done);
        for (const [name, expected] of [
          [PARAMETERS, given.expected[step]],
          [AVERAGE, given.averages[step]],
        ] as const) {
          expected?.forEach((value, i) => {
            const actual = graph.variables.get(name)?.[i] as number;
            expect(Math.abs(actual - value)).toBeLessThanOrEqual(2e-6 * Math.max(1, Math.abs(value)));
          });
        }
      });
    });
  },
);

const RATES = [
  { from: 1, to: 3, factor: 0.25 },
  { from: 3, to: 4, factor: 0 },
];

test.each(torch.optimizers)(
  "$name moves stretches of parameters at rates of their own, as on other backends",
  (given) => {
    const config = { optimizer: given.config, averageDecay: 0.5, layerRates: RATES };
    const cycle = (values: readonly number[]) =>
      Float32Array.from({ length: 6 }, (_, i) => at(values, i % values.length));
    const expected = cycle(given.start);
    const updater = createUpdater(config, 6);
    const graph = new GraphRunner({ [PARAMETERS]: expected.slice(), ...structuredClone(updater.state.slots) });
    const place = graph.builder.placeholder(1, []);
    const update = buildUpdate(graph, config, place, (value) => value);
    given.gradients.forEach((gradient, step) => {
      const rate = at(given.learningRates, step);
      updater.apply(expected, cycle(gradient), rate);
      graph.run(update.feeds(step, rate), { place, values: cycle(gradient) }, update.done);
      for (const [name, own] of Object.entries({ ...updater.state.slots, [PARAMETERS]: expected })) {
        own.forEach((value, i) => {
          const actual = graph.variables.get(name)?.[i] ?? Number.NaN;
          expect(Math.abs(actual - value)).toBeLessThanOrEqual(2e-6 * Math.max(1, Math.abs(value)));
        });
      }
    });
    expect(graph.variables.get(PARAMETERS)?.[3]).toBe(cycle(given.start)[3]);
  },
);
