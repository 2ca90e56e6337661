/** @file What cannot be asked of tasks per pixel says so before any work. */
import { ConfigError } from "../../errors.js";
import { axisOf, type FlowGraph } from "../../flow/graph.js";

/**
 * @param what completes "… is asked of every pixel, and": what is not there for it, and the way out
 * @throws ConfigError where a task of the flow is asked of pixels
 */
export function refusePixels({ tasks }: Pick<FlowGraph, "tasks">, what: string): void {
  const found = tasks.find(({ spec }) => axisOf(spec) === "pixel");
  if (found === undefined) return;
  throw new ConfigError(`The task "${found.path}" is asked of every pixel, and ${what}.`, { task: found.path });
}
