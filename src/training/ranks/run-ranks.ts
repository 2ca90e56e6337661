/** @file The job over MPI that a run is trained by: what its ranks agree on before the first step, and how all stop at one. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { deserialize, serialize } from "node:v8";
import { at } from "../../arrays.js";
import type { Dataset } from "../../data/dataset.js";
import type { BackendInfo, BackendName } from "../../engine/backends/choose.js";
import type { Communicator } from "../../engine/replicas/mpi/communicator.js";
import type { CommonStop } from "../../engine/replicas/mpi/rank-shards.js";
import { TOTAL } from "../../analysis/evaluate.js";
import { ConfigError } from "../../errors.js";
import type { MetricPoint } from "../../tasks/evaluation.js";
import { packageVersion } from "../../platform/version.js";
import type { LoadedProject } from "../../project/resolve-project.js";
import type { Settings } from "../../project/settings.js";
import { runFiles } from "../../records/run-folder.js";

/** The ranks of a job, as the run of one of them sees them. */
export interface RunRanks {
  readonly communicator: Communicator;
  readonly common: CommonStop;
  /** Fires on all ranks after the same step. */
  readonly signal: AbortSignal;
}

/** @param local fires where this rank is asked to stop */
export function runRanks(communicator: Communicator, local: AbortSignal | undefined): RunRanks {
  const controller = new AbortController();
  return {
    communicator,
    common: { isAsked: () => local?.aborted === true, stop: () => controller.abort() },
    signal: controller.signal,
  };
}

/**
 * What the calls between the ranks have come to since the epoch before, per step: seconds within MPI, most of which may be
 * waiting for a slower rank, and bytes that this rank has sent.
 */
export function trafficPoints(
  { communicator }: RunRanks,
  steps: number,
  at: { readonly step: number; readonly epoch: number },
): MetricPoint[] {
  const { seconds, bytes } = communicator.takeTraffic();
  const wallTime = Date.now() / 1000;
  const point = (metricName: string, value: number): MetricPoint => ({
    ...{ split: "train", taskPath: TOTAL, metricName, value: value / Math.max(1, steps), wallTime },
    ...at,
  });
  return [point("mpi_seconds_per_step", seconds), point("mpi_bytes_per_step", bytes)];
}

/** What rank 0 has decided, and the others follow. */
export interface RunPlan {
  readonly settings: Settings;
  readonly backend: BackendName;
}

/** @param plan null: there is nothing to train */
export async function sharePlan({ communicator }: RunRanks, plan: RunPlan | null): Promise<void> {
  await communicator.cast(bytesOf(plan), 0);
}

/** @returns null where there is nothing to train */
export async function receivePlan({ communicator }: RunRanks): Promise<RunPlan | null> {
  return deserialize(await communicator.cast(null, 0)) as RunPlan | null;
}

/** What must be the same on all ranks, by what it is called in messages. */
type Facts = Readonly<Record<string, string>>;

export function factsOf(project: LoadedProject, dataset: Dataset, backend: BackendInfo): Facts {
  return {
    version: packageVersion(),
    "tables, pictures or texts": dataset.digest,
    "tasks, flow or inputs": digestOf(JSON.stringify([project.graph, project.inputs])),
    backend: `${backend.name} ${backend.version}`,
  };
}

/**
 * Compares what the ranks have before the first step.
 * @throws ConfigError that names the first rank with something else, on all ranks
 */
export async function assertAgreed({ communicator }: RunRanks, own: Facts): Promise<void> {
  const all = (await communicator.gather(bytesOf(own))).map((bytes) => deserialize(bytes) as Facts);
  const first = at(all, 0);
  for (const [rank, facts] of all.entries()) {
    const what = Object.keys(first).find((key) => facts[key] !== first[key]);
    if (what === undefined) continue;
    const isReadable = what === "backend" || what === "version";
    const told = isReadable ? `: ${facts[what]} instead of ${first[what]}` : "";
    throw new ConfigError(
      `${communicator.nameOf(rank)} differs from ${communicator.nameOf(0)} in its ${what}${told}. All ranks of a job need the same project and the same data: copy them, or put them on a file system that all see.`,
      { rank, host: at(communicator.hosts, rank), what },
    );
  }
}

/** The files of rank 0's run that the others go on from, by their path in its folder. */
type RunFolder = Readonly<Record<string, Uint8Array>>;

/** Gives the run's folder to the others: its documents, and the checkpoint that it goes on from. */
export async function shareRun({ communicator }: RunRanks, runDir: string, resumed: boolean): Promise<void> {
  const { config, graph, checkpoint } = runFiles(runDir);
  const last = checkpoint("last");
  const checkpoints = resumed && existsSync(last) ? filesBelow(last) : [];
  const folder: RunFolder = Object.fromEntries(
    [config, graph, ...checkpoints].map((file) => [relative(runDir, file), readFileSync(file)]),
  );
  await communicator.cast(bytesOf(folder), 0);
}

/** Receives the run's folder. @param runDir is filled with its files */
export async function receiveRun({ communicator }: RunRanks): Promise<(runDir: string) => void> {
  const folder = deserialize(await communicator.cast(null, 0)) as RunFolder;
  return (runDir) => {
    for (const [path, content] of Object.entries(folder)) {
      const file = join(runDir, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, content);
    }
  };
}

function filesBelow(dir: string): string[] {
  return readdirSync(dir, { withFileTypes: true, recursive: true }).flatMap((entry) =>
    entry.isFile() ? [join(entry.parentPath, entry.name)] : [],
  );
}

/** In memory of its own: MPI reads it in another thread. */
function bytesOf(value: unknown): Uint8Array {
  return new Uint8Array(serialize(value));
}

function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
