/**
 * @file A rank of a job besides the first: it trains as the first does, on its own rows of every batch, and keeps nothing.
 * What a run needs of a store it has in a folder of its own, which goes when the run ends.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { specsOf } from "../../data/dataset.js";
import type { Device } from "../../engine/backends/device.js";
import { LoggerGroup } from "../../logging/logger-group.js";
import type { LoadedProject } from "../../project/resolve-project.js";
import { fittedProject } from "../fitted-project.js";
import { openRunStore } from "../../storage/run-store.js";
import { trainEpochs } from "../epochs/train-epochs.js";
import { openDataset } from "../open-dataset.js";
import { assertAgreed, factsOf, receiveRun, type RunRanks, receivePlan } from "./run-ranks.js";

export interface FollowOptions {
  readonly ranks: RunRanks;
  /** Folder of the run store of this machine, whose cache of decoded pictures is used. */
  readonly storeDir: string;
  readonly device: Device | null;
  readonly signal: AbortSignal | undefined;
}

/**
 * Trains until the first rank has no more to train.
 * @throws InterruptedError where all ranks stop; what else goes wrong, which ends the job
 */
export async function followRun(
  given: LoadedProject,
  { ranks, storeDir, device, signal }: FollowOptions,
): Promise<void> {
  const plan = await receivePlan(ranks);
  if (plan === null) return;
  const { settings, backend: name } = plan;
  const loggers = new LoggerGroup([]);
  const dataset = await openDataset(given, settings, storeDir, loggers, signal);
  const scratch = mkdtempSync(join(tmpdir(), "cool-rank-"));
  const store = openRunStore(scratch);
  try {
    const inputs = specsOf(dataset.inputs);
    const project = fittedProject(given, inputs, dataset);
    const { openBackend } = await import("../../engine/backends/choose.js");
    const backend = await openBackend(name, { device, projectDir: project.projectDir });
    await assertAgreed(ranks, factsOf(project, dataset, backend));
    const fill = await receiveRun(ranks);
    const run = store.createRun({ project: project.name, epochs: settings.train.epochs }, fill);
    // where it began is in the weights that the first rank gives
    const train = { ...settings.train, from: null };
    const context = {
      ...{ project, settings: { ...settings, train }, dataset, store, run, loggers, backend, ranks },
      ...{ runDir: store.runDir(run.id), signal: ranks.signal, resumed: true },
    };
    await trainEpochs(context, async () => {});
  } finally {
    dataset.close();
    store.close();
    rmSync(scratch, { recursive: true, force: true });
  }
}
