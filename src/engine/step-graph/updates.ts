/** @file Optimizers as ops of a graph, over one flat vector as in `optimizer.ts`, whose formulas they follow. */

import { at } from "../../arrays.js";
import { DTYPE } from "../../protobuf/tensorflow.js";
import type { RateStretch } from "../optimization/layer-rates.js";
import type { OptimizerConfig } from "../optimization/optimizer.js";
import type { AdamConfig, AdamWConfig } from "../optimization/optimizers/adam.js";
import type { LionConfig } from "../optimization/optimizers/lion.js";
import type { RmsPropConfig } from "../optimization/optimizers/rms-prop.js";
import type { SgdConfig } from "../optimization/optimizers/sgd.js";
import { AVERAGE, decayAt, type UpdateConfig } from "../optimization/weight-average.js";
import type { GraphBuilder, Output } from "./graph-def.js";
import { FLOAT } from "./graph-def.js";
import { PARAMETERS } from "./network-inputs.js";
import type { Feed } from "./session.js";
import type { TracedGraph } from "./traced-graph.js";

/** An optimizer's update, built into a graph. */
export interface Update {
  /** Nodes that are done once the update is. */
  readonly done: readonly string[];
  /**
   * @param updates applied before
   * @returns feeds of one step
   */
  feeds(updates: number, learningRate: number): Feed[];
}

/** A value, dead where the step must not be applied. */
export type Alive = (value: Output) => Output;

/**
 * The update of the parameters, and of their average where one is kept.
 * @param gradient flat, and dead where the step must not be applied: ops that read a dead value do not run
 * @param alive a float that is dead where the gradient is
 */
export function buildUpdate(
  graph: UpdatableGraph,
  { optimizer, averageDecay = null, layerRates = [] }: UpdateConfig,
  gradient: Output,
  alive: Alive,
): Update {
  const update =
    layerRates.length === 0
      ? optimizerUpdate(graph, optimizer, gradient, alive)
      : layerwise(graph, layerRates, gradient, alive, (later) => optimizerUpdate(graph, optimizer, later, alive));
  return averageDecay === null ? update : withAverage(graph, averageDecay, update, alive);
}

/** What an update is built into. */
export type UpdatableGraph = Pick<TracedGraph, "builder" | "variable">;

function optimizerUpdate(graph: UpdatableGraph, config: OptimizerConfig, gradient: Output, alive: Alive): Update {
  switch (config.kind) {
    case "adam":
    case "adamw":
      return adam(graph, config, gradient, alive);
    case "lion":
      return lion(graph, config, gradient, alive);
    case "rmsprop":
      return rmsProp(graph, config, gradient, alive);
    case "sgd":
      return sgd(graph, config, gradient, alive);
    default:
      return config satisfies never;
  }
}

function adam(graph: UpdatableGraph, config: AdamConfig | AdamWConfig, gradient: Output, alive: Alive): Update {
  const { builder } = graph;
  const { beta1, beta2, epsilon, weightDecay } = config;
  const stepSize = scalarPlaceholder(builder);
  const epsilonHat = scalarPlaceholder(builder);
  const parameters = variableOf(graph, PARAMETERS);
  const decay = config.kind === "adamw" && weightDecay > 0 ? decayOf(graph, weightDecay, alive) : null;
  const [zero, one, two] = [0, beta1, beta2].map((value) => builder.floatScalar(value)) as [Output, Output, Output];
  const done = builder.node(
    "ResourceApplyAdam",
    [
      parameters.handle,
      variableOf(graph, "mean").handle,
      variableOf(graph, "variance").handle,
      // the corrections of the moments are part of step size and epsilon, in double precision: 1 − β₂ᵗ loses digits
      zero,
      zero,
      stepSize,
      one,
      two,
      epsilonHat,
      config.kind === "adam" ? penalized(graph, weightDecay, gradient, alive) : gradient,
      ...(decay === null ? [] : [`^${builder.assign(parameters.handle, decay.value)}`]),
    ],
    { T: FLOAT, use_locking: { boolean: false }, use_nesterov: { boolean: false } },
  );
  return {
    done: [done],
    feeds(updates, learningRate) {
      const correction = Math.sqrt(1 - beta2 ** (updates + 1));
      return [
        scalarFeed(stepSize, (learningRate * correction) / (1 - beta1 ** (updates + 1))),
        scalarFeed(epsilonHat, epsilon * correction),
        ...(decay === null ? [] : [decay.feed(learningRate)]),
      ];
    },
  };
}

