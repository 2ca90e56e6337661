/** @file `cool ui` without a socket, over a store of a test. */
import { onTestFinished } from "vitest";
import type { App } from "../../src/http/app.js";
import { openRunStore, type RunStore } from "../../src/storage/run-store.js";
import { ChangeStream } from "../../src/ui/api/events.js";
import { Reports } from "../../src/ui/api/reports.js";
import { createUiApp } from "../../src/ui/create-ui-app.js";
import type { Asset } from "../../src/ui/html/assets.js";
import { LiveStore } from "../../src/ui/store/live-store.js";
import { RunViews } from "../../src/ui/store/run-views.js";
import { temporaryDir } from "../storage/support.js";

export const TOKEN = "0123456789abcdef0123";
export const HOST = "127.0.0.1:7100";

export interface OpenedUi {
  readonly dir: string;
  /** The store as another program writes it. */
  readonly store: RunStore;
  readonly app: App;
  readonly live: LiveStore;
  readonly changes: ChangeStream;
  readonly failures: unknown[];
  /** Asks as a browser that has its cookie does. */
  ask(path: string, init?: RequestInit & { readonly headers?: Record<string, string> }): Promise<Response>;
  /** The JSON of an answer. */
  read<T>(path: string): Promise<T>;
}

/** @param fill makes the runs */
export function openUi(fill: (store: RunStore) => void, options: { readonly canEdit?: boolean } = {}): OpenedUi {
  const dir = temporaryDir();
  const store = openRunStore(dir);
  fill(store);
  const { canEdit = false } = options;
  const live = new LiveStore({ dir, canEdit, pollMs: 20 });
  const changes = new ChangeStream(live, 3);
  const failures: unknown[] = [];
  const orderer = {
    order: async (query: Parameters<RunStore["queryOrder"]>[0]) => live.read((reader) => reader.queryOrder(query)),
    close: async () => {},
  };
  const bytes = Uint8Array.from(Buffer.from("export {};"));
  const script: Asset = { bytes, type: "text/javascript; charset=utf-8" };
  const app = createUiApp(
    {
      ...{ live, changes, views: new RunViews(orderer), reports: new Reports(live) },
      assets: { script: "/assets/app-1.js", style: "/assets/app-1.css", files: new Map([["app-1.js", script]]) },
      about: { version: "1", store: dir, can_edit: canEdit },
    },
    { token: TOKEN, hosts: [], onFailure: (error) => failures.push(error) },
  );
  onTestFinished(() => {
    changes.close();
    live.close();
    store.close();
  });
  let cookie: string | undefined;
  const ask: OpenedUi["ask"] = async (path, init = {}) => {
    cookie ??= cookieOf(await app.request(`/?token=${TOKEN}`, { headers: { host: HOST } }));
    return app.request(path, { ...init, headers: { host: HOST, cookie, ...init.headers } });
  };
  const read = async <T>(path: string): Promise<T> => (await (await ask(path)).json()) as T;
  return { dir, store, app, live, changes, failures, ask, read };
}

/** What a browser sends back. */
export function cookieOf(response: Response): string {
  return (response.headers.get("set-cookie") ?? "").split(";")[0] ?? "";
}

/** A finished run with one curve, and an evaluation of one metric. */
export function addRun(store: RunStore, name: string, value: number, tags: readonly string[] = []): string {
  const { id } = store.createRun({
    ...{ project: "security", name, tags, epochs: 3, seed: 1 },
    config: { train: { batchSize: Math.round(value * 100), monitor: "door/f1_score" } },
  });
  store.appendMetrics(
    id,
    [1, 2, 3].map((epoch) => ({
      ...{ split: "valid", taskPath: "door", metricName: "f1_score", step: 10 * epoch, epoch },
      ...{ value: value + epoch / 100, wallTime: 1_800_000_000 + epoch },
    })),
  );
  const metric_res = value;
  const row = {
    split: "valid",
    task_path: "door",
    metric_name: "f1_score",
    metric_res,
    num_samples: 9,
    gates: "truth",
  };
  store.replaceEvaluation(id, [row] as Parameters<RunStore["replaceEvaluation"]>[1]);
  store.finishRun(id, "finished");
  return id;
}
