/** @file A run whose trunk is frozen from its pictures or texts on: its features are cached, and only what is behind it runs. */
import { join } from "node:path";
import { mixingsOf } from "../data/augmentation/mixing.js";
import { i32At } from "../arrays.js";
import { type Dataset, type InputSource, isPixelSource, isTokenSource, type TokenSource } from "../data/dataset.js";
import type { BatchAugmenter } from "../engine/batches/augment.js";
import type { FeatureRows, Samples } from "../engine/features/feature-source.js";
import type { ExternalTrunk } from "../engine/features/external-trunk.js";
import type { FrozenTrunk, SplitNetwork } from "../engine/features/split-network.js";
import type { Externals } from "../engine/model/pretrained/external-part.js";
import type { Network } from "../engine/model/network.js";
import { ConfigError } from "../errors.js";
import { ContentCache } from "../platform/content-cache.js";
import type { RunContext } from "./run-context.js";

type FeatureContext = Pick<RunContext, "settings" | "dataset" | "store" | "loggers" | "signal" | "backend" | "project">;

/** A network that runs behind cached features. */
export interface FrozenFeatures {
  /** What trains. */
  readonly network: Network;
  /** With the features among its inputs. */
  readonly dataset: Dataset;
  /** The same for training: where pictures are augmented its features are empty, since `augment` puts others there. */
  readonly trained: Dataset;
  /** Changes batches of features where pictures are augmented; null where they are not. */
  readonly augment: BatchAugmenter | null;
  /** Brings the whole network up to date with what trains. */
  writeBack(): void;
  /** The whole network stays. */
  close(): Promise<void>;
}

export interface FrozenOptions {
  /** Rows that will be asked. */
  readonly rows: Int32Array;
  /** Rows that are trained on, and so augmented; none by default. */
  readonly trained?: Int32Array;
  /** Models that run beside the network and feed it. */
  readonly externals: Externals;
}

/**
 * Splits a network behind its frozen trunk and makes the features of some rows ready, and those of models that run
 * beside it.
 * @returns null where nothing is frozen, or its features are not to be cached
 * @throws ConfigError where a trunk answers what is not finite, or a model beside the network cannot be cached;
 * InterruptedError
 */
