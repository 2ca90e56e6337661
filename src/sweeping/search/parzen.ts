/**
 * @file Parzen estimators: the density of the values that some trials had, one kernel for each trial and a wide one over
 * the whole space (Bergstra et al., NIPS 2011, § 4.2; joint kernels: Falkner, Klein & Hutter, BOHB, ICML 2018; the choice
 * of widths: Watanabe, Tree-structured Parzen estimator, 2023).
 */
import { at } from "../../arrays.js";
import { normalTail } from "../../analysis/statistics/chi-square.js";
import type { Random } from "../../data/rng.js";
import {
  type ChoiceParameter,
  evenExtent,
  fromEven,
  isSame,
  type Parameter,
  type Parameters,
  type ParameterValue,
  type RangeParameter,
  toEven,
} from "../space/space.js";

/** A density over some parameters together. */
export interface Density {
  draw(random: Random): Parameters;
  /** The logarithm of the density, where a parameter with steps or choices counts by its probability. */
  logDensity(values: Parameters): number;
}

/** One parameter of one kernel. */
interface AxisKernel {
  draw(random: Random): ParameterValue;
  density(value: ParameterValue): number;
}

/**
 * @param trials values of all of the parameters, the oldest first
 * @param weights of the trials; that of the kernel over the whole space is 1
 */
export function jointDensity(
  parameters: readonly Parameter[],
  trials: readonly Parameters[],
  weights: readonly number[],
): Density {
  const axes = parameters.map((parameter) => {
    const values = trials.map(({ [parameter.name]: value = null }) => value);
    return {
      name: parameter.name,
      kernels:
        parameter.kind === "choice" ? choiceKernels(parameter, values) : rangeKernels(parameter, values.map(Number)),
    };
  });
  const all = [...weights, 1];
  const sum = all.reduce((one, other) => one + other, 0);
  return {
    draw(random) {
      const kernel = drawIndex(all, sum, random);
      return Object.fromEntries(axes.map(({ name, kernels }) => [name, at(kernels, kernel).draw(random)]));
    },
    logDensity(values) {
      const density = all.reduce(
        (total, weight, kernel) =>
          total +
          axes.reduce(
            (product, { name, kernels }) => product * at(kernels, kernel).density(values[name] ?? null),
            weight / sum,
          ),
        0,
      );
      // far from every kernel a density is less than a number can be
      return Math.log(Math.max(density, Number.MIN_VALUE));
    },
  };
}

/** A trial's own choice, and a little of every other: the less, the more trials there are. */
function choiceKernels({ choices }: ChoiceParameter, values: readonly ParameterValue[]): AxisKernel[] {
  const floor = 1 / (values.length + 1);
  const places = values.map((value) => choices.findIndex((choice) => isSame(choice, value)));
  return [...places, -1].map((own): AxisKernel => {
    const shares = choices.map((_, i) => floor + (i === own ? 1 : 0));
    const sum = shares.reduce((all, share) => all + share, 0);
    return {
      draw: (random) => at(choices, drawIndex(shares, sum, random)),
      density: (value) => (shares[choices.findIndex((choice) => isSame(choice, value))] ?? 0) / sum,
    };
  });
}

/** Normal distributions within the range. */
function rangeKernels(parameter: RangeParameter, values: readonly number[]): AxisKernel[] {
  const extent = evenExtent(parameter);
  const width = extent.high - extent.low;
  const means = values.map((value) => toEven(parameter, value));
  const deviations = deviationsOf(means, extent);
  return [...means, (extent.low + extent.high) / 2].map((mean, i): AxisKernel => {
    const normal = { mean, deviation: deviations[i] ?? width };
    const mass = massBetween(normal, extent.low, extent.high);
    const half = (parameter.step ?? 0) / 2;
    return {
      draw: (random) => fromEven(parameter, drawWithin(normal, extent, random)),
      density(value) {
        const number = Number(value);
        if (parameter.step === null) return densityAt(normal, toEven(parameter, number)) / mass;
        return massBetween(normal, toEven(parameter, number - half), toEven(parameter, number + half)) / mass;
      },
    };
  });
}

/**
 * The larger of the distances to the neighbours; of the outermost that to the only one, for the distance to the end of the
 * range says nothing of how dense the values lie. Not narrower than the range over one more than there are kernels, up to
 * a hundredth.
 */
function deviationsOf(means: readonly number[], { low, high }: Extent): number[] {
  const order = means.map((_, i) => i).sort((a, b) => at(means, a) - at(means, b));
  const narrowest = (high - low) / Math.min(100, means.length + 2);
  const deviations = means.map(() => 0);
  order.forEach((own, rank) => {
    const isAlone = order.length === 1;
    const mean = at(means, own);
    const left = rank === 0 ? (isAlone ? mean - low : 0) : mean - at(means, at(order, rank - 1));
    const right = rank === order.length - 1 ? (isAlone ? high - mean : 0) : at(means, at(order, rank + 1)) - mean;
    deviations[own] = Math.min(high - low, Math.max(narrowest, left, right));
  });
  return deviations;
}

interface Extent {
  readonly low: number;
  readonly high: number;
}

interface Normal {
  readonly mean: number;
  readonly deviation: number;
}

function drawIndex(weights: readonly number[], sum: number, random: Random): number {
  let left = random.next() * sum;
  const index = weights.findIndex((weight) => {
    left -= weight;
    return left < 0;
  });
  return index === -1 ? weights.length - 1 : index;
}

/** By rejection: the mean lies within the range, and at least a third of all draws do. */
function drawWithin({ mean, deviation }: Normal, { low, high }: Extent, random: Random): number {
  for (;;) {
    const place = mean + deviation * drawNormal(random);
    if (place >= low && place <= high) return place;
  }
}

/** Box & Muller 1958. */
function drawNormal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
}

function densityAt({ mean, deviation }: Normal, place: number): number {
  const z = (place - mean) / deviation;
  return Math.exp(-0.5 * z * z) / (deviation * Math.sqrt(2 * Math.PI));
}

function massBetween({ mean, deviation }: Normal, low: number, high: number): number {
  const [a, b] = [(low - mean) / deviation, (high - mean) / deviation];
  // in the tail where the difference loses no digits
  return a > 0 ? normalTail(a) - normalTail(b) : normalTail(-b) - normalTail(-a);
}
