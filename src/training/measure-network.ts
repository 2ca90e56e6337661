/** @file A project's network, built for its size alone: what is wrong with its trunk is found without training. */
import type { InputSpec } from "../data/dataset.js";
import { CoolError } from "../errors.js";
import { inFile } from "../project/load-project.js";
import type { LoadedProject } from "../project/resolve-project.js";
import { withVocabulary } from "../project/elements/token-tasks.js";
import type { RunStore } from "../storage/run-store.js";
import { buildNetwork } from "./fresh-network.js";

/** The trunk, or the head of a task. */
export interface NetworkPart {
  /** `trunk`, or a task's path. */
  readonly part: string;
  readonly parameters: number;
}

/** The parts of a network, and what a run would warn of when it has built it. */
export interface NetworkMeasure {
  readonly parts: readonly NetworkPart[];
  readonly warnings: readonly string[];
}

/**
 * Builds the network that a run would begin with, on the backend that needs nothing installed.
 * @param inputs complete, as the data was read
 * @param store null where `train.from` names no run
 * @throws ConfigError, UnknownNameError where the trunk does not fit the inputs or the declared features, or
 *   `train.from` cannot be followed
 */
export async function measureNetwork(
  project: LoadedProject,
  inputs: Readonly<Record<string, InputSpec>>,
  store: RunStore | null = null,
): Promise<NetworkMeasure> {
  const { graph, settings, configFile } = project;
  const { openBackend } = await import("../engine/backends/choose.js");
  await openBackend("cpu");
  const read = { ...project, inputs, graph: withVocabulary(graph, inputs) };
  const { network, warnings } = await buildNetwork(read, settings.train, store).catch((error: unknown) => {
    throw error instanceof CoolError && configFile !== null ? inFile(error, configFile) : error;
  });
  try {
    const paths = graph.tasks.map(({ path }) => path);
    const logitAxisOf = (layer: string): string =>
      paths.find((path) => layer === path || layer.startsWith(`${path}.`)) ?? "trunk";
    const sizes = new Map<string, number>([["trunk", 0]]);
    for (const layer of network.model.layers) {
      const part = logitAxisOf(layer.name);
      sizes.set(part, (sizes.get(part) ?? 0) + layer.countParams());
    }
    return { parts: [...sizes].map(([part, parameters]) => ({ part, parameters })), warnings };
  } finally {
    network.dispose();
  }
}
