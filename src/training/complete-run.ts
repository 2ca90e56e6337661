/** @file After training: tune on valid, evaluate all splits, keep predictions and the best and worst samples. */
import { createHash } from "node:crypto";
import { createReadStream, existsSync, readdirSync, statSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { evaluateSplit, totalLoss } from "../analysis/evaluate.js";
import { bestAndWorst, type TaskInterpretation } from "../analysis/interpret.js";
import { type ScoredSplit, scoreSplit, withThresholds } from "../analysis/score.js";
import { type Tuning, tuneThresholds } from "../analysis/tune.js";
import { firstTokens, type InputSpec } from "../data/dataset.js";
import type { FlowGraph } from "../flow/graph.js";
import type { Artifact } from "../storage/tables/artifacts.js";
import type { RunStore } from "../storage/run-store.js";
import { type EvaluationRow, SPLITS } from "../tasks/evaluation.js";
import type { Thresholds } from "../tasks/index.js";
import { onDemandMetricsOf } from "../project/metrics.js";
import { outputsOf } from "../asking/outputs.js";
import { writePredictions } from "../records/predictions.js";
import { withForwarder } from "./replicas.js";
import { runFiles, writeJson } from "../records/run-folder.js";
import { writeWords } from "../records/stored-words.js";
import { defaultThresholds, type ThresholdsByPath, thresholdsByPath } from "../records/thresholds.js";
import { evaluateMasked, predictRows } from "./train-epochs.js";
import type { RunContext } from "./train-run.js";

/** @param step steps that training took, where the final values are placed on the curves */
export async function completeRun(
  context: RunContext,
  inputs: Readonly<Record<string, InputSpec>>,
  step: number,
): Promise<{ readonly thresholds: ThresholdsByPath; readonly evaluation: readonly EvaluationRow[] }> {
  const { project, settings, store, run, runDir, loggers } = context;
  const { graph } = project;
  const { scored: untuned, guessed } = await scoreSplits(context, inputs);
  const tuning = tuneOnValid(graph, untuned, settings.tune.metric);
  for (const { task_path, label, warning } of tuning.reports) {
    if (warning !== undefined) loggers.warning(`${task_path}${label === null ? "" : ` (${label})`}: ${warning}`);
  }
  const scored = untuned.map((split) => withThresholds(graph, split, tuning.thresholds));
  const evaluation = evaluateSplits(graph, scored, guessed, onDemandMetricsOf(settings));
  const thresholds = keepThresholds(store, run.id, runDir, graph, tuning.thresholds, settings.tune.metric);
  const tokens = firstTokens(context.dataset.inputs);
  for (const split of scored) {
    await writePredictions(runFiles(runDir).predictions(split.split), split);
    if (tokens === undefined) continue;
    await writeWords(runFiles(runDir).words(split.split), tokens, context.dataset.splits[split.split]);
  }
  store.replaceEvaluation(run.id, evaluation);
  for (const split of scored) {
    store.replaceInterpretation(run.id, split.split, interpretedSamples(bestAndWorst(graph, split, settings.log.top)));
  }
  loggers.evaluation(evaluation, step);
  for (const split of scored) await loggers.scored({ scored: split, step, after: "final" });
  store.recordArtifacts(run.id, await digestFiles(runDir));
  return { thresholds, evaluation };
}

/**
 * Outputs of the best checkpoint on every split that has rows, with default thresholds, and how well masked tokens are
 * guessed, where that is asked for.
 */
async function scoreSplits(
  context: RunContext,
  inputs: Readonly<Record<string, InputSpec>>,
): Promise<{ readonly scored: ScoredSplit[]; readonly guessed: EvaluationRow[] }> {
  const { project, dataset, runDir } = context;
  const { graph } = project;
  const { loadNetwork } = await import("../engine/model/checkpoint.js");
  const network = await loadNetwork(runFiles(runDir).checkpoint("best"), graph, inputs);
  try {
    const { replicas: choice, batchSize } = context.settings.train;
    const needs = {
      choice,
      backend: context.backend,
      batchSize,
      projectDir: project.projectDir,
      configFile: project.configFile,
    };
    return await withForwarder(network, needs, async (forwarder) => {
      const scored: ScoredSplit[] = [];
      const guessed: EvaluationRow[] = [];
      for (const split of SPLITS) {
        const rows = dataset.splits[split];
        if (rows.length === 0) continue;
        const logits = await predictRows(context, network, rows, { what: `evaluating on ${split}`, forwarder });
        scored.push(scoreSplit(graph, await outputsOf(dataset, graph, split, rows, logits), defaultThresholds(graph)));
        guessed.push(...(await evaluateMasked(context, network, split, forwarder)));
      }
      return { scored, guessed };
    });
  } finally {
    network.dispose();
  }
}

function tuneOnValid(graph: FlowGraph, scored: readonly ScoredSplit[], metric: string): Tuning {
  const valid = scored.find(({ split }) => split === "valid");
  return valid === undefined
    ? { thresholds: defaultThresholds(graph), reports: [] }
    : tuneThresholds(graph, valid, metric);
}

/**
 * Rows of all splits, each with its total.
 * @param guessed rows about masked tokens, which no scored split can tell again
 * @param further metrics that are computed on demand
 */
export function evaluateSplits(
  graph: FlowGraph,
  scored: readonly ScoredSplit[],
  guessed: readonly EvaluationRow[] = [],
  further: readonly string[] = [],
): EvaluationRow[] {
  return scored.flatMap((split) => {
    const own = evaluateSplit(graph, split, undefined, further);
    const rows = [...own, ...guessed.filter((row) => row.split === split.split)];
    return [...rows, totalLoss(graph, rows, "truth"), totalLoss(graph, rows, "predicted")];
  });
}

/** Writes thresholds to the run's folder and to the store. */
export function keepThresholds(
  store: RunStore,
  runId: string,
  runDir: string,
  graph: FlowGraph,
  thresholds: readonly Thresholds[],
  metric: string,
): ThresholdsByPath {
  const byPath = thresholdsByPath(graph, thresholds);
  writeJson(runFiles(runDir).thresholds, byPath);
  store.replaceThresholds(
    runId,
    metric,
    graph.tasks.flatMap(({ path, spec }, i) =>
      (thresholds[i] as Thresholds).map((value, labelIndex) => ({
        taskPath: path,
        labelIndex,
        label: spec.kind === "multilabel" ? (spec.labels[labelIndex] ?? null) : null,
        value,
      })),
    ),
  );
  return byPath;
}

export function interpretedSamples(tasks: readonly TaskInterpretation[]) {
  return tasks.flatMap(({ task_path, best, worst }) =>
    Object.entries({ best, worst }).flatMap(([side, samples]) =>
      samples.map(({ id, loss, label, prediction }, rank) => ({
        taskPath: task_path,
        side: side as "best" | "worst",
        rank,
        sample: id,
        loss,
        label,
        prediction,
      })),
    ),
  );
}

// event files and the log go on growing after this; the rest is final
const GROWING = new Set<string>([...SPLITS, "system", "stdout.log"]);

/** Sizes and sha256 of the run's final files. */
export async function digestFiles(runDir: string): Promise<Artifact[]> {
  if (!existsSync(runDir)) return [];
  const files = readdirSync(runDir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => {
      const [first = ""] = relative(runDir, file).split(sep);
      return !GROWING.has(first) && !first.startsWith("events.out.tfevents.");
    });
  return Promise.all(
    files.sort().map(async (file) => {
      const hash = createHash("sha256");
      for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
      return {
        path: relative(runDir, file).split(sep).join("/"),
        bytes: statSync(file).size,
        sha256: hash.digest("hex"),
      };
    }),
  );
}
