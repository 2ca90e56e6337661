/** @file Tasks per pixel in a project: the picture whose pixels they are asked of. */
import type { ImageInputSpec, InputSpec } from "../../data/dataset.js";
import { ConfigError } from "../../errors.js";
import { axisOf, type FlowGraph, type TaskNode } from "../../flow/graph.js";

/**
 * The graph whose tasks per pixel know the size of the picture, as the network sees it.
 * @throws ConfigError where there is not exactly one image input
 */
export function withPixels(graph: FlowGraph, inputs: Readonly<Record<string, InputSpec>>, where: string): FlowGraph {
  const perPixel = (task: TaskNode): boolean => axisOf(task.spec) === "pixel";
  const first = graph.tasks.find(perPixel);
  if (first === undefined) return graph;
  const images = Object.entries(inputs).filter((entry): entry is [string, ImageInputSpec] => entry[1].kind === "image");
  const [only, ...others] = images;
  if (only === undefined || others.length > 0) {
    const names = images.map(([name]) => name);
    const found = only === undefined ? "there is no image input" : `there are several: ${names.join(", ")}`;
    throw new ConfigError(
      `${where}: the task "${first.path}" is asked of every pixel, but ${found}. Give data.inputs exactly one image({ … }).`,
      { file: where, task: first.path, inputs: names },
    );
  }
  const { size } = only[1];
  return {
    ...graph,
    tasks: graph.tasks.map(
      (task): TaskNode => (perPixel(task) ? { ...task, spec: { ...task.spec, ...{ size } } } : task),
    ),
  };
}
