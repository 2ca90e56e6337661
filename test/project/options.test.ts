/** @file What a configuration gives to the functions it is written with, checked as a compiler would. */
import { describe, expect, test } from "vitest";
import type { InputSpec } from "../../src/data/dataset.js";
import { categorical, image, numeric, tokens } from "../../src/data/inputs/inputs.js";
import { mlp, residualNet, smallConvNet, tokenEncoder } from "../../src/engine/model/ready-trunks.js";
import { ConfigError } from "../../src/errors.js";
import { defineTasks } from "../../src/flow/define.js";
import { applyAssignments } from "../../src/project/assignments.js";
import { defineProject } from "../../src/project/define-project.js";
import { resolveProject } from "../../src/project/resolve-project.js";
import { parseSettings } from "../../src/project/settings.js";
import {
  binary,
  boundedRegression,
  classification,
  known,
  maskedLanguageModeling,
  multilabel,
} from "../../src/tasks/index.js";

/** A value that a configuration in JavaScript may hold, whatever the compiler would say. */
function untyped<T>(value: unknown): T {
  return value as T;
}

describe("an option that there is none of is answered with the nearest", () => {
  test.each<[call: () => unknown, message: string]>([
    [
      () => binary(untyped({ lossWieght: 50 })),
      'binary({ lossWieght: … }): there is no option "lossWieght". Did you mean "lossWeight"?',
    ],
    [() => classification(untyped({ classes: ["a", "b"], colunm: "c" })), 'Did you mean "column"?'],
    [() => multilabel(untyped({ labels: ["a"], delimeter: ";" })), 'Did you mean "delimiter"?'],
    [() => boundedRegression(untyped({ max: 1, measure: "x" })), 'Did you mean "measures"?'],
    [() => known(untyped({ per: "token" })), 'known({ per: … }): there is no option "per". Known: column, lossWeight.'],
    [() => maskedLanguageModeling(untyped({ input: "t", maskrate: 0.2 })), 'Did you mean "maskRate"?'],
    [() => image(untyped({ column: "img", size: [8, 8], chanels: 1 })), 'Did you mean "channels"?'],
    [() => numeric(untyped({ colums: ["a"] })), 'Did you mean "columns"?'],
    [() => numeric({ columns: ["a"] }, untyped({ standardise: true })), 'Did you mean "standardize"?'],
    [() => categorical(untyped({ column: "c", categories: ["a"], encodng: "index" })), 'Did you mean "encoding"?'],
    [() => tokens(untyped({ column: "t", vocabulary: ["a"], maxlength: 4 })), 'Did you mean "maxLength"?'],
    [() => mlp(untyped({ unit: [8] })), 'Did you mean "units"?'],
    [() => smallConvNet(untyped({ filter: [8] })), 'Did you mean "filters"?'],
    [() => residualNet(untyped({ depths: [1] })), 'Did you mean "depth"?'],
    [() => tokenEncoder(untyped({ ids: 4, windows: 3 })), 'Did you mean "window"?'],
    [() => defineTasks(untyped({ features: ["f"], task: {} })), 'Did you mean "tasks"?'],
    [
      () => defineTasks({ features: ["f"], tasks: {} }).flow("a", () => {}, untyped({ weight: 2 })),
      'Did you mean "lossWeight"?',
    ],
  ])("%#", (call, message) => {
    expect(call).toThrow(ConfigError);
    expect(call).toThrow(message);
  });
});

test("a wrong value is named with what is expected", () => {
  expect(() => numeric(untyped({ columns: ["a", 3] }))).toThrow("has the column 3; write the name of one");
  expect(() => categorical({ column: "c", categories: ["caf\u00e9", "cafe\u0301"] })).toThrow("in two spellings");
  expect(() => mlp(untyped({ units: 64 }))).toThrow('"units" is 64; expected a list of whole numbers above 0');
  expect(() => mlp({ dropout: 1 })).toThrow("expected a number from 0 to below 1");
  expect(() => smallConvNet(untyped({ pool: "max" }))).toThrow('expected "average" or "flatten" or "none"');
  expect(() => residualNet({ width: 1.5 })).toThrow("expected a whole number above 0");
  expect(() => smallConvNet({ units: 0 })).not.toThrow();
  expect(() => tokenEncoder(untyped({}))).toThrow("needs ids");
  expect(() => boundedRegression(untyped({ scale: "image-heigth" }))).toThrow(
    'boundedRegression({ scale: … }): "scale" is "image-heigth"; expected a number above 0, "image-width" or "image-height".',
  );
  expect(() => image(untyped({ column: "img", size: [8, 8], channels: 4 }))).toThrow("expected 1 or 3");
  expect(() => numeric({ columns: ["a"] }, untyped({ missing: "zero" }))).toThrow('expected "error" or "mean"');
  expect(() => image({ column: "img", size: [8, 8], range: [1, 0] })).toThrow("Write [low, high]");
});

