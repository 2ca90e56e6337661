/** @file What constant answers a run has to beat, as its folder keeps them. */
import { existsSync } from "node:fs";
import { z } from "zod";
import type { Baselines } from "../analysis/baselines.js";
import type { FlowGraph } from "../flow/graph.js";
import { behaviourOf } from "../tasks/index.js";
import { checked } from "./run-documents.js";
import { brokenDocument, readJson, runFiles } from "./run-folder.js";

const baselines = z.record(
  z.string(),
  z.looseObject({
    constants: z.array(z.array(z.number())),
    best: z.record(z.string(), z.number().int().min(0)),
  }),
);

/**
 * Of a run from before there were baselines none.
 * @throws StoreError that names the file and the task, where they do not fit the graph
 */
export function readBaselines(runDir: string, graph: FlowGraph): Baselines {
  const file = runFiles(runDir).baselines;
  return existsSync(file) ? checkedBaselines(readJson(file), graph, file) : {};
}

/**
 * Baselines in a document that may come from anywhere.
 * @throws StoreError that names the file and the task, where they do not fit the graph
 */
export function checkedBaselines(document: unknown, graph: FlowGraph, file: string): Baselines {
  const found = checked<Baselines>(baselines, document, file);
  const specs = new Map(graph.tasks.map(({ path, spec }) => [path, spec]));
  for (const [path, { constants, best }] of Object.entries(found)) {
    const spec = specs.get(path);
    if (spec === undefined) throw brokenDocument(file, path, "the run has no such task");
    const width = behaviourOf(spec).logitWidth(spec);
    const other = constants.find((logits) => logits.length !== width);
    if (other !== undefined) {
      throw brokenDocument(file, path, `a constant has ${other.length} logits, and the task has ${width}`);
    }
    const beyond = Object.keys(best).find((metric) => (best[metric] ?? 0) >= constants.length);
    if (beyond !== undefined) throw brokenDocument(file, `${path}.best.${beyond}`, "there is no such constant");
  }
  return found;
}
