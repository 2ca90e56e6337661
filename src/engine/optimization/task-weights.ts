/** @file Weights of the tasks in the total loss: constants, or learned from how uncertain each task is. */
import { at, f32At } from "../../arrays.js";
import type { TaskSpec } from "../../flow/graph.js";
import { behaviourOf } from "../../tasks/index.js";
import type { BatchLoss } from "./losses.js";
import type { HeadLayout } from "../model/layout.js";
import { createOptimizer, type Optimizer, type OptimizerConfig } from "./optimizer.js";
import type { OptimizerState } from "../model/training-state.js";

export type TaskWeighting = "constant" | "uncertainty";

/** How a total loss is made of the tasks' losses, and what a step changes about it. */
export interface TaskWeights {
  /** Factor of each task's masked mean, in the order of the graph. */
  readonly factors: readonly number[];
  /** What is added to the weighted sum for the tasks that have a row in the batch. */
  regularizer(loss: BatchLoss): number;
  /** One update. A task without a row in the batch stays exactly as it is. */
  update(loss: BatchLoss, learningRate: number): void;
  /** s of each task in the order of the graph; null where weights are constant or the task has no loss. */
  readonly logVariances: readonly (number | null)[];
  /** Slots of the optimizer's state that belong to the weights. */
  readonly slots: OptimizerState["slots"];
}

/** @param restored the optimizer's state of a checkpoint, to go on from */
export function createTaskWeights(
  weighting: TaskWeighting,
  layout: HeadLayout,
  optimizer: OptimizerConfig,
  restored?: OptimizerState,
): TaskWeights {
  switch (weighting) {
    case "constant":
      return constantWeights(layout);
    case "uncertainty":
      return new UncertaintyWeights(layout, optimizer, restored);
    default:
      return weighting satisfies never;
  }
}

function constantWeights({ columns }: HeadLayout): TaskWeights {
  return {
    factors: columns.map(({ task }) => task.lossWeight),
    regularizer: () => 0,
    update() {},
    logVariances: columns.map(() => null),
    slots: {},
  };
}

/** 1/2 of a squared error, 1 of a negative log-probability. */
function likelihoodFactor(spec: TaskSpec): number {
  const likelihood = behaviourOf(spec).likelihood(spec);
  switch (likelihood) {
    case "gaussian":
      return 0.5;
    case "categorical":
      return 1;
    default:
      return likelihood satisfies never;
  }
}

const LOG_VARIANCE = "log_variance";
const UPDATES = `${LOG_VARIANCE}/updates`;

/**
 * Homoscedastic uncertainty: Kendall, Gal & Cipolla, "Multi-Task Learning Using Uncertainty to Weigh Losses for Scene
 * Geometry and Semantics", CVPR 2018, equations 7 and 10. With s = log σ², which has no bound and is what they train,
 * a task with loss L adds exp(−s)·L/2 + s/2 if L is a squared error (the Gaussian likelihood of a regression), and
 * exp(−s)·L + s/2 if it is a negative log-probability. A constant lossWeight multiplies both terms, so that it does
 * not move the s at which they balance. Every s starts at 0 and has an optimizer of its own, without weight decay:
 * where a task has no row, neither momentum nor decay may move it.
 */
class UncertaintyWeights implements TaskWeights {
  readonly #constants: readonly number[];
  readonly #likelihoods: readonly number[];
  readonly #values: Float32Array;
  readonly #optimizers: readonly Optimizer[];
  readonly #learned: readonly boolean[];

  constructor({ columns }: HeadLayout, config: OptimizerConfig, restored?: OptimizerState) {
    const tasks = columns.length;
    this.#constants = columns.map(({ task }) => task.lossWeight);
    this.#likelihoods = columns.map(({ task }) => likelihoodFactor(task.spec));
    this.#learned = columns.map(({ width }) => width > 0);
    const kept = restored?.slots[LOG_VARIANCE];
    const usable = kept?.length === tasks ? restored : undefined;
    this.#values = kept?.length === tasks ? kept.slice() : new Float32Array(tasks);
    this.#optimizers = columns.map((_, task) =>
      createOptimizer({ ...config, weightDecay: 0 }, 1, usable === undefined ? undefined : stateOf(usable, task)),
    );
  }

  get factors(): readonly number[] {
    return this.#constants.map(
      (weight, task) => weight * at(this.#likelihoods, task) * Math.exp(-f32At(this.#values, task)),
    );
  }

  regularizer({ tasks }: BatchLoss): number {
    return tasks.reduce(
      (sum, { terms }, task) => (terms === 0 ? sum : sum + (at(this.#constants, task) * f32At(this.#values, task)) / 2),
      0,
    );
  }

  update({ tasks }: BatchLoss, learningRate: number): void {
    const { factors } = this;
    tasks.forEach(({ sum, terms }, task) => {
      if (terms === 0) return;
      // ∂/∂s of w·(c·exp(−s)·L + s/2)
      const gradient = at(this.#constants, task) / 2 - at(factors, task) * (sum / terms);
      const value = this.#values.subarray(task, task + 1);
      this.#optimizers[task]?.apply(value, Float32Array.of(gradient), learningRate);
    });
  }

  get logVariances(): readonly (number | null)[] {
    return this.#learned.map((learned, task) => (learned ? f32At(this.#values, task) : null));
  }

  get slots(): OptimizerState["slots"] {
    const states = this.#optimizers.map(({ state }) => state);
    const names = Object.keys(states[0]?.slots ?? {});
    return {
      [LOG_VARIANCE]: this.#values,
      [UPDATES]: Float32Array.from(states, ({ updates }) => updates),
      ...Object.fromEntries(
        names.map((name) => [
          `${LOG_VARIANCE}/${name}`,
          Float32Array.from(states, ({ slots }) => slots[name]?.[0] as number),
        ]),
      ),
    };
  }
}

/** One task's part of the slots. */
function stateOf({ slots }: OptimizerState, task: number): OptimizerState {
  const prefix = `${LOG_VARIANCE}/`;
  const own = Object.entries(slots).filter(([name]) => name.startsWith(prefix) && name !== UPDATES);
  return {
    updates: slots[UPDATES]?.[task] ?? 0,
    slots: Object.fromEntries(
      own.map(([name, values]) => [name.slice(prefix.length), values.subarray(task, task + 1)]),
    ),
  };
}
