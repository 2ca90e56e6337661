/** @file One run of a report. */
import { NO_PICTURES, storedPictures } from "../asking/sample-pictures.js";
import { FROM_ELSEWHERE } from "../asking/pictures/stored-images.js";
import type { RunningProject } from "../project/project-dir.js";
import type { RunRecord } from "../storage/run-record.js";
import type { RunStore } from "../storage/run-store.js";
import { behaviourOf, directionOfMetric, LOSS, metricNames } from "../tasks/index.js";
import type { SamplePicture as FoundPicture } from "../logging/panels/picture.js";
import { Allowance, type LeftOut, MOST_CANDIDATES, MOST_CELLS, MOST_CURVES, MOST_DETAILED_TASKS } from "./budget.js";
import { MOST_EVALUATION_ROWS, MOST_PICTURE_BYTES, MOST_POINTS, share } from "./budget.js";
import { readCurves, seriesOf } from "./curves.js";
import type { CalibrationReport, Curve, RunReport, SamplePicture, TaskReport } from "./document.js";
import { shownEvaluation } from "./evaluation.js";
import { environmentOf, logTailOf, overviewOf, settingsOf } from "./facts.js";
import { flowReport } from "./flow-report.js";
import { inTurns } from "./in-turns.js";
import { pictureOf } from "./pictures.js";
import { type ShownSamples, storedSamples } from "./samples.js";
import { type StoredParts, storedParts } from "./stored-parts.js";
import { detailsOf, type RunDetails, runDetails } from "./task-details.js";
import { yieldNow } from "./yield-now.js";

/** What the runs of one report share. */
export interface ReportContext {
  readonly store: RunStore;
  /** How many runs share the room. */
  readonly runs: number;
  /** Where pictures may lie, beside the folder that the run names. */
  readonly project: RunningProject | null;
  /** Whether pictures are wanted. */
  readonly pictures: boolean;
  readonly leftOut: LeftOut;
  readonly cells: Allowance;
  readonly pictureBytes: Allowance;
  readonly detailedTasks: Allowance;
  readonly signal: AbortSignal | undefined;
}

export function reportContext(
  given: Pick<ReportContext, "store" | "runs" | "project" | "pictures" | "leftOut" | "signal">,
): ReportContext {
  return {
    ...given,
    cells: new Allowance(MOST_CELLS),
    pictureBytes: new Allowance(MOST_PICTURE_BYTES),
    detailedTasks: new Allowance(MOST_DETAILED_TASKS),
  };
}

export async function runReport(run: RunRecord, context: ReportContext): Promise<RunReport> {
  const { store, leftOut, runs, signal } = context;
  await yieldNow(signal);
  const parts = storedParts(run, store.runDir(run.id), context.project);
  const details = await detailsIn(parts, context);
  const tasks = flowTasks(parts, details);
  const samples = details?.samples ?? (await samplesInStore(run, parts, context));
  const headlines = new Map(tasks.map(({ path, headline }) => [path, headline]));
  const curves = await curvesOf(run, headlines, context);
  return {
    overview: overviewOf(store, run),
    settings: settingsOf(store, run, leftOut),
    environment: environmentOf(store, run),
    flow: parts.graph === null ? null : flowReport(parts.graph),
    curves,
    evaluation: shownEvaluation(store.readEvaluation(run.id), headlines, {
      most: share(MOST_EVALUATION_ROWS, runs, { least: 100, most: MOST_EVALUATION_ROWS }),
      monitor: monitorOf(store, run),
      leftOut,
    }),
    tasks: [
      ...tasks.map((task) => ({ ...task, samples: samples?.byTask.get(task.path) ?? [] })),
      ...otherTasks(curves, headlines),
    ],
    contracts: details?.contracts ?? [],
    calibration: calibrationOf(store, run),
    pictures: await picturesOf(samples, context),
    log: logTailOf(store, run, runs),
    missing: parts.missing,
  };
}

async function detailsIn({ stored }: StoredParts, context: ReportContext): Promise<RunDetails | null> {
  if (stored === null) return null;
  const { cells, leftOut, signal, runs, detailedTasks } = context;
  if (!detailedTasks.take(stored.graph.tasks.length)) {
    leftOut.say(
      `Confusion matrices, reliability, thresholds and samples are those of the first runs, up to ${MOST_DETAILED_TASKS} tasks in all.`,
    );
    return null;
  }
  // of valid and test
  const questions =
    2 * runs * stored.graph.tasks.reduce((sum, { spec }) => sum + behaviourOf(spec).questions(spec).length, 0);
  const candidates = share(MOST_CANDIDATES, questions, { least: 20, most: 200 });
  return runDetails(stored, { cells, candidates, leftOut, signal });
}

