/** @file `cool interpret --importance`: what each column of a run's tables is worth to each of its tasks. */
import { type Importance, permutationImportance, type Shuffled } from "../../analysis/importance/importance.js";
import { scoreSplit, type ScoredSplit } from "../../analysis/score.js";
import { at, i32At } from "../../arrays.js";
import { selectLabels, selectOffsets } from "../../data/labels/select-labels.js";
import { ConfigError, DataError, UnknownNameError, UsageError } from "../../errors.js";
import type { Split } from "../../tasks/evaluation.js";
import { behaviourOf } from "../../tasks/index.js";
import { assertOwnProject } from "../audit/own-table.js";
import { withExternals } from "../external-sources.js";
import { openOwnTables, type PredictOptions } from "../open-inputs.js";
import type { RunAnswerer } from "../run-answerer.js";
import { type OpenRunOptions, predictedSplits, readScoredSplit, type StoredRun } from "../stored-run.js";
import { type ColumnPlace, permutableColumns, withPermuted } from "./permuted-inputs.js";

export interface ImportanceResult {
  readonly run: { readonly id: string; readonly name: string };
  readonly split: Split;
  /** Permutations of each column. */
  readonly repeats: number;
  readonly seed: number;
  /** Task by task in the order of the flow, the most important column first. */
  readonly importance: readonly Importance[];
  /** Inputs that stay with their rows: pictures and texts. */
  readonly kept_inputs: readonly string[];
  readonly warnings: readonly string[];
}

export interface ImportanceOptions extends OpenRunOptions, Pick<PredictOptions, "signal" | "onProgress"> {
  /** Path of one task; default: all. */
  readonly task?: string | undefined;
  /** Default: valid, else test, else train. */
  readonly split?: Split | undefined;
  /** Default: 5. */
  readonly repeats?: number | undefined;
  /** Default: 7. */
  readonly seed?: number | undefined;
  /** Columns that are permuted together, because they say the same. */
  readonly together?: readonly (readonly string[])[] | undefined;
}

/**
 * @param cacheDir where decoded pictures are kept
 * @throws UnknownNameError for a task or column, ConfigError where the run reads no column of numbers or categories,
 *   DataError where its tables are no longer there or lack rows
 */
export async function importanceOf(
  stored: StoredRun,
  answerer: RunAnswerer,
  options: ImportanceOptions & { readonly cacheDir: string },
): Promise<ImportanceResult> {
  const { graph, run, config } = stored;
  const { repeats = 5, seed = 7, signal, onProgress } = options;
  assertOwnProject(stored, options.project);
  const places = permutableColumns(config.inputs);
  assertMeasurable(stored, places);
  const columns = askedColumns(stored, places, options.together ?? []);
  const tasks = askedTasks(stored, options.task);
  const split = options.split ?? defaultSplit(stored);
  const scored = await readScoredSplit(stored, split);
  const dataset = await openOwnTables(stored, options);
  try {
    const rowOf = new Map(dataset.ids.map((id, row) => [id, row]));
    const inTables = placesOf(stored, scored, rowOf);
    const sources = await withExternals(dataset.inputs, inTables, stored, options);
    const answer = async (rows: Int32Array, shuffled: Shuffled | null): Promise<ScoredSplit> => {
      const own = rows.map((row) => i32At(inTables, row));
      const outputs = await answerer.outputs(shuffledSources(own, shuffled), own, { signal }, dataset);
      return scoreSplit(graph, { ...labelsOf(stored, scored, rows), outputs }, stored.thresholds);
    };
    const shuffledSources = (own: Int32Array, shuffled: Shuffled | null) => {
      if (shuffled === null) return sources;
      const from = Int32Array.from({ length: dataset.rows }, (_, row) => row);
      shuffled.from.forEach((row, i) => {
        from[i32At(own, i)] = i32At(inTables, row);
      });
      return withPermuted(
        sources,
        shuffled.columns.flatMap((name) => places.get(name) ?? []),
        from,
      );
    };
    const found = await permutationImportance({
      ...{ graph, scored, columns, repeats, seed, tasks, answer, signal },
      onProgress: (done, total) => onProgress?.("permuting columns", done, total),
    });
    return {
      run: { id: run.id, name: run.name },
      ...{ split, repeats, seed },
      importance: ranked(
        found,
        graph.tasks.map(({ path }) => path),
      ),
      kept_inputs: Object.entries(config.inputs).flatMap(([name, { kind }]) => (isPermuted(kind) ? [] : [name])),
      warnings: withoutRows(stored, scored, tasks),
    };
  } finally {
    dataset.close();
  }
}

