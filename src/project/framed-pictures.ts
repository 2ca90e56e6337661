/** @file Image inputs that show a part of the picture, or bars around it: their size, and the tasks that follow it. */
import { resolve } from "node:path";
import type { InputSpec } from "../data/dataset.js";
import { preprocessorFile, readPictureGeometry } from "../engine/model/pretrained/preprocessor-config.js";
import { ConfigError } from "../errors.js";
import type { FlowGraph, TaskNode, TaskSpec } from "../flow/graph.js";
import { behaviourOf } from "../tasks/index.js";

type Inputs = Readonly<Record<string, InputSpec>>;

/**
 * Inputs with the size that their preprocessor_config.json says.
 * @throws ConfigError where it cannot be read, or says no size
 */
export function withGeometry(inputs: Inputs, projectDir: string): Inputs {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, spec]) => {
      if (spec.kind !== "image" || spec.preprocessor === undefined) return [name, spec];
      const { preprocessor, ...rest } = spec;
      return [name, { ...rest, ...readPictureGeometry(preprocessorFile(resolve(projectDir, preprocessor))) }];
    }),
  );
}

/**
 * The graph whose boxes and points know that the first image input, which they are on, is framed.
 * @throws ConfigError where a task measures the picture that could not follow
 */
export function withFrames(graph: FlowGraph, inputs: Inputs, where: string): FlowGraph {
  const framing = Object.values(inputs).find((spec) => spec.kind === "image")?.framing;
  if (framing === undefined) return graph;
  const left = graph.tasks.find(({ spec }) => {
    const { figure, onPicture } = behaviourOf(spec);
    return figure === null && onPicture(spec) !== "stays";
  });
  if (left !== undefined) {
    throw new ConfigError(
      `${where}: the task "${left.path}" measures the picture, of which the network sees no more than image({ fit: "${framing.fit}" }) shows. Make it a box({ … }) or a point({ … }), which move with that, or write fit: "stretch".`,
      { file: where, task: left.path, fit: framing.fit },
    );
  }
  return { ...graph, tasks: graph.tasks.map((task): TaskNode => ({ ...task, spec: framed(task.spec) })) };
}

/** Figures alone know of frames. */
function framed(spec: TaskSpec): TaskSpec {
  return behaviourOf(spec).figure === null ? spec : { ...spec, ...FRAMED };
}

const FRAMED = { framed: true } as const;
