/** @file tfjs's converter, which runs graph models, where the user has installed it: an optional peer. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { compileFunction } from "node:vm";
import * as tf from "@tensorflow/tfjs-core";
import { BackendError } from "../../../errors.js";
import { findPackage, packageFolders } from "../../../platform/optional-package.js";

const PACKAGE = "@tensorflow/tfjs-converter";

/** What a graph model reads or puts out. */
interface GraphTensor {
  readonly name: string;
  /** Sizes that are free are -1 or null. */
  readonly shape?: readonly (number | null)[] | null;
  readonly dtype: string;
}

/** A graph model as the package opens it, as far as it is used here. */
export interface GraphModel {
  readonly inputs: readonly GraphTensor[];
  readonly outputs: readonly GraphTensor[];
  execute(inputs: Readonly<Record<string, tf.Tensor>>, output: string): tf.Tensor | tf.Tensor[];
  dispose(): void;
}

interface GraphRuntime {
  loadGraphModel(handler: tf.io.IOHandler): Promise<GraphModel>;
}

/**
 * Loads the package from the user's project, else from beside this one, into our own tfjs: beside it there may lie
 * another one, whose tensors and backends ours does not know.
 * @param projectDir null: there is no project
 * @throws BackendError where it is not installed, or does not load, with what to do
 */
export function loadGraphRuntime(projectDir: string | null): GraphRuntime {
  const found = findPackage(PACKAGE, projectDir);
  if (found === null) {
    throw new BackendError(
      `A graph model needs the package ${PACKAGE}, which is not installed${projectDir === null ? "" : ` for ${projectDir}`}. Install it there: npm install ${PACKAGE}.`,
      { package: PACKAGE, folders: packageFolders(projectDir) },
    );
  }
  try {
    return loaded(found.entry);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new BackendError(
      `The package ${PACKAGE} does not load: ${reason}. Install it again: npm install ${PACKAGE}.`,
      { package: PACKAGE, reason },
      { cause: error },
    );
  }
}

function loaded(entry: string): GraphRuntime {
  const native = createRequire(entry);
  const require = (request: string): unknown => (request === "@tensorflow/tfjs-core" ? tf : native(request));
  const module = { exports: {} };
  const body = compileFunction(readFileSync(entry, "utf8"), ["exports", "require", "module"], { filename: entry });
  body(module.exports, require, module);
  return module.exports as GraphRuntime;
}
