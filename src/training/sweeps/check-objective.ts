/** @file Objectives against the project: tasks and metrics that its runs have, and which values are better. */
import { LOSS, TOTAL } from "../../analysis/evaluate.js";
import { ConfigError, UnknownNameError, UsageError } from "../../errors.js";
import { onDemandMetricsOf, withoutLabel } from "../../project/metrics.js";
import type { LoadedProject } from "../../project/resolve-project.js";
import type { Objective } from "../../sweeping/study/definition.js";
import { hasCurve, objectiveName, parseObjective } from "../../sweeping/study/objectives.js";
import { END_TO_END_METRICS } from "../../tasks/end-to-end.js";
import { directionOfMetric, metricNames, scoringOf } from "../../tasks/index.js";

const TREE_ACCURACY = "tree_accuracy";

/** What is minimised where nobody says: the loss that networks are trained by. */
export const DEFAULT_OBJECTIVE = `valid/${TOTAL}/${LOSS}`;

/**
 * @param texts `split/task/metric[@gates][:min|:max]`
 * @throws UsageError, UnknownNameError with the nearest task or metric
 */
export function checkedObjectives(project: LoadedProject, texts: readonly string[], isPruned: boolean): Objective[] {
  const objectives = texts.map((text) => checkedObjective(project, text));
  const [first] = objectives;
  const names = objectives.map(objectiveName);
  const repeated = names.find((name, i) => names.indexOf(name) < i);
  if (repeated !== undefined) {
    throw new UsageError(`The objective ${repeated} is given twice. Say each one once.`, { objective: repeated });
  }
  if (isPruned && objectives.length > 1) {
    throw new UsageError(
      "--prune compares runs by one objective, and there are several. Leave --prune out, or name one --objective.",
      {
        objectives: texts,
      },
    );
  }
  if (isPruned && first !== undefined && !hasCurve(first)) {
    throw new UsageError(
      `--prune needs an objective that is known after each epoch: a metric of train or valid by true gates. ${texts[0]} is known at the end alone; leave --prune out, or name another --objective.`,
      { objective: texts[0] },
    );
  }
  return objectives;
}

function checkedObjective(project: LoadedProject, text: string): Objective {
  const { graph } = project;
  const objective = parseObjective(text, (taskPath, metricName) => {
    if ((END_TO_END_METRICS as readonly string[]).includes(metricName)) return true;
    const task = graph.tasks.find(({ path }) => path === taskPath);
    // what is not there is said below
    if (task === undefined || (!text.includes("@end_to_end") && !metricNames(task.spec).includes(metricName)))
      return false;
    return directionOfMetric(task.spec, metricName) ?? directionOfMetric(task.spec, withoutLabel(metricName));
  });
  const { taskPath, metricName, gates } = objective;
  const where = `--objective ${text}`;
  if (taskPath === TOTAL) {
    const known = gates === "end_to_end" ? [TREE_ACCURACY] : [LOSS];
    if (!known.includes(metricName)) throw new UnknownNameError("metric", metricName, known, where, { exitCode: 2 });
    return objective;
  }
  const task = graph.tasks.find(({ path }) => path === taskPath);
  if (task === undefined) {
    const known = [TOTAL, ...graph.tasks.map(({ path }) => path)];
    throw new UnknownNameError("task", taskPath, known, where, { exitCode: 2 });
  }
  // what a user gets has names of its own, which a first trial tells
  if (gates === "end_to_end") return objective;
  const names = metricNames(task.spec);
  if (!names.includes(metricName)) throw new UnknownNameError("metric", metricName, names, where, { exitCode: 2 });
  const own = withoutLabel(metricName);
  const isOnDemand = scoringOf(task.spec)
    .metrics.facts(task.spec)
    .some(({ name, onDemand }) => onDemand && name === own);
  if (isOnDemand && !onDemandMetricsOf(project.settings).includes(own)) {
    throw new ConfigError(
      `${own} is computed where it is asked for. Add --set evaluate.metrics='["${own}"]' to ${where}.`,
      { metric: own },
    );
  }
  return objective;
}
