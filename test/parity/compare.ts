/** @file Two backends side by side: one step of the same network from the same weights on the same batch. */
import * as tf from "@tensorflow/tfjs-core";
import { type BackendName, openBackend } from "../../src/engine/backends/choose.js";
import { batchLoss } from "../../src/engine/optimization/losses.js";
import type { BatchTargets } from "../../src/engine/batches/targets.js";
import type { LogitValues } from "../../src/engine/model/layout.js";
import type { Network } from "../../src/engine/model/network.js";
import type { InputBatch } from "../../src/engine/model/input-batch.js";
import { writeParameters } from "../../src/engine/model/parameters.js";
import { EagerSteps } from "../../src/engine/optimization/eager-step.js";
import type { StepConfig, StepEngine } from "../../src/engine/optimization/step-engine.js";

/** What backends are compared on. */
export interface ParityCase {
  readonly name: string;
  /** Whether dropout or noise is drawn: equal only where the same generator draws. */
  readonly random?: boolean;
  /** Why the plain JavaScript backend is no reference here; the slopes of the loss are then. */
  readonly cpuIsWrong?: string;
  /** How the step is computed, beside what all have. */
  readonly config?: Partial<StepConfig>;
  /** On the active backend. */
  readonly make: () => ParityNetwork;
}

export interface ParityNetwork {
  readonly network: Network;
  readonly inputs: InputBatch;
  readonly targets: BatchTargets;
}

/** A backend, and what computes its steps where that is not tfjs, kernel by kernel. */
export interface Contender {
  readonly backend: BackendName;
  readonly engine?: (network: Network, config: StepConfig) => StepEngine | Promise<StepEngine>;
}

/** Largest difference that counts as agreement, relative to the largest magnitude of the quantity. */
const TOLERANCE = 1e-4;
/** The same for a slope by finite differences, which single precision blurs. */
const SLOPE_TOLERANCE = 2e-2;

/**
 * Compares loss, logits, the gradient of every weight, and the moved averages, as `contender` computes them in one
 * step, with those of `reference`; where that is known to be wrong, the gradients with the loss's slopes. Gradients
 * that are nothing beside the network's largest are rounding, and may differ.
 * @returns what disagrees, in words; empty where the backends agree
 */
export async function compareBackends(
  reference: Contender,
  contender: Contender,
  parityCase: ParityCase,
): Promise<string[]> {
  if (reference.backend === "cpu" && parityCase.cpuIsWrong !== undefined)
    return compareGradients(contender, parityCase);
  const expected = await stepOn(reference, parityCase, null);
  const actual = await stepOn(contender, parityCase, expected.weights);
  const largest = Math.max(...expected.gradients.map(magnitude));
  const differences = [
    difference("loss", Float32Array.of(expected.loss), Float32Array.of(actual.loss), 1e-12),
    ...(["sample", "token", "masked"] as const).map((part) =>
      difference(`${part} logits`, expected.logits[part], actual.logits[part], 1e-6),
    ),
    ...expected.gradients.map((gradient, i) => {
      const quantity = `gradient of ${expected.names[i]}`;
      return difference(quantity, gradient, actual.gradients[i], 1e-2 * largest);
    }),
    ...expected.statistics.map((values, i) => difference(`statistic ${i}`, values, actual.statistics[i], 1e-6)),
  ];
  return inWords(differences, TOLERANCE);
}

/** The gradients of a step, against finite differences of the loss in a few directions of every weight. */
export async function compareGradients(contender: Contender, parityCase: ParityCase): Promise<string[]> {
  const { weights, gradients, names } = await stepOn(contender, parityCase, null);
  const { network, inputs, targets } = parityCase.make();
  const lossAt = async (all: readonly Float32Array[]): Promise<number> => {
    writeParameters(network.trainable, flat(all));
    const logits = tf.tidy(() => network.logits(inputs, targets.rows, true));
    const { total } = batchLoss(
      network.layout,
      (await logits.data()) as Float32Array,
      targets,
      null,
      undefined,
      factorsOf(targets),
    );
    logits.dispose();
    return total;
  };
  try {
    const differences: Difference[] = [];
    for (const [i, own] of weights.entries()) {
      for (let seed = 0; seed < 5; seed++) {
        const direction = own.map((_, k) => Math.sign(wave(k, 31 * seed + i)));
        const h = 0.02 / Math.sqrt(own.length);
        const moved = (by: number) =>
          lossAt(
            weights.with(
              i,
              own.map((w, k) => w + by * (direction[k] as number)),
            ),
          );
        const slope = ((await moved(h)) - (await moved(-h))) / (2 * h);
        const gradient = gradients[i] as Float32Array;
        const expected = gradient.reduce((sum, g, k) => sum + g * (direction[k] as number), 0);
        const scale = Math.max(Math.hypot(...gradient), 1e-2);
        differences.push({ quantity: `slope along ${names[i]}`, relative: Math.abs(slope - expected) / scale });
      }
    }
    return inWords(differences, SLOPE_TOLERANCE);
  } finally {
    network.dispose();
  }
}