function lion(graph: UpdatableGraph, config: LionConfig, gradient: Output, alive: Alive): Update {
  const { builder } = graph;
  const { beta1, beta2, weightDecay } = config;
  const rate = scalarPlaceholder(builder);
  const parameters = variableOf(graph, PARAMETERS);
  const mean = variableOf(graph, "mean");
  const mixed = (beta: number) =>
    builder.float("AddV2", alive(times(builder, mean.value, beta)), times(builder, gradient, 1 - beta));
  const decay = weightDecay === 0 ? null : decayOf(graph, weightDecay, alive);
  const kept = decay === null ? alive(parameters.value) : decay.value;
  const step = builder.float("Mul", builder.float("Sign", mixed(beta1)), rate);
  return {
    done: [
      builder.assign(parameters.handle, builder.float("Sub", kept, step)),
      builder.assign(mean.handle, mixed(beta2)),
    ],
    feeds: (_updates, learningRate) => [
      scalarFeed(rate, learningRate),
      ...(decay === null ? [] : [decay.feed(learningRate)]),
    ],
  };
}

function rmsProp(graph: UpdatableGraph, config: RmsPropConfig, gradient: Output, alive: Alive): Update {
  const { builder } = graph;
  const { decay, epsilon, momentum, weightDecay } = config;
  const rate = scalarPlaceholder(builder);
  const parameters = variableOf(graph, PARAMETERS);
  const square = variableOf(graph, "square");
  const velocity = variableOf(graph, "velocity");
  const own = penalized(graph, weightDecay, gradient, alive);
  const mean = builder.float(
    "AddV2",
    alive(times(builder, square.value, decay)),
    times(builder, builder.float("Square", own), 1 - decay),
  );
  const divisor = builder.float("AddV2", builder.float("Sqrt", mean), builder.floatScalar(epsilon));
  const moved = builder.float(
    "AddV2",
    alive(times(builder, velocity.value, momentum)),
    builder.float("RealDiv", own, divisor),
  );
  const next = builder.float("Sub", alive(parameters.value), builder.float("Mul", moved, rate));
  return {
    done: [
      builder.assign(parameters.handle, next),
      builder.assign(square.handle, mean),
      builder.assign(velocity.handle, moved),
    ],
    feeds: (_updates, learningRate) => [scalarFeed(rate, learningRate)],
  };
}

function sgd(graph: UpdatableGraph, config: SgdConfig, gradient: Output, alive: Alive): Update {
  const { builder } = graph;
  const { momentum, nesterov, weightDecay } = config;
  const rate = scalarPlaceholder(builder);
  const parameters = variableOf(graph, PARAMETERS);
  const velocity = variableOf(graph, "velocity");
  const own = penalized(graph, weightDecay, gradient, alive);
  const moved = builder.float("AddV2", alive(times(builder, velocity.value, momentum)), own);
  const direction = nesterov ? builder.float("AddV2", own, times(builder, moved, momentum)) : moved;
  const next = builder.float("Sub", alive(parameters.value), builder.float("Mul", direction, rate));
  return {
    done: [builder.assign(parameters.handle, next), builder.assign(velocity.handle, moved)],
    feeds: (_updates, learningRate) => [scalarFeed(rate, learningRate)],
  };
}

/**
 * Takes back a part of what the optimizer has moved, as in `layer-rates.ts`.
 * @param move builds the optimizer's update by a gradient that is there once the old parameters have been read
 */
