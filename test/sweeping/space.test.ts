/** @file Spaces of sweeps: as flags and files say them, and their values. */
import { expect, test } from "vitest";
import { parseSets } from "../../src/sweeping/space/parse-set.js";
import {
  chooseEach,
  everyValue,
  fromUnit,
  orderSpace,
  type Parameter,
  toUnit,
} from "../../src/sweeping/space/space.js";
import { parseSweepFile } from "../../src/sweeping/study/definition.js";
import { grid } from "../../src/sweeping/search/simple.js";
import { thrownBy } from "../storage/support.js";

function range(text: string): Parameter {
  const [parameter] = parseSets([`p=${text}`]).parameters;
  if (parameter === undefined) throw new Error(`${text} is no range`);
  return parameter;
}

test("--set gives ranges, lists and settings of all trials", () => {
  const { parameters, fixed } = parseSets([
    "train.optimizer.learningRate=1e-4..1e-2:log",
    "train.batchSize=16,32,64",
    "train.epochs=5..20:step=5",
    "train.seed=1..9:int",
    'train.freeze=["a","b"],[]',
    'train.layerRates={"a":1,"b":2}',
    "train.optimizer.kind=adam",
    "data.augment.rotate=-.5..0.5",
  ]);
  const when = null;
  expect(parameters).toEqual([
    { kind: "range", name: "train.optimizer.learningRate", low: 1e-4, high: 1e-2, log: true, step: null, when },
    { kind: "choice", name: "train.batchSize", choices: [16, 32, 64], when },
    { kind: "range", name: "train.epochs", low: 5, high: 20, log: false, step: 5, when },
    { kind: "range", name: "train.seed", low: 1, high: 9, log: false, step: 1, when },
    { kind: "choice", name: "train.freeze", choices: [["a", "b"], []], when },
    { kind: "range", name: "data.augment.rotate", low: -0.5, high: 0.5, log: false, step: null, when },
  ]);
  expect(fixed).toEqual(['train.layerRates={"a":1,"b":2}', "train.optimizer.kind=adam"]);
});

test.each([
  ["1e-2..1e-4", "the lower end comes first"],
  ["0..1:log", "a logarithm needs numbers above 0"],
  ["1..2:step=0", "a step is a number above 0"],
  ["1..2:step=3", "more than its length"],
  ["1..64:log:step=2", "only whole numbers (:int) go with :log"],
  ["1..2:logarithmic", 'ends in ":logarithmic", which a range does not take'],
  ["16,32,16", "has 16 twice"],
])("%s is refused", (text, reason) => {
  expect(thrownBy(() => parseSets([`train.x=${text}`])).message).toContain(reason);
});

test("numbers in [0, 1) become values: evenly, by ratios, in steps", () => {
  expect([0, 0.5, 0.75].map((unit) => fromUnit(range("2..6"), unit))).toEqual([2, 4, 5]);
  expect([0, 0.5].map((unit) => fromUnit(range("1e-4..1:log"), unit))).toEqual([
    expect.closeTo(1e-4),
    expect.closeTo(1e-2),
  ]);
  // each of the values has the same share
  const units = Array.from({ length: 90 }, (_, i) => (i + 0.5) / 90);
  const counts = new Map<unknown, number>();
  for (const unit of units)
    counts.set(fromUnit(range("1..9:int"), unit), (counts.get(fromUnit(range("1..9:int"), unit)) ?? 0) + 1);
  expect([...counts]).toEqual(Array.from({ length: 9 }, (_, i) => [i + 1, 10]));
  expect(everyValue(range("0.1..0.5:step=0.2"))).toEqual([0.1, 0.3, 0.5]);
  expect(everyValue(range("0..1:step=0.4"))).toEqual([0, 0.4, 0.8]);
  for (const text of ["2..6", "1e-4..1:log", "5..20:step=5", "1..64:log:int", "a,b,c"]) {
    for (const unit of [0.01, 0.4, 0.99]) {
      const value = fromUnit(range(text), unit);
      expect(fromUnit(range(text), Math.min(0.999999, toUnit(range(text), value)))).toEqual(
        typeof value === "number" ? expect.closeTo(value, 9) : value,
      );
    }
  }
});

const CONDITIONAL = {
  parameters: {
    "train.optimizer.momentum": { low: 0, high: 0.99, step: 0.33, when: { "train.optimizer.kind": "sgd" } },
    "train.optimizer.kind": ["sgd", "adam"],
    "train.optimizer.nesterov": { choices: [true, false], when: { "train.optimizer.momentum": [0.33, 0.66] } },
  },
};

test("a parameter with a condition comes after what it waits for, and has no value where it does not apply", () => {
  const space = orderSpace(parseSweepFile(CONDITIONAL, "sweep.json").parameters);
  expect(space.map(({ name }) => name.split(".").at(-1))).toEqual(["kind", "momentum", "nesterov"]);
  expect(chooseEach(space, (parameter) => fromUnit(parameter, 0.9))).toEqual({ "train.optimizer.kind": "adam" });
  // kind adam; sgd with momentum 0 and 0.99; with 0.33 and 0.66, and nesterov or not
  expect(grid(space)).toHaveLength(1 + 2 + 2 * 2);
});

test("conditions on what is not searched, and in a circle, are refused", () => {
  const choice = (name: string, other: string): Parameter => ({
    ...{ kind: "choice", name, choices: [1, 2], when: { [other]: [1] } },
  });
  expect(thrownBy(() => orderSpace([choice("train.a", "train.b")])).message).toContain('No parameter named "train.b"');
  expect(thrownBy(() => orderSpace([choice("a", "b"), choice("b", "a")])).message).toBe(
    "The conditions of a, b wait for each other. Take one of them away.",
  );
});

test("a sweep file is checked: unknown keys have the nearest name", () => {
  expect(thrownBy(() => parseSweepFile({ parameters: {}, serch: "tpe" }, "sweep.json")).message).toContain(
    'Did you mean "search"?',
  );
  expect(thrownBy(() => parseSweepFile({ parameters: { a: { low: 1 } } }, "sweep.json")).message).toContain(
    "sweep.json: the parameter a is neither a list of values nor",
  );
  expect(thrownBy(() => parseSweepFile({ parameters: { a: { low: 2, high: 1 } } }, "sweep.json")).message).toContain(
    "lower end",
  );
});

test("a grid needs values to choose from", () => {
  expect(thrownBy(() => grid([range("0..1")])).message).toContain(
    "A grid needs values to choose from, and p may be any number",
  );
});
