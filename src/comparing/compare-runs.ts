/** @file `cool compare runs`: what differs between runs, their metrics and curves side by side, from the store alone. */
import { existsSync } from "node:fs";
import type { ComparableRun, ConfigValue, FlatFacts } from "../analysis/comparison/comparable-run.js";
import { type Comparison, compareRuns as compare } from "../analysis/comparison/compare.js";
import { type ComparedCurve, compareCurves } from "../analysis/comparison/compare-curves.js";
import type { SampleComparison } from "../analysis/comparison/compare-samples.js";
import type { ComparedWithFirst } from "./compare-run-samples.js";
import { UsageError } from "../errors.js";
import type { RunRecord } from "../storage/run-record.js";
import type { RunStore } from "../storage/run-store.js";
import type { RunGroup as StoredGroup } from "../storage/tables/groups.js";
import { directionsOf, type MetricDirections } from "../analysis/comparison/directions.js";
import { lastValues, type ListedRun, listed } from "../records/list-runs.js";
import { runsOfReference } from "../storage/named-runs.js";
import { type RunGroup, seedOf } from "../analysis/comparison/compare-groups.js";
import { graphFile } from "../records/run-folder.js";
import { isTracked } from "../records/tracked-run.js";
import type { EvaluationRow } from "../tasks/evaluation.js";

export interface RunComparison extends Comparison {
  readonly runs: readonly ListedRun[];
  /** Present where curves were asked for. */
  readonly curves?: readonly ComparedCurve[];
  /** Present where two runs were compared sample by sample; null where that cannot be done. */
  readonly samples?: SampleComparison | null;
  /** Present where three runs or more were compared sample by sample, each with the first; null where that has no predictions. */
  readonly samples_against_first?: readonly ComparedWithFirst[] | null;
}

export interface CompareRunsOptions {
  /** Also facts that are the same in all runs; default false. */
  readonly all?: boolean;
  /** Whether three or more runs are grouped where they differ in their seed alone; default true. */
  readonly group?: boolean;
  /** Whether to read the curves; default false. */
  readonly curves?: boolean;
  /** Where no runs are named: a condition, and the newest so many; default 500 finished ones. */
  readonly where?: string | undefined;
  readonly limit?: number | undefined;
}

/** Runs that are read together without a word. */
export const MOST_RUNS = 500;

/**
 * @param references two runs, or groups of runs (folds of a cross-validation, trials of a sweep), or more: each group is
 *   compared as one; a single group: its runs with each other; none: the newest finished runs, oldest first
 * @throws UsageError, UnknownNameError
 */
export async function compareRuns(
  store: RunStore,
  references: readonly string[],
  options: CompareRunsOptions = {},
): Promise<RunComparison> {
  if (references.length > 0 && options.where !== undefined) {
    throw new UsageError("Either name runs one by one, or choose them with --where.", { where: options.where });
  }
  const groups = references.map((reference) => store.findGroup(reference));
  const named = references.map((reference, i) =>
    runsOfReference(store, reference, groups[i] ?? null).map((id) => store.getRun(id)),
  );
  const runs = references.length === 0 ? finishedRuns(store, options) : named.flat();
  if (references.length === 1 && runs.length === 1) {
    throw new UsageError("One run cannot be compared. Name a second one, or none for all finished runs.");
  }
  refuseRepeated(
    runs,
    references,
    named.flatMap((own, i) => own.map(() => references[i] ?? "")),
  );
  // of two runs the differences are wanted, whatever they differ in
  const group = (options.group ?? true) && runs.length > 2;
  const compared = await Promise.all(runs.map((run) => comparable(store, run)));
  const ofGroups = named.length > 1 ? namedGroups(groups, named, compared) : undefined;
  const directions: MetricDirections = Object.assign({}, ...compared.map((run) => run.directions));
  const curves = (): ComparedCurve[] =>
    compareCurves(
      runs.map(({ id }) => store.readMetrics(id)),
      directions,
    );
  return {
    runs: runs.map((run) => listed(store, run)),
    ...compare(compared, { all: options.all ?? false, group, groups: ofGroups }),
    ...(options.curves === true ? { curves: curves() } : {}),
  };
}

/** Facts about a run's backend, machine, system and versions. */
export function environmentFacts(store: RunStore, run: RunRecord): FlatFacts {
  return {
    backend: run.backend,
    backend_version: run.backendVersion,
    // for runs of which the store keeps no environment
    host: run.host,
    node: run.nodeVersion,
    "packages.dnn-cool": run.packageVersion,
    ...flat(store.readEnvironment(run.id)),
  };
}

