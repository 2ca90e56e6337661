/** @file `cool serve`: a model behind HTTP, with workers that answer batches. */
import { refusePixels } from "../asking/pixels/per-pixel.js";
import { availableParallelism } from "node:os";
import { loadDecoder } from "../data/inputs/sharp.js";
import { UsageError } from "../errors.js";
import type { AccessEntry } from "../http/app.js";
import { ByteBudget } from "../http/body.js";
import { isLoopback } from "../http/hosts.js";
import { assertFree, listen } from "../http/server.js";
import { behaviourOf } from "../tasks/index.js";
import { ModelMetrics } from "./api/model-metrics.js";
import { createModelApp } from "./api/routes.js";
import { Batcher } from "./batching/batcher.js";
import { type FindOptions, findModel } from "./model/find-model.js";
import type { ServedModel } from "./model/served-model.js";
import { linksOf, type OpenLink } from "./workers/links.js";
import type { SentAnswer, WorkerRow } from "./workers/messages.js";
import { WorkerPool } from "./workers/pool.js";

export interface ServeOptions extends FindOptions {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  readonly token: string | null;
  readonly maxBatch: number;
  readonly maxDelayMs: number;
  readonly maxBodyBytes: number;
  /** Of one picture. */
  readonly maxPixels: number;
  readonly timeoutMs: number;
  /** Default: see {@link defaultWorkers}. */
  readonly workers?: number | undefined;
  /** Origins whose pages may ask. */
  readonly origins: readonly string[];
  /** Names by which it may be asked. */
  readonly hosts: readonly string[];
  readonly onAnswer: (entry: AccessEntry) => void;
  /** Is told what else happens, in a line. */
  readonly onNote: (line: string) => void;
  /** What workers live in; another one in tests. */
  readonly openLink?: OpenLink;
}

/** A model that is being served. */
export interface Serving {
  readonly url: string;
  readonly model: ServedModel;
  readonly workers: number;
  /** What computes. */
  readonly runtime: string;
  /** Requests that were answered, and rows. */
  readonly counts: { readonly requests: number; readonly rows: number };
  /**
   * Takes no more requests and finishes those under way.
   * @returns whether all were answered within `timeoutMs`
   */
  close(): Promise<boolean>;
}

/** Rows that wait, and rows of one request. */
const MAX_WAITING = 1024;
/** Memory of all bodies at a time, at least. */
const BODIES_BYTES = 256 * 2 ** 20;
const MOST_WORKERS = 8;

/** @throws UsageError for an address that cannot be served on; whatever keeps the model from opening */
export async function serveModel(reference: string, options: ServeOptions): Promise<Serving> {
  refuseOpenDoor(options);
  const model = await findModel(reference, options);
  refusePixels(
    model.graph,
    "a server answers with one row of numbers for each input: cool predict --out writes its masks",
  );
  // models take long to open
  await assertFree(options);
  // once here before threads load it, which would else take it along when they end
  if (Object.values(model.inputs).some(({ kind }) => kind === "image")) await loadDecoder();
  const workers = options.workers ?? defaultWorkers(model);
  const pool = await WorkerPool.open({
    count: workers,
    openLink: options.openLink ?? linksOf(model.copies.transport),
    request: {
      kind: "open",
      source: model.source,
      inputs: model.inputs,
      tokenizers: model.tokenizers,
      maxPixels: options.maxPixels,
      known: model.graph.tasks.filter(({ spec }) => behaviourOf(spec).answeredBy === "table").map(({ path }) => path),
      threads: Math.max(1, Math.floor(availableParallelism() / workers)),
    },
    batchMs: 2 * options.timeoutMs,
    onNote: options.onNote,
  });
  try {
    return await open(model, pool, workers, options);
  } catch (error) {
    await pool.close();
    throw error;
  }
}

async function open(model: ServedModel, pool: WorkerPool, workers: number, options: ServeOptions): Promise<Serving> {
  const counts = { requests: 0, rows: 0 };
  let isStopping = false;
  const metrics: ModelMetrics = new ModelMetrics(model, () => ({
    waiting: batcher.waiting,
    ...{ ready: pool.ready, busy: pool.busy, lost: pool.lost, runtime: pool.runtime },
  }));
  const batcher = new Batcher<WorkerRow, SentAnswer>(pool, {
    maxBatch: options.maxBatch,
    maxDelayMs: options.maxDelayMs,
    maxWaiting: MAX_WAITING,
    onBatch: (rows, waitedMs) => metrics.batch(rows, waitedMs),
  });
  const app = createModelApp({
    model,
    batcher,
    metrics,
    hosts: isLoopback(options.host) ? options.hosts : [options.host, ...options.hosts],
    token: options.token,
    origins: options.origins,
    limits: {
      bytes: options.maxBodyBytes,
      budget: new ByteBudget(Math.max(BODIES_BYTES, 2 * options.maxBodyBytes)),
    },
    maxRows: MAX_WAITING,
    maxPixels: options.maxPixels,
    timeoutMs: options.timeoutMs,
    state: () => ({ status: isStopping ? "stopping" : pool.ready > 0 ? "ok" : "starting", workers: pool.ready }),
    onAnswer(entry) {
      counts.requests++;
      if (typeof entry.rows === "number" && entry.status === 200) counts.rows += entry.rows;
      options.onAnswer(entry);
    },
    onFailure: (error) => options.onNote(error instanceof Error ? (error.stack ?? error.message) : String(error)),
  });
  const listening = await listen(app, { host: options.host, port: options.port, timeoutMs: options.timeoutMs });
  return {
    url: listening.url,
    model,
    workers,
    runtime: pool.runtime,
    counts,
    async close() {
      isStopping = true;
      const isAll = await listening.close(options.timeoutMs);
      await pool.close();
      return isAll;
    },
  };
}

/** One per core, but for what has all cores at work by itself. */
function defaultWorkers({ copies }: ServedModel): number {
  return copies.isAlone ? 1 : Math.min(MOST_WORKERS, availableParallelism());
}

/** Without a token, whoever reaches the address could ask. */
function refuseOpenDoor({ host, token }: ServeOptions): void {
  if (isLoopback(host) || token !== null) return;
  throw new UsageError(
    `On ${host} whoever reaches this machine could ask. Give a token that they must bring, in COOL_SERVE_TOKEN or with --token-file, or serve on 127.0.0.1.`,
    { host },
  );
}
