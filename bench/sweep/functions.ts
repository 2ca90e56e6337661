/** @file Functions to minimise, with their spaces: the same in optuna_tpe.py. */
import type { Parameters, Space } from "../../src/sweeping/space/space.js";

export interface TestFunction {
  readonly name: string;
  readonly space: Space;
  value(parameters: Parameters): number;
}

const range = (name: string, low: number, high: number, log = false) =>
  ({ kind: "range", name, low, high, log, step: null, when: null }) as const;
const number = (value: unknown): number => Number(value);

export const FUNCTIONS: readonly TestFunction[] = [
  {
    name: "sphere",
    space: [range("x", -5, 5), range("y", -5, 5), range("z", -5, 5)],
    value: ({ x, y, z }) => number(x) ** 2 + number(y) ** 2 + number(z) ** 2,
  },
  {
    name: "rosenbrock",
    space: [range("x", -2, 2), range("y", -1, 3)],
    value: ({ x, y }) => (1 - number(x)) ** 2 + 100 * (number(y) - number(x) ** 2) ** 2,
  },
  {
    name: "branin",
    space: [range("x", -5, 10), range("y", 0, 15)],
    value({ x, y }) {
      const [a, b] = [number(x), number(y)];
      return (
        (b - (5.1 / (4 * Math.PI ** 2)) * a ** 2 + (5 / Math.PI) * a - 6) ** 2 +
        10 * (1 - 1 / (8 * Math.PI)) * Math.cos(a) +
        10
      );
    },
  },
  {
    // what a real sweep looks like: a rate on a logarithmic axis, and a momentum that one of three optimizers has
    name: "conditional",
    space: [
      range("rate", 1e-5, 1, true),
      { kind: "choice", name: "kind", choices: ["sgd", "adam", "rmsprop"], when: null },
      { ...range("momentum", 0, 1), when: { kind: ["sgd"] } },
      { kind: "range", name: "layers", low: 1, high: 8, log: false, step: 1, when: null },
    ],
    value({ rate, kind, momentum, layers }) {
      const [best, base] = kind === "sgd" ? [-1, 0] : kind === "adam" ? [-3, 0.2] : [-2.5, 0.5];
      const own = kind === "sgd" ? 2 * (number(momentum) - 0.9) ** 2 : 0;
      return base + 0.3 * (Math.log10(number(rate)) - best) ** 2 + own + 0.05 * (number(layers) - 5) ** 2;
    },
  },
];
