/** @file What must be reached at least: `recall=0.95` on average, or `door_open/recall=0.95` by one task. */
import { CHAIN_METRICS, type Barren, type ChainMetric, type Floor } from "../../analysis/chain-tuning/objective.js";
import type { UnreachedFloor } from "../../analysis/chain-tuning/tune-chain.js";
import { UnknownNameError, UsageError } from "../../errors.js";
import type { FlowGraph } from "../../flow/graph.js";
import { behaviourOf } from "../../tasks/index.js";

/** @throws UnknownNameError, exit code 2 */
export function chainMetric(name: string): ChainMetric {
  const metric = CHAIN_METRICS.find((known) => known === name);
  if (metric === undefined) {
    throw new UnknownNameError("metric", name, CHAIN_METRICS, "tuning end to end", { exitCode: 2 });
  }
  return metric;
}

/** @throws UsageError, UnknownNameError */
export function parseFloor(text: string, graph: FlowGraph): Floor {
  const [, name = "", number = ""] = /^([^=]+)=(.+)$/.exec(text) ?? [];
  const least = Number(number);
  if (name === "" || !(least > 0 && least <= 1)) {
    throw new UsageError(
      `--at-least ${text} is no floor. Write METRIC=NUMBER or TASK/METRIC=NUMBER with a number above 0 and up to 1, such as recall=0.95.`,
      { floor: text },
    );
  }
  const at = name.lastIndexOf("/");
  const metric = chainMetric(name.slice(at + 1));
  return { metric, task: at < 0 ? null : taskNamed(graph, name.slice(0, at), metric), least };
}

/** A floor as it is written. */
export function floorText({ metric, task, least }: Floor, graph: FlowGraph): string {
  const path = task === null ? undefined : graph.tasks[task]?.path;
  return `${path === undefined ? "" : `${path}/`}${metric}=${least}`;
}

/** Why a floor is not reached on valid, and what to do: where nothing is due or to be found, asking for less helps nobody. */
export function unreachedText({ floor, best, barren }: UnreachedFloor, graph: FlowGraph): string {
  const said = `--at-least ${floorText(floor, graph)}`;
  const causes = barrenText(barren, graph);
  if (barren.fruitful === 0) return `On valid there is nothing that could reach ${said}: ${causes}. Leave it out`;
  const found = `no thresholds that were tried reach ${said} on valid: the best for it alone is ${Math.floor(best * 1e4) / 1e4}`;
  if (barren.nothingToFind.length === 0) return `${found}. Ask for less`;
  const counted = barrenText({ ...barren, neverDue: [] }, graph);
  return `${found}, where ${counted}, and counts as 0. Ask for less, or of single tasks: TASK/${floor.metric}=…`;
}

function barrenText({ neverDue, nothingToFind }: Barren, { tasks }: FlowGraph): string {
  const named = (indices: readonly number[]): string => indices.map((index) => tasks[index]?.path ?? "").join(", ");
  return [
    ...(nothingToFind.length === 0 ? [] : [`no label of ${named(nothingToFind)} is a yes`]),
    ...(neverDue.length === 0 ? [] : [`no question of ${named(neverDue)} is due`]),
  ].join(", and ");
}

/** A task that is judged end to end, and has the metric: numbers have accuracy alone. */
function taskNamed({ tasks }: FlowGraph, path: string, metric: ChainMetric): number {
  const having = tasks.filter(({ spec }) => {
    const { answeredBy, endToEnd } = behaviourOf(spec);
    if (answeredBy !== "network" || endToEnd === null) return false;
    return metric === "accuracy" || endToEnd.targets(spec).length > 0;
  });
  const task = having.find((node) => node.path === path);
  if (task !== undefined) return task.index;
  const known = having.map((node) => node.path);
  throw new UnknownNameError(`task with ${metric} end to end`, path, known, "the run's flow", { exitCode: 2 });
}