export async function openFrozen(
  context: FeatureContext,
  whole: Network,
  { rows, trained = new Int32Array(0), externals }: FrozenOptions,
): Promise<FrozenFeatures | null> {
  const views = viewsFor(context, trained, externals);
  const split = context.settings.train.featureCache === null || views === null ? null : await splitOf(context, whole);
  const beside = await openBeside(context, externals);
  const close = async (): Promise<void> => {
    split?.tail.dispose();
    for (const trunk of beside) await trunk.close();
  };
  const network = split?.tail ?? whole;
  const trunks = [...beside, ...(split?.trunks ?? [])];
  try {
    if (trunks.length === 0 || views === null) return null;
    const reason = whyNot(context, network, trunks, { rows, trained, views });
    if (reason !== null && beside.length > 0) throw new ConfigError(`The features of a model ${reason}`, {});
    if (reason !== null) {
      // once per run is enough
      if (trained.length > 0)
        context.loggers.warning(`The features of the frozen trunk are not cached: they ${reason}`);
      await close();
      return null;
    }
    assertUnmixed(context, views);
    const opened = await openSources(context, trunks, { rows, trained, views });
    return { ...opened, network, writeBack: () => split?.writeBack(), close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** How many changed copies of each picture train; null: new ones in every epoch, which cannot be cached. */
function viewsFor({ settings, dataset }: FeatureContext, trained: Int32Array, { parts }: Externals): number | null {
  if (trained.length === 0 || settings.data.augment === null) return 0;
  const views = settings.train.featureCache?.views ?? null;
  const part = parts.find(({ input }) => sourceOf(dataset, input).spec.kind === "image");
  if (views !== null || part === undefined) return views;
  throw new ConfigError(
    `data.augment changes pictures anew in every epoch, but the model ${part.model} runs beside the network and sees each picture once. Set train.featureCache.views, e.g. to 4: so many changed copies of each take turns.`,
    { model: part.model },
  );
}

/** @throws ConfigError where pictures would have to be mixed whose features are cached one by one */
function assertUnmixed({ settings: { data } }: FeatureContext, views: number): void {
  const mixings = data.augment === null || views === 0 ? [] : mixingsOf(data.augment);
  if (mixings.length === 0) return;
  const named = mixings.map((mixing) => `data.augment.${mixing}`).join(" and ");
  throw new ConfigError(
    `${named} makes one picture of two, but train.featureCache.views caches what the frozen trunk makes of each picture by itself. Leave out ${named}, or set train.featureCache to null: the trunk then runs in every step.`,
    { mixings },
  );
}

async function splitOf({ settings }: FeatureContext, whole: Network): Promise<SplitNetwork | null> {
  const { splitNetwork } = await import("../engine/features/split-network.js");
  return splitNetwork(whole, settings.train.freeze);
}

async function openBeside(
  { dataset, store, project }: FeatureContext,
  { parts }: Externals,
): Promise<readonly ExternalTrunk[]> {
  const opened: ExternalTrunk[] = [];
  for (const part of parts) {
    const { openExternal } = await import("../engine/features/external-trunk.js");
    opened.push(await openExternal(part, sourceOf(dataset, part.input).spec, store.dir, project.projectDir));
  }
  return opened;
}

/** Rows that will be asked, and of those that are trained on so many changed copies. */
interface Asked {
  readonly rows: Int32Array;
  readonly trained: Int32Array;
  readonly views: number;
}

async function openSources(
  context: FeatureContext,
  trunks: readonly FrozenTrunk[],
  { rows, trained, views }: Asked,
): Promise<Pick<FrozenFeatures, "dataset" | "trained" | "augment">> {
  const { dataset } = context;
  const sources = sourcesOf(trunks, await openRows(context, trunks, rows));
  const changed: (readonly FeatureRows[])[] = [];
  for (let view = 1; view <= views; view++) changed.push(await openRows(context, trunks, trained, view));
  const withInputs = (own: Record<string, InputSource>): Dataset => ({
    ...dataset,
    inputs: { ...dataset.inputs, ...own },
  });
  return {
    dataset: withInputs(sources),
    trained: withInputs(views === 0 ? sources : emptied(sources)),
    augment: views === 0 ? null : await viewsOf(context, trunks, changed),
  };
}

/** Of features that stay in memory, all together; more are read from the cache again and again. */
const MEMORY_BYTES = 2 ** 30;

const DEFAULTS = { precision: "float32", gigabytes: 10 } as const;

function whyNot(
  { settings, dataset }: FeatureContext,
  network: Network,
  trunks: readonly FrozenTrunk[],
  { rows, trained, views }: Asked,
): string | null {
  const { precision, gigabytes } = settings.train.featureCache ?? DEFAULTS;
  if (views > 0 && Object.values(network.inputs).some(({ kind }) => kind === "image")) {
    return "stand beside layers that train on the same augmented pictures. Freeze them, or leave out data.augment.";
  }
  const samples = rows.length + views * trained.length;
  const counts = trunks.map(({ width, perToken, input }) => {
    const source = sourceOf(dataset, input);
    return width * (perToken === true && isTokenSource(source) ? tokensIn(source, rows) : samples);
  });
  const numbers = counts.reduce((sum, count) => sum + count, 0);
  const needed = (numbers * (precision === "float16" ? 2 : 4)) / 2 ** 30;
  if (needed <= gigabytes) return null;
  return `are ${Math.round(numbers / samples)} numbers for each of ${samples} rows and take ${Number(needed.toPrecision(2))} GiB, but train.featureCache.gigabytes is ${gigabytes}. Raise it, take precision: "float16", or an output with fewer numbers; till then a frozen trunk runs in every step.`;
}

function tokensIn({ lengths }: TokenSource, rows: Int32Array): number {
  return rows.reduce((sum, row) => sum + Math.max(1, i32At(lengths, row)), 0);
}

/** One for each trunk. @param view which changed copy of the pictures; default: as they are */
async function openRows(
  { settings, dataset, store, loggers, signal, backend }: FeatureContext,
  trunks: readonly FrozenTrunk[],
  rows: Int32Array,
  view?: number,
): Promise<FeatureRows[]> {
  const { FeatureRows: Rows } = await import("../engine/features/feature-source.js");
  const { precision, gigabytes } = settings.train.featureCache ?? DEFAULTS;
  const cache = new ContentCache(join(store.dir, "cache", "features"), { maxBytes: gigabytes * 2 ** 30 });
  const copies = 1 + (settings.train.featureCache?.views ?? 0);
  const options = {
    ...{ precision, cache, backend: `${backend.name} ${backend.version}` },
    memoryBytes: MEMORY_BYTES / (copies * trunks.length),
  };
  const opened: FeatureRows[] = [];
  for (const trunk of trunks) {
    const samples = await samplesOf(dataset, settings, trunk, view);
    const features = new Rows(trunk, samples, options);
    const kind = samples.spec.kind === "image" ? "pictures" : "texts";
    const what = `features of the frozen trunk${view === undefined ? "" : `, view ${view}`}`;
    const computed = await features.fill(rows, {
      signal,
      onProgress: (done, total) => loggers.work({ what, done, total }),
    });
    if (computed > 0) {
      const each = trunk.perToken === true ? "each token" : "each";
      loggers.message(
        `frozen trunk: ${trunk.width} features of ${each} of ${rows.length} ${kind}${view === undefined ? "" : ` (view ${view})`}, ${computed} computed, the rest cached`,
      );
    }
    opened.push(features);
  }
  return opened;
}

function sourceOf({ inputs }: Dataset, input: string): InputSource {
  const source = inputs[input];
  if (source === undefined) throw new Error(`the input "${input}" is not there`);
  return source;
}

async function samplesOf(
  dataset: Dataset,
  settings: RunContext["settings"],
  { input }: FrozenTrunk,
  view: number | undefined,
): Promise<Samples> {
  const source = sourceOf(dataset, input);
  const { augment } = settings.data;
  if (view === undefined || augment === null || !isPixelSource(source)) return source;
  const { pictureAugmenter } = await import("../engine/batches/augment.js");
  const [height, width] = source.spec.size;
  const shape = { height, width, channels: source.spec.channels };
  const change = pictureAugmenter({ settings: augment, seed: settings.train.seed, shapes: { [input]: shape } });
  return {
    spec: source.spec,
    paths: source.paths,
    read(rows) {
      const pixels = source.read(rows);
      // in this thread it changes them in place
      void change(view, Int32Array.from(rows), { [input]: pixels });
      return pixels;
    },
  };
}

function sourcesOf(trunks: readonly FrozenTrunk[], rows: readonly FeatureRows[]): Record<string, InputSource> {
  return Object.fromEntries(
    trunks.flatMap(({ features }, i) =>
      features.flatMap((feature) => {
        const source = rows[i]?.source(feature);
        return source === undefined ? [] : [[feature.name, source] as const];
      }),
    ),
  );
}

function emptied(sources: Record<string, InputSource>): Record<string, InputSource> {
  return Object.fromEntries(
    Object.entries(sources).map(([name, source]) => [name, { ...source, read: () => new Float32Array(0) }]),
  );
}

/** Epoch after epoch, the next of the changed copies: its features, and the labels moved with it. */
async function viewsOf(
  { project, settings }: FeatureContext,
  trunks: readonly FrozenTrunk[],
  views: readonly (readonly FeatureRows[])[],
): Promise<BatchAugmenter | null> {
  const { augment } = settings.data;
  if (augment === null) return null;
  const { createBatchAugmenter } = await import("../engine/batches/augment.js");
  // no pictures: the features have been made of changed ones
  const moveLabels = createBatchAugmenter(project.graph, {}, augment, settings.train.seed);
  const sources = views.map((rows) => sourcesOf(trunks, rows));
  return async (epoch, rows, inputs, targets) => {
    const view = (epoch - 1) % sources.length;
    const moved = await moveLabels(view + 1, rows, inputs, targets);
    const features = Object.entries(sources[view] ?? {}).map(([name, source]) => [name, source.read(rows)] as const);
    return { ...moved, inputs: { ...moved.inputs, ...Object.fromEntries(features) } };
  };
}