/** Tasks of the flow; none of a run without one. */
function flowTasks({ graph }: StoredParts, details: RunDetails | null): TaskReport[] {
  const conditions = new Map(graph === null ? [] : flowReport(graph).nodes.map((node) => [node.path, node]));
  return (graph?.tasks ?? []).map(({ path, name, spec }) => ({
    ...{ path, name },
    kind: conditions.get(path)?.kind ?? null,
    condition: conditions.get(path)?.condition ?? null,
    headline: behaviourOf(spec).headlineMetric(spec),
    lower_is_better: metricNames(spec).filter((metric) => directionOfMetric(spec, metric) === false),
    ...detailsOf(details, path),
    samples: [],
  }));
}

/** What has curves and is no task of the flow: `_total`, the machine's load, and whatever another program named. */
function otherTasks(curves: readonly Curve[], known: ReadonlyMap<string, unknown>): TaskReport[] {
  const paths = [...new Set(curves.map(({ task_path }) => task_path))].filter((path) => !known.has(path));
  return paths.map((path) => ({
    ...{ path, name: path, kind: null, condition: null, headline: null },
    lower_is_better: [LOSS],
    ...{ confusion: [], reliability: [], thresholds: [], samples: [] },
  }));
}

async function curvesOf(
  run: RunRecord,
  headlines: ReadonlyMap<string, string | null>,
  { store, runs, leftOut, signal }: ReportContext,
): Promise<Curve[]> {
  const all = seriesOf(store, run, [...headlines.keys()]);
  const most = share(MOST_CURVES, runs, { least: 20, most: MOST_CURVES });
  if (all.length > most) {
    leftOut.say(
      `Of the curves, ${most} of ${all.length} of a run are shown, each task's loss and first metric before others: cool runs export-metrics has the rest.`,
    );
  }
  const monitor = monitorOf(store, run);
  const series = inTurns(all, most, ({ split, taskPath, metricName }) => {
    const byMetric = metricName === LOSS ? 0 : metricName === headlines.get(taskPath) ? 1 : 4;
    const isMonitor = `${taskPath}/${metricName}` === monitor;
    return { task: taskPath, rank: byMetric + (split === "train" ? 2 : 0), isFirst: isMonitor };
  });
  const points = share(MOST_POINTS, series.length * runs, { least: 12, most: 800 });
  return readCurves(store, run, series, points, signal);
}

/** The metric that tells which weights are kept, as `task/metric`. */
function monitorOf(store: RunStore, run: RunRecord): string {
  const monitor = store.readConfig(run.id)["train.monitor"];
  return typeof monitor === "string" ? monitor : `_total/${LOSS}`;
}

async function samplesInStore(
  run: RunRecord,
  { config, stored }: StoredParts,
  { store, project }: ReportContext,
): Promise<ShownSamples | null> {
  const rows = store.readInterpretation(run.id);
  if (rows.length === 0) return null;
  const gone = (): FoundPicture => ({ kind: "missing", reason: "is gone" });
  if (config === null || stored !== null) return storedSamples(rows, gone);
  const dir = store.runDir(run.id);
  const isOfPictures = Object.values(config.inputs).some(({ kind }) => kind === "image");
  // words are found by the row, which the store does not know
  return storedSamples(rows, isOfPictures ? await storedPictures({ config, dir, project, run }, "valid") : gone);
}

async function picturesOf(
  samples: ShownSamples | null,
  { pictures, pictureBytes, leftOut, signal }: ReportContext,
): Promise<Record<string, SamplePicture>> {
  const shown: [string, SamplePicture][] = [];
  for (const [sample, found] of samples?.found ?? []) {
    await yieldNow(signal);
    // rows of a table have no picture that could be missed
    if (found.kind === "missing" && found.reason === NO_PICTURES) continue;
    const isHidden = !pictures && found.kind === "file";
    if (pictures && found.kind === "missing" && found.reason === FROM_ELSEWHERE) {
      leftOut.say("Pictures of runs from elsewhere are left out: name the project that has them with --project.");
    }
    shown.push([
      sample,
      isHidden ? { kind: "missing", reason: "is not in this report" } : await pictureOf(found, pictureBytes, leftOut),
    ]);
  }
  return Object.fromEntries(shown);
}

function calibrationOf(store: RunStore, run: RunRecord): CalibrationReport | null {
  const rows = store.readCalibration(run.id);
  const [first] = rows;
  if (first === undefined) return null;
  return {
    method: first.method,
    rows: rows.map(({ split, taskPath, metricName, raw, calibrated, numSamples }) => ({
      ...{ split, task_path: taskPath, metric_name: metricName, raw, calibrated, num_samples: numSamples },
    })),
  };
}
