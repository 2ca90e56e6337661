/** @file What trains a run's network, from where its last checkpoint stands, and writes its checkpoints. */
import type { Dataset } from "../../data/dataset.js";
import type { BatchAugmenter } from "../../engine/batches/augment.js";
import type { BatchAnswerer } from "../../engine/inference/answer-batches.js";
import type { Network } from "../../engine/model/network.js";
import type { ScheduleState } from "../../engine/model/training-state.js";
import type { Trainer } from "../../engine/optimization/trainer.js";
import { networkSpecs } from "../../engine/model/pretrained/external-part.js";
import { externalsOf } from "../../records/run-documents.js";
import { runFiles } from "../../records/run-folder.js";
import { assertPresent } from "../assert-present.js";
import { buildNetwork, recordStart } from "../fresh-network.js";
import { openFrozen } from "../frozen-features.js";
import { openTraining } from "../training-replicas.js";
import type { RunContext } from "../run-context.js";
import { stepConfig } from "../step-config.js";

/** Owns the network, the trainer and its replicas. */
export interface EpochEngine {
  /** What trains: all of the network, or what is behind a frozen trunk. */
  readonly network: Network;
  /** With the features of a frozen trunk among its inputs. */
  readonly dataset: Dataset;
  /** What its steps read of it. */
  readonly trained: Dataset;
  /** Changes batches of such features; null where there are none, or nothing is augmented. */
  readonly augment: BatchAugmenter | null;
  readonly trainer: Trainer;
  /** Passes batches without training; undefined: this thread does. */
  readonly answerer: BatchAnswerer | undefined;
  /** Of the checkpoint that the run goes on from; null for a run that begins. */
  readonly restored: ScheduleState | null;
  /** @throws StoreError where the checkpoint cannot be written, or the store is no longer there */
  save(name: "best" | "last", schedule: ScheduleState): Promise<void>;
  dispose(): Promise<void>;
}

export async function openEngine(context: RunContext): Promise<EpochEngine> {
  const [{ Trainer }, { openStepEngine }, { hasCheckpoint, loadNetwork, loadTrainingState, saveCheckpoint }] =
    await Promise.all([
      import("../../engine/optimization/trainer.js"),
      import("../../engine/step-graph/open-step-engine.js"),
      import("../../engine/model/checkpoint.js"),
    ]);
  const { project, settings, store, run, runDir, loggers } = context;
  const { batchSize, seed, taskWeighting, freeze = [] } = settings.train;
  const { checkpoint } = runFiles(runDir);
  // a run that ended before its first checkpoint begins again
  const resumed = context.resumed && hasCheckpoint(checkpoint("last"));
  const state = resumed ? loadTrainingState(checkpoint("last")) : undefined;
  const fresh = resumed ? null : await openFresh(context);
  const externals = externalsOf(runDir);
  const whole =
    fresh ??
    (await loadNetwork(checkpoint("last"), project.graph, networkSpecs(project.inputs, externals), { freeze }));
  const { train, valid } = context.dataset.splits;
  const rows = Int32Array.from([...(settings.data.augment === null ? train : []), ...valid]);
  const frozen = await openFrozen(context, whole, { rows, trained: train, externals }).catch((error: unknown) => {
    whole.dispose();
    throw error;
  });
  const network = frozen?.network ?? whole;
  const config = { ...(await stepConfig(settings.train, network)), batchSize, seed, taskWeighting };
  const replicas = await openTraining(context, network, state?.optimizer);
  const restored = state?.optimizer;
  const warn = (message: string): void => loggers.warning(message);
  const steps = replicas?.steps ?? (await openStepEngine(network, config, { restored, warn }));
  const trainer = new Trainer(network, config, state, steps);
  return {
    network,
    dataset: frozen?.dataset ?? context.dataset,
    trained: frozen?.trained ?? context.dataset,
    augment: frozen?.augment ?? null,
    trainer,
    answerer: replicas?.answerer,
    restored: state?.schedule ?? null,
    async save(name, schedule) {
      assertPresent(store, run.id);
      const training = name === "last" ? { ...(await trainer.snapshot()), schedule } : undefined;
      if (training === undefined) await steps.writeBack("averaged");
      frozen?.writeBack();
      await saveCheckpoint(checkpoint(name), whole, training);
    },
    async dispose() {
      await steps.dispose();
      await replicas?.close();
      await frozen?.close();
      whole.dispose();
    },
  };
}

async function openFresh({ project, settings, store, runDir, loggers }: RunContext): Promise<Network> {
  const fresh = await buildNetwork(project, settings.train, store);
  recordStart(fresh, { store, runDir, loggers, project });
  return fresh.network;
}
