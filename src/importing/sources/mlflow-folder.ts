/** @file MLflow's tracking store in files (`mlruns`): a folder per experiment, with a folder per run. */
import { createHash } from "node:crypto";
import { existsSync, lstatSync, readdirSync, readFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { DataError } from "../../errors.js";
import { filesOf, sha256Of } from "../../records/run-files.js";
import { LineTail } from "../../tracking/command/line-tail.js";
import type { LeftOut, RunSink, Source, SourceRun } from "../shape.js";
import { numberOf } from "../texts.js";
import { tellArtifacts } from "./mlflow-artifacts.js";
import { type MlflowRun, mlflowFacts, putMetric } from "./mlflow-facts.js";
import { type FlatYaml, readFlatYaml } from "./flat-yaml.js";

const META = "meta.yaml";
/** Numbers of its enumeration of states. */
const STATUSES = ["", "RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"];
/** Folders of an experiment that are no runs. */
const NO_RUNS = new Set(["models", "traces", "tags", "datasets"]);

interface FoundRun {
  readonly dir: string;
  readonly experiment: string;
  readonly meta: FlatYaml;
}

/** Whether a folder is such a store: it has experiments, or is one. */
export function isMlruns(path: string): boolean {
  return existsSync(join(path, META)) || foldersIn(path).some((name) => existsSync(join(path, name, META)));
}

/** @throws DataError where there are no runs */
export function openMlruns(path: string): Source {
  const root = resolve(path);
  const experiments = existsSync(join(root, META)) ? [root] : foldersIn(root).map((name) => join(root, name));
  const left: LeftOut[] = [];
  const runs = experiments.flatMap((dir) => runsOf(dir, left));
  const trash = foldersIn(join(root, ".trash")).length;
  if (trash > 0) left.push({ what: "deleted experiments", count: trash, reason: "they are in MLflow's trash" });
  if (runs.length === 0) {
    throw new DataError(`${root} holds no runs of MLflow: no folder of an experiment with ${META} of runs.`, { root });
  }
  const names = new Map(runs.map(({ dir, meta }) => [basename(dir), meta.get("run_name") ?? basename(dir)]));
  return {
    ...{ kind: "mlflow", path: root, left: merged(left) },
    runs: runs.map((run) => sourceRun(run, (id) => names.get(id) ?? id)),
    understood: [`MLflow's folders of ${experiments.length} experiments with ${runs.length} runs`],
  };
}

function runsOf(experimentDir: string, left: LeftOut[]): FoundRun[] {
  const meta = metaOf(experimentDir);
  if (meta === null) return [];
  const experiment = meta.get("name") ?? basename(experimentDir);
  // the folder of a single run that the user names
  if (meta.has("run_id") || meta.has("run_uuid")) return [{ dir: experimentDir, experiment: "Default", meta }];
  return foldersIn(experimentDir).flatMap((name) => {
    const dir = join(experimentDir, name);
    const run = metaOf(dir);
    if (NO_RUNS.has(name) || run === null) {
      if (name === "models" || name === "traces")
        left.push({ what: `logged ${name}`, count: foldersIn(dir).length, reason: "the store has no place for them" });
      return [];
    }
    if (run.get("lifecycle_stage") === "deleted" || meta.get("lifecycle_stage") === "deleted") {
      left.push({ what: "deleted runs", count: 1, reason: "they are in MLflow's trash" });
      return [];
    }
    return [{ dir, experiment, meta: run }];
  });
}

function merged(left: readonly LeftOut[]): LeftOut[] {
  const whats = [...new Set(left.map(({ what }) => what))];
  return whats.flatMap((what) => {
    const own = left.filter((one) => one.what === what);
    const count = own.reduce((sum, one) => sum + one.count, 0);
    return own[0] === undefined || count === 0 ? [] : [{ ...own[0], count }];
  });
}

function metaOf(dir: string): FlatYaml | null {
  const file = join(dir, META);
  return lstatSync(file, { throwIfNoEntry: false })?.isFile() === true
    ? readFlatYaml(readFileSync(file, "utf8"))
    : null;
}

function sourceRun({ dir, experiment, meta }: FoundRun, nameOf: (id: string) => string): SourceRun {
  const id = meta.get("run_id") ?? meta.get("run_uuid") ?? basename(dir);
  const startTime = numberOrNull(meta.get("start_time"));
  const name = meta.get("run_name") ?? null;
  const run = (): MlflowRun => ({
    ...{ id, name, experiment, startTime, endTime: numberOrNull(meta.get("end_time")) },
    status: STATUSES[Number(meta.get("status"))] ?? meta.get("status") ?? "",
    user: meta.get("user_id") ?? null,
    params: textsIn(join(dir, "params")),
    tags: textsIn(join(dir, "tags")),
  });
  return {
    ...{ id, label: name ?? id, startedAt: startTime === null ? null : startTime / 1000 },
    digest() {
      const hash = createHash("sha256");
      for (const part of [META, "params", "tags", "metrics"]) {
        for (const path of filesIn(join(dir, part))) hash.update(`${path}\n${sha256Of(path)}\n`);
      }
      return hash.digest("hex");
    },
    read(sink) {
      for (const path of filesIn(join(dir, "metrics")))
        readMetric(sink, path, path.slice(join(dir, "metrics").length + 1));
      tellArtifacts(sink, dir, null, ["artifacts"]);
      return mlflowFacts(run(), nameOf, sink);
    },
  };
}

/** Lines of `milliseconds value step`, read twice rather than held: a file may be larger than the memory. */
function readMetric(sink: RunSink, file: string, key: string): void {
  const isNumbered = hasSteps(file);
  if (!isNumbered) sink.leave("steps of curves", "all are 0: their points are numbered by time instead");
  let number = 0;
  for (const point of pointsOf(file)) {
    if ("bad" in point) {
      sink.leave(`lines of ${JSON.stringify(key.slice(0, 60))}`, `line ${point.bad} has no time and value`);
      continue;
    }
    number += 1;
    const { time, value } = point;
    putMetric(sink, key, value, { step: isNumbered ? point.step : number, time });
  }
}

/** Whether a curve has steps, or but one point. */
function hasSteps(file: string): boolean {
  let points = 0;
  for (const point of pointsOf(file)) {
    if ("bad" in point) continue;
    if (point.step !== 0) return true;
    points += 1;
  }
  return points < 2;
}

function* pointsOf(file: string) {
  for (const { number, text } of new LineTail(file).read(true)) {
    if (text?.trim() === "") continue;
    const [time, value, step = "0"] = (text ?? "").trim().split(/\s+/);
    const [milliseconds, parsed] = [numberOf(time), numberOf(value)];
    if (milliseconds === undefined || parsed === undefined) yield { bad: number };
    else yield { step: Number(step), time: milliseconds / 1000, value: parsed };
  }
}

function textsIn(dir: string): [string, string][] {
  return filesIn(dir).map((path) => [path.slice(dir.length + 1), readFileSync(path, "utf8")]);
}

/** Whole paths: of a file itself, or of all below a folder; without links. */
function filesIn(path: string): string[] {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats?.isFile() === true) return [path];
  if (stats?.isDirectory() !== true) return [];
  return filesOf(path, () => {}).map((file) => join(path, file.path));
}

function foldersIn(path: string): string[] {
  if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) return [];
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith("."))
    .map(({ name }) => name)
    .sort();
}

function numberOrNull(text: string | undefined): number | null {
  const value = numberOf(text);
  return value === undefined || !Number.isFinite(value) ? null : value;
}
