/** @file How often the contracts of a flow are broken: by the labels, and by what the network answers. */
import { at } from "../../arrays.js";
import { keptContracts } from "../../flow/contracts.js";
import type { FlowGraph } from "../../flow/graph.js";
import { printContract } from "../../flow/print.js";
import type { Split } from "../../tasks/evaluation.js";
import type { ScoredSplit } from "../score.js";

/** One contract on one split. */
export interface ContractCount {
  readonly split: Split;
  /** In words. */
  readonly contract: string;
  /** Rows that break it, by what answers. */
  readonly broken: { readonly labels: number; readonly predictions: number };
  /** Rows of which it is known whether they keep it. */
  readonly known: { readonly labels: number; readonly predictions: number };
  /** Some rows whose predictions break it. */
  readonly samples: readonly string[];
}

/** Rows that are named. */
const NAMED = 5;

/** Of a flow without contracts none. */
export function countContracts(graph: FlowGraph, scored: ScoredSplit): ContractCount[] {
  const { ids, offsets = null, split, tasks } = scored;
  const labels = tasks.map((task) => task.labels.answers);
  const byLabels = keptContracts(graph, labels, ids.length, offsets);
  const decoded = tasks.map((task) => task.decoded);
  const byPredictions = keptContracts(graph, decoded, ids.length, offsets);
  return (graph.contracts ?? []).map((contract, i) => {
    const [ofLabels, ofPredictions] = [at(byLabels, i), at(byPredictions, i)];
    return {
      split,
      contract: printContract(graph, contract),
      broken: { labels: sumOf(ofLabels.broken), predictions: sumOf(ofPredictions.broken) },
      known: { labels: sumOf(ofLabels.known), predictions: sumOf(ofPredictions.known) },
      samples: ids.filter((_, row) => ofPredictions.broken[row] === 1).slice(0, NAMED),
    };
  });
}

function sumOf(mask: Uint8Array): number {
  return mask.reduce((sum, own) => sum + own, 0);
}
