/** @file A project with what its data teaches before training: statistics and vocabularies of inputs, classes of tasks. */
import type { Dataset, InputSpec } from "../data/dataset.js";
import { fitTasks } from "../data/labels/fit-tasks.js";
import { withVocabulary } from "../project/elements/token-tasks.js";
import type { LoadedProject } from "../project/resolve-project.js";

/** @param inputs those of the dataset, as specs */
export function fittedProject(
  given: LoadedProject,
  inputs: Readonly<Record<string, InputSpec>>,
  dataset: Dataset,
): LoadedProject {
  return { ...given, inputs, graph: fitTasks(withVocabulary(given.graph, inputs), dataset) };
}
