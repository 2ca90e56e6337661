/** @file The table of task kinds. */
import type { SpecOf, TaskKind, TaskSpec } from "../flow/graph.js";
import type { BehaviourTable, TaskBehaviour } from "./behaviour.js";
import { binaryBehaviour } from "./binary.js";
import { boundedRegressionBehaviour } from "./bounded-regression.js";
import { classificationBehaviour } from "./classification.js";
import { multilabelBehaviour } from "./multilabel.js";

export type * from "./behaviour.js";
export { binary } from "./binary.js";
export { boundedRegression, denormalize, normalize } from "./bounded-regression.js";
export { classification } from "./classification.js";
export { multilabel } from "./multilabel.js";

const behaviours = {
  binary: binaryBehaviour,
  classification: classificationBehaviour,
  multilabel: multilabelBehaviour,
  boundedRegression: boundedRegressionBehaviour,
} satisfies BehaviourTable;

/** How tasks of this spec's kind behave. Pass the same spec to its functions. */
export function behaviourOf<S extends TaskSpec>(spec: S): TaskBehaviour<S> {
  // the table pairs every kind with its own spec; the compiler cannot follow the index
  return behaviours[spec.kind] as unknown as TaskBehaviour<S>;
}

/** Kinds of tasks, for validation and messages. */
export const taskKinds = Object.keys(behaviours) as readonly TaskKind[];

export type { SpecOf };