const isPermuted = (kind: string): boolean => kind === "numeric" || kind === "categorical";

function assertMeasurable({ run, config }: StoredRun, places: ReadonlyMap<string, readonly ColumnPlace[]>): void {
  if (places.size > 0) return;
  const inputs = Object.entries(config.inputs).map(([name, { kind }]) => `${name} (${kind})`);
  throw new ConfigError(
    `Run ${run.id} (${run.name}) reads ${inputs.join(", ")} and no column of numbers or categories that could be permuted. Where in a picture an answer comes from is drawn by: cool explain IMAGE --why`,
    { run: run.id, inputs },
  );
}

function askedColumns(
  { run }: StoredRun,
  places: ReadonlyMap<string, readonly ColumnPlace[]>,
  together: readonly (readonly string[])[],
): (readonly string[])[] {
  const grouped = new Set<string>();
  for (const name of together.flat()) {
    if (!places.has(name)) {
      throw new UnknownNameError("column", name, [...places.keys()], `the inputs of run ${run.id}`, { exitCode: 2 });
    }
    if (grouped.has(name)) {
      throw new UsageError(`The column "${name}" is to be permuted together with others twice. Name it once.`, {
        name,
      });
    }
    grouped.add(name);
  }
  return [...together, ...[...places.keys()].filter((name) => !grouped.has(name)).map((name) => [name])];
}

function askedTasks({ graph, run }: StoredRun, task: string | undefined): string[] {
  const paths = graph.tasks.filter(({ spec }) => behaviourOf(spec).answeredBy === "network").map(({ path }) => path);
  if (task === undefined) return paths;
  if (paths.includes(task)) return [task];
  throw new UnknownNameError("task", task, paths, `run ${run.id}`, { exitCode: 2 });
}

/** What the network was trained on says least of what a column is worth. */
function defaultSplit({ dir }: StoredRun): Split {
  const known = predictedSplits(dir);
  return (["valid", "test", "train"] as const).find((split) => known.includes(split)) ?? "valid";
}

/** Where the split's rows stand in the tables now. */
function placesOf({ run }: StoredRun, { ids, split }: ScoredSplit, rowOf: ReadonlyMap<string, number>): Int32Array {
  const lost = ids.filter((id) => !rowOf.has(id));
  if (lost.length > 0) {
    throw new DataError(
      `${lost.length} of the ${ids.length} rows of ${split} of run ${run.id} (${run.name}) are no longer in its tables, such as ${lost[0]}. Bring them back, or train again.`,
      { run: run.id, split, rows: lost.slice(0, 20) },
    );
  }
  return Int32Array.from(ids, (id) => rowOf.get(id) ?? 0);
}

/** Labels of some rows of the split, as the run was evaluated with. */
function labelsOf({ graph }: StoredRun, scored: ScoredSplit, rows: Int32Array) {
  const { offsets = null } = scored;
  return {
    split: scored.split,
    ids: Array.from(rows, (row) => at(scored.ids, row)),
    labels: scored.tasks.map(({ labels }, i) => selectLabels(at(graph.tasks, i).spec, labels, rows, offsets)),
    offsets: offsets === null ? null : selectOffsets(offsets, rows),
  };
}

/** Of each task the largest first; undefined ones last. */
function ranked(found: readonly Importance[], paths: readonly string[]): Importance[] {
  const worth = ({ importance }: Importance): number => importance ?? Number.NEGATIVE_INFINITY;
  return paths.flatMap((path) =>
    found.filter(({ task_path }) => task_path === path).sort((a, b) => worth(b) - worth(a)),
  );
}

function withoutRows({ graph }: StoredRun, scored: ScoredSplit, tasks: readonly string[]): string[] {
  return graph.tasks
    .filter(({ path, index }) => tasks.includes(path) && !at(scored.tasks, index).lossMask.includes(1))
    .map(({ path }) => `${path}: no row of ${scored.split} is active and labelled, so that nothing is known of it`);
}
