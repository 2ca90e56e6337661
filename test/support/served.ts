/** @file A model served without a socket and without threads. */
import type { AccessEntry, App } from "../../src/http/app.js";
import { ByteBudget } from "../../src/http/body.js";
import { ModelMetrics } from "../../src/serving/api/model-metrics.js";
import { createModelApp, type RoutesOptions } from "../../src/serving/api/routes.js";
import { Batcher } from "../../src/serving/batching/batcher.js";
import { findModel } from "../../src/serving/model/find-model.js";
import type { ServedModel } from "../../src/serving/model/served-model.js";
import type { OpenLink } from "../../src/serving/workers/links.js";
import type { SentAnswer, WorkerRow } from "../../src/serving/workers/messages.js";
import { WorkerPool } from "../../src/serving/workers/pool.js";
import { ModelWorker } from "../../src/serving/workers/worker.js";
import { behaviourOf } from "../../src/tasks/index.js";

/** A worker in this thread. */
const here: OpenLink = (events) => {
  const worker = new ModelWorker();
  let hasEnded = false;
  return {
    send: (message) => void worker.handle(message).then((reply) => !hasEnded && events.onMessage(reply)),
    async end() {
      hasEnded = true;
      await worker.close();
      events.onEnd("as it was told");
    },
  };
};

export type SentBody = NonNullable<RequestInit["body"]>;

export interface ServedApp {
  readonly app: App;
  readonly model: ServedModel;
  readonly batches: number[];
  readonly log: AccessEntry[];
  readonly failures: unknown[];
  /** Asks with a host, and reads the JSON. */
  post(
    path: string,
    body: SentBody,
    headers?: Record<string, string>,
  ): Promise<{ status: number; json: unknown; text: string }>;
  close(): Promise<void>;
}

export async function servedApp(
  reference: string,
  store: string,
  options: Partial<RoutesOptions> & { readonly maxBatch?: number; readonly project?: string } = {},
): Promise<ServedApp> {
  const model = await findModel(reference, { storeDir: () => store, project: options.project });
  const batches: number[] = [];
  const log: AccessEntry[] = [];
  const failures: unknown[] = [];
  const known = model.graph.tasks
    .filter(({ spec }) => behaviourOf(spec).answeredBy === "table")
    .map(({ path }) => path);
  const request = {
    kind: "open",
    source: model.source,
    inputs: model.inputs,
    tokenizers: model.tokenizers,
    known,
    threads: 1,
    maxPixels: 1e6,
  } as const;
  const pool = await WorkerPool.open({ count: 1, openLink: here, request, batchMs: 60_000, onNote: () => {} });
  const metrics = new ModelMetrics(model, () => ({ waiting: 0, ready: 1, busy: 0, lost: 0, runtime: pool.runtime }));
  const { maxBatch = 8 } = options;
  const batcher = new Batcher<WorkerRow, SentAnswer>(pool, {
    ...{ maxBatch, maxDelayMs: 5, maxWaiting: 100 },
    onBatch: (rows, waited) => {
      batches.push(rows);
      metrics.batch(rows, waited);
    },
  });
  const app = createModelApp({
    ...{ model, batcher, metrics, hosts: [], token: null, origins: [], maxRows: 50, maxPixels: 1e6, timeoutMs: 20_000 },
    limits: { bytes: 1e6, budget: new ByteBudget(1e7) },
    state: () => ({ status: "ok", workers: pool.ready }),
    onAnswer: (entry) => log.push(entry),
    onFailure: (error) => failures.push(error),
    ...options,
  });
  return {
    ...{ app, model, batches, log, failures },
    async post(path, body, headers = {}) {
      const response = await app.request(path, { method: "POST", body, headers: { host: "localhost", ...headers } });
      const text = await response.text();
      const isJson = response.headers.get("content-type")?.startsWith("application/json") === true;
      return { status: response.status, text, json: isJson ? JSON.parse(text) : null };
    },
    close: () => pool.close(),
  };
}