/** How far two backends are apart in one quantity: largest difference / largest magnitude. */
interface Difference {
  readonly quantity: string;
  readonly relative: number;
}

function inWords(differences: readonly Difference[], tolerance: number): string[] {
  return differences
    .filter(({ relative }) => !(relative <= tolerance))
    .sort((a, b) => b.relative - a.relative)
    .map(({ quantity, relative }) => `${quantity} differs by ${relative.toPrecision(2)} of its size`);
}

interface StepResult {
  readonly weights: readonly Float32Array[];
  readonly names: readonly string[];
  readonly loss: number;
  readonly logits: LogitValues;
  readonly gradients: readonly Float32Array[];
  readonly statistics: readonly Float32Array[];
}

/** So large that the change of the weights is the gradient, to single precision. */
const LEARNING_RATE = 2 ** 10;
const CONFIG: StepConfig = {
  optimizer: { kind: "sgd", learningRate: LEARNING_RATE, momentum: 0, nesterov: false, weightDecay: 0 },
  clipNorm: null,
};

async function stepOn(
  { backend, engine = (network, config) => new EagerSteps(network, config) }: Contender,
  { make, config }: ParityCase,
  given: readonly Float32Array[] | null,
): Promise<StepResult> {
  await openBackend(backend);
  const { network, inputs, targets } = make();
  try {
    const variables = network.trainable;
    // numbers where fresh weights are 0 or 1, so that nothing hides behind them
    const weights = given ?? (await valuesOf(variables)).map((own, i) => own.map((w, k) => w + 0.2 * wave(k, i)));
    writeParameters(variables, flat(weights));
    const steps = await engine(network, { ...CONFIG, ...config });
    const factors = factorsOf(targets);
    const batch = { inputs, targets, factors, learningRate: LEARNING_RATE, seed: "parity" };
    const { loss, logits, applied } = await steps.step(batch);
    if (!applied) throw new Error(`the step on ${backend} is not finite: loss ${loss.total}`);
    await steps.writeBack("trained");
    const after = await valuesOf(network.trainable);
    const result = {
      weights,
      names: variables.map(({ name, shape }) => `${name} [${shape}]`),
      loss: loss.total,
      logits: { sample: logits.sample.slice(), token: logits.token.slice(), masked: logits.masked.slice() },
      gradients: weights.map((own, i) => own.map((w, k) => (w - (after[i]?.[k] as number)) / LEARNING_RATE)),
      statistics: await valuesOf(network.statistics),
    };
    await steps.dispose();
    return result;
  } finally {
    network.dispose();
  }
}

/** Another for each task. */
function factorsOf({ labels }: BatchTargets): number[] {
  return labels.map((_, task) => 1 / (1 + task));
}

/** Copies: the cpu backend hands out its own arrays. */
async function valuesOf(variables: readonly tf.Variable[]): Promise<Float32Array[]> {
  return Promise.all(variables.map(async (variable) => Float32Array.from(await variable.data())));
}

/** Float32Array in [-1, 1] that look random and are the same everywhere. */
export function wave(i: number, seed: number): number {
  return Math.sin((i + 1) * 12.9898 + seed * 78.233);
}

function flat(parts: readonly Float32Array[]): Float32Array {
  return Float32Array.from(parts.flatMap((part) => [...part]));
}

function magnitude(values: Float32Array): number {
  return values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}

function difference(
  quantity: string,
  expected: Float32Array,
  actual: Float32Array | undefined,
  tiny: number,
): Difference {
  if (actual?.length !== expected.length) return { quantity, relative: Number.POSITIVE_INFINITY };
  const apart = expected.reduce((most, value, i) => Math.max(most, Math.abs(value - (actual[i] as number))), 0);
  return { quantity, relative: apart / Math.max(magnitude(expected), tiny) };
}
