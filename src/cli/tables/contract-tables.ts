/** @file Contracts of a flow, and a run beside the one whose place it is to take, as tables. */
import type { ContractCount } from "../../analysis/contracts/count-contracts.js";
import type { Against } from "../../comparing/against/check-against.js";
import { cellText, fill } from "../text.js";
import { drawTable, formatMetric } from "./tables.js";

/** How often each contract is broken, of the rows of which that is known. */
export function contractTable(counts: readonly ContractCount[]): string {
  const share = (broken: number, known: number): string => `${broken} of ${known}`;
  const body = counts.map(({ contract, broken, known }) => [
    cellText(contract),
    share(broken.labels, known.labels),
    share(broken.predictions, known.predictions),
  ]);
  return drawTable(["broken contracts", "by labels", "by predictions"], body, [1, 2]);
}

/** Each task of both runs, then the contracts, then whether all is well. */
export function againstTable({ tasks, contracts, skipped_tasks: skipped, ...checked }: Against): string {
  const body = tasks.map(({ task_path, measure, base, value, n, p_holm, worse }) => [
    `${cellText(task_path)}\n  ${measure}`,
    ...[formatMetric(base), formatMetric(value), String(n)],
    p_holm === null ? "–" : p_holm < 0.0001 ? "<.0001" : p_holm.toFixed(4),
    worse ? "worse" : "",
  ]);
  const { split, margin, run, against, passed } = checked;
  const gone = skipped.map(({ task_path, reason }) => `${cellText(task_path)} cannot be compared: ${reason}`);
  const verdict = passed
    ? `${cellText(run.name)} passes: no task is worse than in ${cellText(against.name)} beyond chance${margin > 0 ? ` and a margin of ${margin}` : ""}.`
    : `${cellText(run.name)} does not pass: ${failures({ tasks, contracts, skipped_tasks: skipped }).join("; ")}.`;
  return [
    drawTable([split, cellText(against.name), cellText(run.name), "n", "p (Holm)", ""], body, [1, 2, 3, 4]),
    ...(contracts.length === 0 ? [] : [contractTable(contracts)]),
    ...gone,
    fill(verdict),
  ].join("\n");
}

/** Why a run does not pass. */
function failures({
  tasks,
  contracts,
  skipped_tasks: skipped,
}: Pick<Against, "tasks" | "contracts" | "skipped_tasks">) {
  const named = (paths: readonly { readonly task_path: string }[]): string =>
    paths.map(({ task_path }) => cellText(task_path)).join(", ");
  const worse = tasks.filter((task) => task.worse);
  return [
    ...(worse.length === 0 ? [] : [`worse: ${named(worse)}`]),
    ...(skipped.length === 0 ? [] : [`not compared: ${named(skipped)}`]),
    ...contracts
      .filter(({ broken }) => broken.predictions > 0)
      .map(
        ({ contract, broken }) =>
          `broken ${broken.predictions === 1 ? "once" : `${broken.predictions} times`}: ${cellText(contract)}`,
      ),
  ];
}
