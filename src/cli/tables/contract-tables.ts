/** @file Contracts of a flow, and a run beside the one whose place it is to take, as tables. */
import type { ContractCount } from "../../analysis/contracts/count-contracts.js";
import type { Against } from "../../comparing/against/check-against.js";
import { cellText } from "../text.js";
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
    : `${cellText(run.name)} does not pass.`;
  return [
    drawTable([split, cellText(against.name), cellText(run.name), "n", "p (Holm)", ""], body, [1, 2, 3, 4]),
    ...(contracts.length === 0 ? [] : [contractTable(contracts)]),
    ...gone,
    verdict,
  ].join("\n");
}
