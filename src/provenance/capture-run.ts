/** @file What is captured with every run: its source and environment at the start, signs of life and load until its end. */
import { at } from "../arrays.js";
import type { LoggerGroup } from "../logging/logger-group.js";
import { type MetricPoint, SYSTEM_TASK } from "../tasks/evaluation.js";
import type { ConfigChange } from "../storage/tables/config-values.js";
import type { RunStore } from "../storage/run-store.js";
import { type CapturedSource, captureSource } from "./capture-source.js";
import { type SystemSample, startSystemMonitor } from "./capture-system.js";
import { type Environment, readEnvironment } from "./environment.js";
import type { LoadedProject } from "../project/resolve-project.js";

/** What a new run is made of. */
export interface Origin {
  readonly source: CapturedSource;
  readonly environment: Environment;
  readonly configChanges: Readonly<Record<string, ConfigChange>>;
}

/** @param flags settings that have a flag of their own; undefined ones were not given */
export async function captureOrigin(
  project: LoadedProject,
  storeDir: string,
  flags: { readonly epochs?: number | undefined; readonly seed?: number | undefined },
): Promise<Origin> {
  return {
    source: captureSource(project.projectDir, storeDir, project.modules),
    environment: await readEnvironment(),
    configChanges: configChanges(project.assignments, flags),
  };
}

function configChanges(
  assignments: readonly string[],
  flags: Readonly<Record<string, unknown>>,
): Record<string, ConfigChange> {
  const set = assignments.map((assignment): [string, ConfigChange] => [at(assignment.split("="), 0), "set"]);
  const flagged = Object.entries(flags)
    .filter(([, value]) => value !== undefined)
    .map(([name]): [string, ConfigChange] => [`train.${name}`, "flag"]);
  return Object.fromEntries([...set, ...flagged]);
}

const HEARTBEAT_MS = 5000;

/**
 * Tells the store every few seconds that the run lives, and whoever listens how busy the machine is. A store that cannot
 * be written now does not end the run.
 */
export function watchRun(store: RunStore, runId: string, runDir: string, loggers: LoggerGroup): { stop(): void } {
  const once = warnOnce(loggers);
  const heartbeat = setInterval(() => once(() => store.heartbeat(runId)), HEARTBEAT_MS);
  heartbeat.unref();
  // samples have a count of their own: many fall between two steps, or before the first one
  const last = store.lastMetrics(runId, { taskPath: SYSTEM_TASK }).map(({ step }) => step);
  let count = Math.max(-1, ...last);
  const monitor = startSystemMonitor(runDir, (sample) => {
    // its curves would make the folders of a store that was deleted anew
    if (store.missing(runId) !== null) return;
    count += 1;
    once(() => loggers.points(systemPoints(sample, count)));
  });
  return {
    stop() {
      clearInterval(heartbeat);
      once(() => monitor.stop());
    },
  };
}

function systemPoints(sample: SystemSample, step: number): MetricPoint[] {
  const wallTime = Date.now() / 1000;
  return Object.entries(sample).map(([metricName, value]) => ({
    split: "train",
    taskPath: SYSTEM_TASK,
    metricName,
    step,
    epoch: null,
    value,
    wallTime,
  }));
}

/** Runs work that may fail without harm; the first failure is told. */
function warnOnce(loggers: LoggerGroup): (work: () => void) => void {
  let hasFailed = false;
  return (work) => {
    try {
      work();
    } catch (error) {
      if (!hasFailed) loggers.warning(`The run's signs of life cannot be written: ${(error as Error).message}`);
      hasFailed = true;
    }
  };
}
