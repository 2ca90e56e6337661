/** @file The page of an export of the format `web`: its files, which the package has ready. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ConfigError } from "../../errors.js";
import type { FlowGraph } from "../../flow/graph.js";
import { packageFile } from "../../platform/package-file.js";

/**
 * Everything but the model and its documents, by name.
 * @throws ConfigError where this package was not built
 */
export function webFiles(): Map<string, Uint8Array> {
  const folder = packageFile("dist/web");
  if (!existsSync(folder)) {
    throw new ConfigError(`The page of an export is not built: ${folder} is not there. Run npm run build.`, { folder });
  }
  return new Map(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name))]));
}

/**
 * What a page without the project's code cannot do.
 * @throws ConfigError that names the task, and the way out
 */
export function refuseUnanswerable(graph: FlowGraph): void {
  const custom = graph.tasks.find(({ spec }) => spec.kind === "custom");
  if (custom?.spec.kind === "custom") {
    throw new ConfigError(
      `The task ${custom.path} is of the type "${custom.spec.type}", which is decoded by code of its project, and a web page has none of it. Export with --format layers, and give dnn-cool/predictor the decoder.`,
      { task: custom.path, type: custom.spec.type },
    );
  }
}
