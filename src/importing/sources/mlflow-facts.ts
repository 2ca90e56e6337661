/** @file What MLflow keeps of a run, in a database or in files: its fields and tags as a run of ours. */
import { NO_FACTS, type RunFacts, type RunSink } from "../shape.js";
import { nested, tagText, typedText } from "../texts.js";

export interface MlflowRun {
  readonly id: string;
  readonly name: string | null;
  readonly experiment: string;
  /** RUNNING, SCHEDULED, FINISHED, FAILED or KILLED. */
  readonly status: string;
  /** Milliseconds since 1970. */
  readonly startTime: number | null;
  readonly endTime: number | null;
  readonly user: string | null;
  readonly params: readonly (readonly [key: string, value: string])[];
  readonly tags: readonly (readonly [key: string, value: string])[];
}

const STATES: ReadonlyMap<string, RunFacts["state"]> = new Map([
  ["FINISHED", "finished"],
  ["FAILED", "failed"],
  ["KILLED", "interrupted"],
]);
const OWN = "mlflow.";

/** @param nameOf the name of a run by its id, for the one that a nested run belongs to */
export function mlflowFacts(run: MlflowRun, nameOf: (id: string) => string, sink: RunSink): RunFacts {
  const tags = new Map(run.tags);
  const state = STATES.get(run.status) ?? "running";
  const environment: [string, unknown][] = run.user === null ? [] : [["user", run.user]];
  const kept: string[] = [];
  for (const [key, value] of run.tags) {
    if (READ_TAGS.has(key)) continue;
    const tag = key.startsWith(OWN) ? null : tagText(key, value);
    if (tag !== null) kept.push(tag);
    else environment.push([key.startsWith(OWN) ? key.slice(OWN.length) : key, value]);
  }
  const parent = tags.get("mlflow.parentRunId");
  if (parent !== undefined) kept.push(tagText("parent", nameOf(parent)) ?? "parent");
  for (const key of LOGGED_THINGS.keys()) {
    if (tags.has(key)) sink.leave(LOGGED_THINGS.get(key) ?? key, "kept as files of the run by MLflow");
  }
  return {
    ...NO_FACTS,
    name: run.name ?? tags.get("mlflow.runName") ?? run.id,
    project: run.experiment,
    ...{ state, error: state === "failed" ? "MLflow has it as failed." : null },
    startedAt: seconds(run.startTime),
    endedAt: seconds(run.endTime),
    config: nested(run.params.map(([key, value]) => [key, typedText(value)])),
    tags: kept,
    note: tags.get("mlflow.note.content") ?? null,
    commandLine: tags.get("mlflow.source.name") ?? null,
    gitCommit: tags.get("mlflow.source.git.commit") ?? null,
    gitBranch: tags.get("mlflow.source.git.branch") ?? null,
    environment: { mlflow: Object.fromEntries([["run_id", run.id], ...environment]) },
  };
}

/** Tags that have a place of their own. */
const READ_TAGS: ReadonlySet<string> = new Set([
  ...["mlflow.runName", "mlflow.note.content", "mlflow.source.name", "mlflow.source.git.commit"],
  ...["mlflow.source.git.branch", "mlflow.log-model.history", "mlflow.loggedArtifacts"],
]);
const LOGGED_THINGS: ReadonlyMap<string, string> = new Map([
  ["mlflow.log-model.history", "logged models"],
  ["mlflow.loggedArtifacts", "logged tables"],
]);

function seconds(milliseconds: number | null): number | null {
  return milliseconds === null ? null : milliseconds / 1000;
}

const SYSTEM = "system/";

/** Gives a point to the sink: MLflow keeps the load of the machine among the metrics. */
export function putMetric(
  sink: RunSink,
  key: string,
  value: number,
  place: { readonly step: number; readonly time: number },
): void {
  if (key.startsWith(SYSTEM)) sink.system(key.slice(SYSTEM.length), value, place);
  else sink.point(key, value, place);
}
