/** @file Optimizers as ops of a graph, over one flat vector as in `optimizer.ts`, whose formulas they follow. */

import { DTYPE } from "../../protobuf/tensorflow.js";
import type { AdamWConfig, OptimizerConfig, SgdConfig } from "../optimization/optimizer.js";
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

/** Names of the vectors that an optimizer keeps beside the parameters. */
export function slotNames({ kind }: OptimizerConfig): readonly string[] {
  return kind === "adamw" ? ["mean", "variance"] : ["velocity"];
}

/**
 * @param gradient flat, and dead where the step must not be applied: ops that read a dead value do not run
 * @param alive a float that is dead where the gradient is
 */
export function buildUpdate(graph: TracedGraph, config: OptimizerConfig, gradient: Output, alive: Alive): Update {
  switch (config.kind) {
    case "adamw":
      return adamw(graph, config, gradient, alive);
    case "sgd":
      return sgd(graph, config, gradient, alive);
    default:
      return config satisfies never;
  }
}

/** A value, dead where the step must not be applied. */
export type Alive = (value: Output) => Output;

function adamw(graph: TracedGraph, config: AdamWConfig, gradient: Output, alive: Alive): Update {
  const { builder } = graph;
  const { beta1, beta2, epsilon, weightDecay } = config;
  const stepSize = scalarPlaceholder(builder);
  const epsilonHat = scalarPlaceholder(builder);
  const keep = scalarPlaceholder(builder);
  const parameters = variableOf(graph, PARAMETERS);
  const decayed =
    weightDecay === 0 ? [] : [builder.assign(parameters.handle, alive(builder.float("Mul", parameters.value, keep)))];
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
      gradient,
      ...decayed.map((node) => `^${node}`),
    ],
    { T: FLOAT, use_locking: { boolean: false }, use_nesterov: { boolean: false } },
  );
  return {
    done: [done],
    feeds(updates, learningRate) {
      const correction = Math.sqrt(1 - beta2 ** (updates + 1));
      const feeds = [
        scalarFeed(stepSize, (learningRate * correction) / (1 - beta1 ** (updates + 1))),
        scalarFeed(epsilonHat, epsilon * correction),
      ];
      return weightDecay === 0 ? feeds : [...feeds, scalarFeed(keep, 1 - learningRate * weightDecay)];
    },
  };
}

function sgd(graph: TracedGraph, config: SgdConfig, gradient: Output, alive: Alive): Update {
  const { builder } = graph;
  const { momentum, nesterov, weightDecay } = config;
  const rate = scalarPlaceholder(builder);
  const parameters = variableOf(graph, PARAMETERS);
  const velocity = variableOf(graph, "velocity");
  const times = (value: Output, factor: number) => builder.float("Mul", value, builder.floatScalar(factor));
  const penalized =
    weightDecay === 0 ? gradient : builder.float("AddV2", gradient, alive(times(parameters.value, weightDecay)));
  const moved = builder.float("AddV2", alive(times(velocity.value, momentum)), penalized);
  const direction = nesterov ? builder.float("AddV2", penalized, times(moved, momentum)) : moved;
  const next = builder.float("Sub", alive(parameters.value), builder.float("Mul", direction, rate));
  return {
    done: [builder.assign(parameters.handle, next), builder.assign(velocity.handle, moved)],
    feeds: (_updates, learningRate) => [scalarFeed(rate, learningRate)],
  };
}

function variableOf(graph: TracedGraph, name: string) {
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
