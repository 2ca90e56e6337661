/** @file The network that a run begins with: fresh weights, or those of an earlier run or a saved model. */
import { copyFileSync, existsSync, mkdirSync, renameSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { InputSpec } from "../data/dataset.js";
import { storedTokenizer, tokenizersOf } from "../data/tokenizers/stored-tokenizer.js";
import type { Network } from "../engine/model/network.js";
import type { BuiltWithModels, PretrainedPart } from "../engine/model/pretrained/build-network.js";
import { type ExternalPart, storedModel } from "../engine/model/pretrained/external-part.js";
import type { Transfer, WeightSource } from "../engine/model/transfer.js";
import { ConfigError, StoreError } from "../errors.js";
import { explained } from "../storage/database/store-errors.js";
import type { RunRecord } from "../storage/run-record.js";
import type { RunStore } from "../storage/run-store.js";
import type { LoadedProject } from "../project/resolve-project.js";
import { readGraph, readRunConfig } from "../records/run-documents.js";
import { assertLayers } from "../records/adopted/adopted-run.js";
import { assertTrained, latestTrained } from "../records/tracked-run.js";
import { type RunConfig, type RunTransfer, runFiles, writeJson } from "../records/run-folder.js";
import type { RunContext } from "./run-context.js";
import type { Settings } from "../project/settings.js";

export interface FreshNetwork {
  readonly network: Network;
  /** Saved models that its trunk holds. */
  readonly models: Omit<BuiltWithModels<Network>, "built">;
  readonly transfer: RunTransfer | null;
  /** Inputs that are not what they were to the weights taken over, or to a saved model. */
  readonly warnings: readonly string[];
}

type StartFrom = Settings["train"]["from"];

/**
 * Writes a run's id for its name or `latest`, so that going on with a run later means the same one.
 * @throws UnknownNameError where there is no such run
 */
export function resolveStart(from: StartFrom, store: RunStore): StartFrom {
  if (from === null || typeof from === "string") return from;
  return { run: startRun(store, from.run).id };
}

/** `latest` means a run that can be used. */
function startRun(store: RunStore, reference: string): RunRecord {
  const finished = reference === "latest" ? latestTrained(store) : undefined;
  const run = assertTrained(store, finished ?? store.findRun(reference));
  return assertLayers(store, run, "no weights can be taken from it");
}

/**
 * Builds the network of a project; the caller disposes it.
 * @param store may be null where `train.from` names no run
 * @throws ConfigError where trunk, `train.from`, `train.freeze` or `train.layerRates` cannot be followed
 */
export async function buildNetwork(
  { graph, inputs, trunk, projectDir }: LoadedProject,
  { seed, from = null, freeze = [], layerRates = {} }: Settings["train"],
  store: RunStore | null,
): Promise<FreshNetwork> {
  const [{ Network }, { buildWithModels }] = await Promise.all([
    import("../engine/model/network.js"),
    import("../engine/model/pretrained/build-network.js"),
  ]);
  const { built: network, ...models } = await buildWithModels(projectDir, (scope) =>
    Network.build(graph, scope.specs(inputs), scope.trunk(trunk), seed, { freeze }),
  );
  const { checkLayerRates } = await import("../engine/optimization/layer-rates.js");
  checkLayerRates(network, layerRates);
  const doubts = models.doubts;
  if (from === null) return { network, models, transfer: null, warnings: doubts };
  try {
    const source = await openSource(from, store, projectDir);
    const { transferWeights } = await import("../engine/model/transfer.js");
    const transfer = network.change((model) => transferWeights(model, graph, source));
    source.model.dispose();
    if (transfer.taken.length === 0) throw nothingFits(source.what, transfer);
    const warnings = changedInputs(source.inputs, inputs).map(
      (name) =>
        `The input "${name}" has other values than in ${source.what}: what its weights learned of each is mixed up.`,
    );
    return { network, models, transfer: { from: source.from, ...transfer }, warnings: [...doubts, ...warnings] };
  } catch (error) {
    network.dispose();
    throw error;
  }
}

interface OpenSource extends WeightSource {
  readonly from: string;
  /** In words. */
  readonly what: string;
  readonly inputs: Readonly<Record<string, InputSpec>>;
}

async function openSource(
  from: NonNullable<StartFrom>,
  store: RunStore | null,
  projectDir: string,
): Promise<OpenSource> {
  const { readLayersModel } = await import("../engine/model/transfer.js");
  if (typeof from === "string") {
    const file = resolve(projectDir, from);
    return { from, what: `the model ${from}`, model: await readLayersModel(file), graph: null, inputs: {} };
  }
  if (store === null) throw new StoreError(`There is no run store to take the run ${from.run} from.`, from);
  const run = startRun(store, from.run);
  const dir = store.runDir(run.id);
  const model = await readLayersModel(await checkpointOf(run, dir));
  const what = `run ${run.id} (${run.name})`;
  return { from: run.id, what, model, graph: readGraph(dir), inputs: readRunConfig(dir).inputs };
}

/** The best weights, or the last ones of a run that has not come to any best. */
async function checkpointOf(run: RunRecord, dir: string): Promise<string> {
  const { findCheckpoint } = await import("../engine/model/checkpoint.js");
  const files = runFiles(dir);
  const found = findCheckpoint(files.checkpoint("best")) ?? findCheckpoint(files.checkpoint("last"));
  if (found !== undefined) return found;
  throw new StoreError(
    `Run ${run.id} (${run.name}) has no checkpoint to start from: it is ${run.displayState}. Name another run.`,
    { run: run.id },
  );
}

function nothingFits(what: string, { fresh }: Transfer): ConfigError {
  return new ConfigError(
    `Nothing of ${what} fits this network: none of its layers has the place (or name) and the shapes of ${fresh.join(", ")}. Build the trunk of the same layers, or leave train.from out.`,
    { from: what, layers: fresh },
  );
}

/** Names of inputs whose ids mean something else than they did. */
function changedInputs(before: OpenSource["inputs"], now: OpenSource["inputs"]): string[] {
  const idsOf = (spec: InputSpec | undefined): string | null => {
    if (spec?.kind === "categorical") return JSON.stringify(spec.categories);
    return spec?.kind === "tokens" ? JSON.stringify(spec.tokenizer?.digest ?? spec.vocabulary) : null;
  };
  return Object.keys(now).filter((name) => before[name] !== undefined && idsOf(before[name]) !== idsOf(now[name]));
}

/** Tells what the weights are and writes it into the run's config.json. */
export function recordStart(
  { network, models, transfer, warnings }: FreshNetwork,
  { store, runDir, loggers, project }: Pick<RunContext, "store" | "runDir" | "loggers" | "project">,
): void {
  const { parts: pretrained, externals, files } = models;
  for (const part of externals.parts) keepModel(store.dir, part, files.get(part.digest));
  keepTokenizers(store.dir, project);
  const { layers, tasks, shared } = network.frozen;
  if (transfer !== null || pretrained.length > 0) {
    const config: RunConfig = {
      ...readRunConfig(runDir),
      ...(transfer === null ? {} : { transfer }),
      ...(pretrained.length === 0 ? {} : { pretrained }),
      ...(externals.parts.length === 0 ? {} : { externals }),
    };
    writeJson(runFiles(runDir).config, config);
  }
  for (const part of pretrained) loggers.message(describePart(part));
  if (transfer !== null) {
    const { taken, fresh, from } = transfer;
    loggers.message(
      `starts from ${from}: ${taken.length} of ${taken.length + fresh.length} layers taken (${names(taken.map(({ layer }) => layer))}); fresh: ${names(fresh)}`,
    );
  }
  for (const warning of warnings) loggers.warning(warning);
  if (layers.length + tasks.length === 0) return;
  const still = shared.length === 0 ? "" : `; ${names(shared)} go on training, as other features need them`;
  const [trained, all] = [sizeOf(network.trainable), network.model.countParams()];
  loggers.message(
    `frozen: layers ${names(layers)}; heads ${names(tasks)}${still}; ${trained} of ${all} parameters train`,
  );
}

/** Once in the store for all runs, by content. */
export function keepModel(
  storeDir: string,
  part: Pick<ExternalPart, "digest" | "format">,
  file: string | undefined,
): void {
  keepFile(storedModel(storeDir, part), file);
}

/** The same of what cuts a project's texts. */
export function keepTokenizers(storeDir: string, { inputs, projectDir }: LoadedProject): void {
  for (const { file, digest } of tokenizersOf(inputs)) {
    keepFile(storedTokenizer(storeDir, digest), resolve(projectDir, file));
  }
}

function keepFile(kept: string, file: string | undefined): void {
  if (file === undefined || existsSync(kept)) return;
  const writing = `${kept}.writing-${process.pid}`;
  explained(kept, () => {
    mkdirSync(dirname(kept), { recursive: true });
    copyFileSync(file, writing);
    renameSync(writing, kept);
  });
}

function sizeOf(variables: Network["trainable"]): number {
  return variables.reduce((sum, { size }) => sum + size, 0);
}

/** What a saved model brings into the network. */
function describePart({ model, output, digest, frozen, trained }: PretrainedPart): string {
  const state =
    trained.length === 0
      ? "frozen"
      : `${frozen.length} of its ${frozen.length + trained.length} layers with weights frozen`;
  return `pretrained: ${model} up to ${output} (sha256 ${digest.slice(0, 12)}), ${state}`;
}

const SHOWN = 20;

function names(all: readonly string[]): string {
  if (all.length === 0) return "none";
  const rest = all.length - SHOWN;
  return `${all.slice(0, SHOWN).join(", ")}${rest > 0 ? ` and ${rest} more` : ""}`;
}