function layerwise(
  graph: UpdatableGraph,
  stretches: readonly RateStretch[],
  gradient: Output,
  alive: Alive,
  move: (gradient: Output) => Update,
): Update {
  const { builder } = graph;
  const { handle, value: old, size } = variableOf(graph, PARAMETERS);
  const update = move(builder.node("Identity", [gradient, `^${old}`], { T: FLOAT }));
  const after = update.done.map((node) => `^${node}`);
  const latest = builder.node("ReadVariableOp", [handle, ...after], { dtype: FLOAT });
  const pieces = piecesOf(stretches, size);
  const lengths = pieces.map(({ length }) => length);
  const [moved, before] = [builder.cut(latest, lengths), builder.cut(alive(old), lengths)];
  const next = pieces.map(({ factor }, i) => {
    const [end, start] = [at(moved, i), at(before, i)];
    if (factor === 1) return end;
    return builder.float("AddV2", start, times(builder, builder.float("Sub", end, start), factor));
  });
  return { ...update, done: [...update.done, builder.assign(handle, builder.join(next))] };
}

/** All parameters in pieces of one factor each. */
function piecesOf(
  stretches: readonly RateStretch[],
  size: number,
): { readonly length: number; readonly factor: number }[] {
  let done = 0;
  const pieces = stretches.flatMap(({ from, to, factor }) => {
    const between = { length: from - done, factor: 1 };
    done = to;
    return [between, { length: to - from, factor }];
  });
  return [...pieces, { length: size - done, factor: 1 }].filter(({ length }) => length > 0);
}

/** Moves the average of the parameters after them. */
function withAverage(graph: UpdatableGraph, averageDecay: number, update: Update, alive: Alive): Update {
  const { builder } = graph;
  const [keep, add] = [scalarPlaceholder(builder), scalarPlaceholder(builder)];
  const average = variableOf(graph, AVERAGE);
  const after = update.done.map((node) => `^${node}`);
  const latest = builder.node("ReadVariableOp", [variableOf(graph, PARAMETERS).handle, ...after], { dtype: FLOAT });
  const next = builder.float(
    "AddV2",
    alive(builder.float("Mul", average.value, keep)),
    builder.float("Mul", latest, add),
  );
  return {
    done: [...update.done, builder.assign(average.handle, next)],
    feeds(updates, learningRate) {
      const kept = decayAt(averageDecay, updates);
      return [...update.feeds(updates, learningRate), scalarFeed(keep, kept), scalarFeed(add, 1 - kept)];
    },
  };
}

/** The gradient with that of an L2 penalty. */
function penalized(graph: UpdatableGraph, weightDecay: number, gradient: Output, alive: Alive): Output {
  if (weightDecay === 0) return gradient;
  const { builder } = graph;
  const { value } = variableOf(graph, PARAMETERS);
  return builder.float("AddV2", gradient, alive(times(builder, value, weightDecay)));
}

/** The parameters after decoupled weight decay, whose factor is fed. */
function decayOf(graph: UpdatableGraph, weightDecay: number, alive: Alive) {
  const { builder } = graph;
  const keep = scalarPlaceholder(builder);
  return {
    value: alive(builder.float("Mul", variableOf(graph, PARAMETERS).value, keep)),
    feed: (learningRate: number): Feed => scalarFeed(keep, 1 - learningRate * weightDecay),
  };
}

function times(builder: GraphBuilder, value: Output, factor: number): Output {
  return builder.float("Mul", value, builder.floatScalar(factor));
}

function variableOf(graph: Pick<TracedGraph, "variable">, name: string) {
  const variable = graph.variable(name);
  if (variable === null) throw new Error(`no variable "${name}" in the graph`);
  return variable;
}

function scalarPlaceholder(builder: GraphBuilder): Output {
  return builder.placeholder(DTYPE.float, []);
}

function scalarFeed(placeholder: Output, value: number): Feed {
  return { placeholder, dtype: DTYPE.float, shape: [], values: Float32Array.of(value) };
}
