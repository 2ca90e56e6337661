/** @file A run whose trunk is frozen from the pictures on: its features are cached, and only what is behind it runs. */
import { join } from "node:path";
import { type Dataset, type InputSource, isPixelSource } from "../data/dataset.js";
import type { BatchAugmenter } from "../engine/batches/augment.js";
import type { FeatureRows, Pictures } from "../engine/features/feature-source.js";
import type { FrozenTrunk, SplitNetwork } from "../engine/features/split-network.js";
import type { Network } from "../engine/model/network.js";
import { ContentCache } from "../platform/content-cache.js";
import type { RunContext } from "./run-context.js";

type FeatureContext = Pick<RunContext, "settings" | "dataset" | "store" | "loggers" | "signal" | "backend" | "project">;

/** A network that runs behind cached features. */
export interface FrozenFeatures extends SplitNetwork {
  /** With the features among its inputs. */
  readonly dataset: Dataset;
  /** The same for training: where pictures are augmented its features are empty, since `augment` puts others there. */
  readonly trained: Dataset;
  /** Changes batches of features where pictures are augmented; null where they are not. */
  readonly augment: BatchAugmenter | null;
}

export interface FrozenOptions {
  /** Rows that will be asked. */
  readonly rows: Int32Array;
  /** Rows that are trained on, and so augmented; none by default. */
  readonly trained?: Int32Array;
}

/**
 * Splits a network behind its frozen trunk and makes the features of some rows ready.
 * @returns null where nothing is frozen, or its features are not to be cached
 * @throws ConfigError where the trunk answers what is not finite; InterruptedError
 */
export async function openFrozen(
  context: FeatureContext,
  whole: Network,
  { rows, trained = new Int32Array(0) }: FrozenOptions,
): Promise<FrozenFeatures | null> {
  const { settings, dataset, loggers } = context;
  const { featureCache, freeze } = settings.train;
  if (featureCache === null) return null;
  const views = trained.length > 0 && settings.data.augment !== null ? featureCache.views : 0;
  if (views === null) return null;
  const { splitNetwork } = await import("../engine/features/split-network.js");
  const split = splitNetwork(whole, freeze);
  if (split === null) return null;
  const reason = whyNot(context, split, rows.length + views * trained.length, views > 0);
  if (reason !== null) {
    // once per run is enough
    if (trained.length > 0) loggers.warning(`The features of the frozen trunk are not cached: ${reason}`);
    split.tail.dispose();
    return null;
  }
  try {
    const plain = await openRows(context, split, rows);
    const changed: (readonly FeatureRows[])[] = [];
    for (let view = 1; view <= views; view++) changed.push(await openRows(context, split, trained, view));
    const withInputs = (sources: Record<string, InputSource>): Dataset => ({
      ...dataset,
      inputs: { ...dataset.inputs, ...sources },
    });
    const sources = sourcesOf(split.trunks, plain);
    return {
      ...split,
      dataset: withInputs(sources),
      trained: withInputs(views === 0 ? sources : emptied(sources)),
      augment: views === 0 ? null : await viewsOf(context, split, changed),
    };
  } catch (error) {
    split.tail.dispose();
    throw error;
  }
}

function whyNot(
  { settings }: FeatureContext,
  { trunks, tail }: SplitNetwork,
  pictures: number,
  augments: boolean,
): string | null {
  const { precision, gigabytes } = settings.train.featureCache ?? { precision: "float32", gigabytes: 0 };
  if (augments && Object.values(tail.inputs).some(({ kind }) => kind === "image")) {
    return "layers that train read the same augmented pictures. Freeze them, or leave out train.featureCache.views.";
  }
  const numbers = trunks.reduce((sum, { width }) => sum + width, 0);
  const needed = (pictures * numbers * (precision === "float16" ? 2 : 4)) / 2 ** 30;
  if (needed <= gigabytes) return null;
  return `${numbers} numbers for each of ${pictures} pictures take ${Number(needed.toPrecision(2))} GiB, and train.featureCache.gigabytes is ${gigabytes}. The trunk runs in every step; raise the limit, take precision: "float16", or freeze up to a smaller layer.`;
}

/** One for each trunk. @param view which changed copy of the pictures; default: as they are */
async function openRows(
  { settings, dataset, store, loggers, signal, backend }: FeatureContext,
  { trunks }: SplitNetwork,
  rows: Int32Array,
  view?: number,
): Promise<FeatureRows[]> {
  const { FeatureRows: Rows } = await import("../engine/features/feature-source.js");
  const { precision, gigabytes } = settings.train.featureCache ?? { precision: "float32", gigabytes: 0 };
  const cache = new ContentCache(join(store.dir, "cache", "features"), { maxBytes: gigabytes * 2 ** 30 });
  const opened: FeatureRows[] = [];
  for (const trunk of trunks) {
    const pictures = await picturesOf(dataset, settings, trunk, view);
    const features = new Rows(trunk, pictures, { precision, cache, backend: `${backend.name} ${backend.version}` });
    const what = `features of the frozen trunk${view === undefined ? "" : `, view ${view}`}`;
    const computed = await features.fill(rows, {
      signal,
      onProgress: (done, total) => loggers.work({ what, done, total }),
    });
    if (computed > 0) {
      loggers.message(
        `frozen trunk: ${trunk.width} features of each of ${rows.length} pictures${view === undefined ? "" : ` (view ${view})`}, ${computed} computed, the rest cached`,
      );
    }
    opened.push(features);
  }
  return opened;
}

async function picturesOf(
  { inputs }: Dataset,
  settings: RunContext["settings"],
  { input }: FrozenTrunk,
  view: number | undefined,
): Promise<Pictures> {
  const source = inputs[input];
  if (source === undefined || !isPixelSource(source)) throw new Error(`the input "${input}" has no pictures`);
  const { augment } = settings.data;
  if (view === undefined || augment === null) return source;
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
  { trunks }: SplitNetwork,
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
    return { ...moved, ...Object.fromEntries(features) };
  };
}