test.each(["num bers", "größe", "", "_mean", "a:b"])("%j names no input", (name) => {
  const definition = defineProject({
    name: "p",
    tasks: defineTasks({ features: ["f"], tasks: { a: binary() } }).flow("all", (flow, x, out) => {
      out.add(flow.a(x.f));
    }),
    flow: "all",
    data: { table: "t.csv", inputs: untyped<Record<string, InputSpec>>({ [name]: numeric({ columns: ["n"] }) }) },
    trunk: untyped<never>(() => ({})),
  });
  expect(() => resolveProject(definition)).toThrow(`${JSON.stringify(name)} cannot name an input`);
});

describe("names that every object has", () => {
  const NAMES = ["constructor", "toString", "valueOf", "hasOwnProperty", "isPrototypeOf", "__proto__"];

  test.each(NAMES)("%s names no task, feature, flow or use of one", (name) => {
    const problem = "JavaScript gives every object a member of this name";
    expect(() => defineTasks({ features: [name], tasks: {} })).toThrow(problem);
    expect(() => defineTasks({ features: ["f"], tasks: { [name]: binary() } })).toThrow(problem);
    expect(() => defineTasks({ features: ["f"], tasks: {} }).flow(name, () => {})).toThrow(problem);
    const definitions = defineTasks({ features: ["f"], tasks: { a: binary() } }).flow("all", (flow, x, out) => {
      out.add(flow.a(x.f).as(name));
    });
    const project = (inputs: object) =>
      defineProject({
        name: "p",
        tasks: definitions,
        flow: "all",
        data: {
          table: "t.csv",
          inputs: untyped<Record<string, InputSpec>>({ x: numeric({ columns: ["n"] }), ...inputs }),
        },
        trunk: untyped<never>(() => ({})),
      });
    expect(() => resolveProject(project({}))).toThrow(problem);
    expect(() => resolveProject(project({ [name]: numeric({ columns: ["n"] }) }))).toThrow(problem);
  });

  test("a task written as __proto__ in an object is not passed over", () => {
    expect(() => defineTasks({ features: ["f"], tasks: { __proto__: binary() } })).toThrow('"__proto__" cannot be');
  });

  test.each(NAMES)("%s is no setting, at the command line either", (name) => {
    const parse = (key: string) => parseSettings(applyAssignments({ data: { table: "a" } }, [`${key}=1`]), "here");
    expect(() => parse(name)).toThrow(`"${name}" is not a setting`);
    expect(() => parse(`train.${name}`)).toThrow(`"train.${name}" is not a setting`);
    expect(() => parse(`train.${name}.x`)).toThrow(`"train.${name}" is not a setting`);
  });
});

describe("labels in parts of a picture that augmentation moves", () => {
  const projectWith = (measures: object, augment: object) =>
    defineProject({
      name: "p",
      tasks: defineTasks({
        features: ["f"],
        tasks: { x1: boundedRegression({ scale: "image-width", ...measures }), age: boundedRegression({ max: 9 }) },
      }).flow("all", (flow, x, out) => {
        out.add(flow.x1(x.f));
        out.add(flow.age(x.f));
      }),
      flow: "all",
      data: { table: "t.csv", inputs: { image: image({ column: "img", size: [8, 8] }) }, augment },
      trunk: untyped<never>(() => ({})),
    });

  test.each([{ flipHorizontal: 0.5 }, { flipVertical: 0.5 }, { shift: 0.1 }, { scale: [0.8, 1] as [number, number] }])(
    "must say what they measure where %j does",
    (augment) => {
      expect(() => resolveProject(projectWith({}, augment))).toThrow(
        'data.augment moves pictures, but "x1", scaled by the picture\'s size, does not say how the labels move with them. Add measures:',
      );
      for (const measures of ["x", "none"]) {
        expect(resolveProject(projectWith({ measures }, augment)).settings.data.augment).toMatchObject(augment);
      }
    },
  );

  test.each([{ rotate: 10 }, { perspective: 0.2 }])("need both axes where %j turns or bends pictures", (augment) => {
    expect(() => resolveProject(projectWith({ measures: "x" }, augment))).toThrow(
      'data.augment turns or bends pictures, and where "x1" would go hangs on both axes. Give the flow tasks for x and y',
    );
    expect(() => resolveProject(projectWith({ measures: "none" }, augment))).not.toThrow();
  });

  test("need not where only colours change", () => {
    expect(() => resolveProject(projectWith({}, { brightness: 0.2 }))).not.toThrow();
  });
});