/** Which source a run was made from. */
export function codeFacts(run: RunRecord): FlatFacts {
  return {
    git_commit: run.gitCommit,
    git_branch: run.gitBranch,
    git_dirty: run.gitDirty,
    source_digest: run.sourceDigest,
  };
}

/** Lists and empty objects are compared as JSON. */
export function flat(values: Readonly<Record<string, unknown>>): FlatFacts {
  return Object.fromEntries(
    Object.entries(values).map(([key, value]) => [
      key,
      typeof value === "object" && value !== null ? JSON.stringify(value) : (value as ConfigValue),
    ]),
  );
}

async function comparable(store: RunStore, run: RunRecord): Promise<ComparableRun> {
  const environment = environmentFacts(store, run);
  return {
    id: run.id,
    name: run.name,
    config: flat(store.readConfig(run.id)),
    environment,
    code: codeFacts(run),
    data: { data_digest: run.dataDigest },
    identity: identityFacts(run, environment),
    evaluation: evaluationOf(store, run),
    directions: await directionsOfRun(store, run),
  };
}

const UNKNOWN = { num_samples: 0, gates: "truth" } as const;

/** Of a run that another program trained the last values of its curves stand for metrics that it does not evaluate. */
function evaluationOf(store: RunStore, run: RunRecord): readonly EvaluationRow[] {
  const evaluation = store.readEvaluation(run.id);
  if (!isTracked(store.runDir(run.id))) return evaluation;
  const keyOf = ({ split, task_path, metric_name }: Pick<EvaluationRow, "split" | "task_path" | "metric_name">) =>
    [split, task_path, metric_name].join("\n");
  const known = new Set(evaluation.map(keyOf));
  const others = lastValues(store, run.id).filter((last) => !known.has(keyOf(last)));
  // on how many rows a value was measured only that program knows
  return [
    ...evaluation,
    ...others.map(({ step: _, value, ...metric }) => ({ ...metric, metric_res: value, ...UNKNOWN })),
  ];
}

/** Which way the metrics of a run's tasks get better, as its graph says. */
async function directionsOfRun(store: RunStore, run: RunRecord): Promise<MetricDirections> {
  const dir = store.runDir(run.id);
  if (!existsSync(graphFile(dir))) return {};
  // what checks documents takes a while to load
  const { readGraph } = await import("../records/run-documents.js");
  return directionsOf(readGraph(dir));
}

/**
 * What must be equal for runs to be repeats of one experiment: the source, whichever commit holds it, the data, the
 * backend and the versions of packages; not the machine, its load or the folder.
 */
function identityFacts(run: RunRecord, environment: FlatFacts): FlatFacts {
  const versions = Object.entries(environment).filter(
    ([key]) => VERSIONS.has(key) || key.startsWith("packages.") || key.startsWith("packages["),
  );
  return {
    project: run.project,
    source: run.sourceDigest ?? run.gitCommit,
    data: run.dataDigest,
    ...Object.fromEntries(versions),
  };
}

const VERSIONS = new Set(["backend", "backend_version", "node"]);

/** @param named the reference that each of the runs was named by */
function refuseRepeated(runs: readonly RunRecord[], references: readonly string[], named: readonly string[]): void {
  runs.forEach(({ id, name }, i) => {
    const earlier = runs.findIndex((run) => run.id === id);
    if (earlier === i) return;
    const [a, b] = [named[earlier] ?? name, named[i] ?? name];
    throw new UsageError(
      runs.length > references.length
        ? `"${a}" and "${b}" have a run in common, ${id} (${name}). Name others.`
        : `"${a}" and "${b}" are the same run, ${id} (${name}). Name another one.`,
      { run: id },
    );
  });
}

/** The references as groups, in their order; undefined where all of them are runs. */
function namedGroups(
  groups: readonly (StoredGroup | null)[],
  named: readonly (readonly RunRecord[])[],
  compared: readonly ComparableRun[],
): RunGroup[] | undefined {
  if (groups.every((group) => group === null)) return undefined;
  let first = 0;
  return named.map((own, i) => {
    const runs = own.map((_, place) => first + place);
    first += own.length;
    return { name: groups[i]?.name ?? own[0]?.name ?? "", runs, seeds: runs.map((run) => seedOf(compared[run])) };
  });
}

function finishedRuns(store: RunStore, { where, limit = MOST_RUNS }: CompareRunsOptions): RunRecord[] {
  const found = store.queryRuns({ where, states: ["finished"], limit });
  return found.map(({ run }) => run).reverse();
}
