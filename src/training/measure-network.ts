/** @file A project's network, built for its size alone: what is wrong with its trunk is found without training. */
import type { InputSpec } from "../data/dataset.js";
import { CoolError } from "../errors.js";
import { inFile } from "../project/load-project.js";
import type { LoadedProject } from "../project/resolve-project.js";
import { withVocabulary } from "../project/token-tasks.js";

/** The trunk, or the head of a task. */
export interface NetworkPart {
  /** `trunk`, or a task's path. */
  readonly part: string;
  readonly parameters: number;
}

/**
 * Builds the network on the backend that needs nothing installed.
 * @param inputs complete, as the data was read
 * @throws ConfigError, UnknownNameError where the trunk does not fit the inputs or the declared features
 */
export async function measureNetwork(
  { graph, trunk, settings, configFile, projectDir }: LoadedProject,
  inputs: Readonly<Record<string, InputSpec>>,
): Promise<NetworkPart[]> {
  const [{ openBackend }, { Network }, { buildWithModels }] = await Promise.all([
    import("../engine/backends/choose.js"),
    import("../engine/model/network.js"),
    import("../engine/model/pretrained/build-network.js"),
  ]);
  await openBackend("cpu");
  const { seed, freeze } = settings.train;
  const build = () => Network.build(withVocabulary(graph, inputs), inputs, trunk, seed, { freeze });
  const { built: network } = await buildWithModels(projectDir, build).catch((error: unknown) => {
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
    return [...sizes].map(([part, parameters]) => ({ part, parameters }));
  } finally {
    network.dispose();
  }
}
