/** @file The routes of a served model. */
import type { Context } from "hono";
import { at } from "../../arrays.js";
import { type AccessEntry, addRoute, type App, type AppEnv, type AppOptions, createApp } from "../../http/app.js";
import { type BodyLimits, withBody } from "../../http/body.js";
import { METRICS_TYPE } from "../../http/metrics.js";
import { HttpProblem } from "../../http/problem.js";
import type { Batcher } from "../batching/batcher.js";
import type { RowAnswer } from "../model/answer-rows.js";
import { RowReader, type SentRow } from "../model/read-row.js";
import type { ServedModel, ServedRow } from "../model/served-model.js";
import type { SentAnswer } from "../workers/messages.js";
import type { ModelMetrics } from "./model-metrics.js";
import { openApi } from "./openapi.js";
import { type RequestReader, rowsOfRequest } from "./request-rows.js";

export interface RoutesOptions extends Pick<AppOptions, "hosts" | "token" | "origins" | "onFailure"> {
  readonly model: ServedModel;
  readonly batcher: Batcher<ServedRow, SentAnswer>;
  readonly metrics: ModelMetrics;
  readonly limits: BodyLimits;
  readonly maxRows: number;
  readonly maxPixels: number;
  /** For an answer, from the head of its request on. */
  readonly timeoutMs: number;
  readonly state: () => { readonly status: "ok" | "starting" | "stopping"; readonly workers: number };
  readonly onAnswer: (entry: AccessEntry) => void;
}

/** Pictures that one request has decoded at a time. */
const DECODED_TOGETHER = 4;

export function createModelApp(options: RoutesOptions): App {
  const { model, metrics, onAnswer } = options;
  const app = createApp({
    ...options,
    // whether it answers may be asked by what keeps it running
    open: ["/health"],
    onAnswer(entry, route) {
      metrics.request(entry.method, route, entry.status, entry.ms / 1000);
      onAnswer(entry);
    },
  });
  const asking = new Asking(options);
  addRoute(app, "POST", "/predict", async (context) => {
    const answers = await asking.ask(context, "answers");
    const predictions = answers.flatMap((one) => (one.kind === "answers" ? [one.prediction] : []));
    return json({ run: model.run.id, rows: predictions.length, predictions });
  });
  addRoute(app, "POST", "/explain", async (context) => {
    const answers = await asking.ask(context, "tree");
    const explanations = answers.flatMap((one) => (one.kind === "tree" ? [one.explanation] : []));
    if (prefersText(context.req.header("accept"))) {
      return text(`${explanations.map(({ printed }) => printed).join("\n")}\n`);
    }
    return json({ run: model.run.id, explanations });
  });
  addRoute(app, "GET", "/health", () => {
    const state = options.state();
    return json({ ...state, run: model.run.id }, state.status === "ok" ? 200 : 503);
  });
  addRoute(app, "GET", "/metrics", () => text(metrics.text(), METRICS_TYPE));
  const document = openApi(model, {
    hasToken: options.token !== null,
    maxBodyBytes: options.limits.bytes,
    maxRows: options.maxRows,
  });
  addRoute(app, "GET", "/openapi.json", () => json(document));
  return app;
}

/** Requests → rows → answers. */
class Asking {
  readonly #options: RoutesOptions;
  readonly #requests: RequestReader & { readonly reader: RowReader };

  constructor(options: RoutesOptions) {
    const { model, maxPixels, maxRows } = options;
    this.#options = options;
    this.#requests = { inputs: model.inputs, reader: new RowReader(model, maxPixels), maxRows };
  }

  async ask(context: Context<AppEnv>, wants: ServedRow["wants"]): Promise<RowAnswer[]> {
    const { batcher, metrics, timeoutMs } = this.#options;
    const gone = context.req.raw.signal;
    // from the end of the body on: how long that may take is the socket's to say
    const late = new AbortController();
    const signal = AbortSignal.any([gone, late.signal]);
    const timers: NodeJS.Timeout[] = [];
    const onBody = (): void => void timers.push(setTimeout(() => late.abort(), timeoutMs));
    try {
      const rows = await untilAborted(this.#rowsOf(context, wants, signal, onBody), signal);
      context.set("noted", { rows: rows.length });
      const answers = (await untilAborted(batcher.ask(rows, signal), signal)).map(given);
      metrics.answered(answers);
      return answers;
    } catch (error) {
      if (gone.aborted) throw clientGone();
      if (late.signal.aborted) throw tooLate(timeoutMs);
      throw error;
    } finally {
      for (const timer of timers) clearTimeout(timer);
    }
  }

  /** Others wait for these rows, as far as they wait for anybody. */
  async #rowsOf(
    context: Context<AppEnv>,
    wants: ServedRow["wants"],
    signal: AbortSignal,
    onBody: () => void,
  ): Promise<ServedRow[]> {
    const { batcher, limits } = this.#options;
    const arrived = batcher.announce();
    try {
      // before a body is read for nothing
      batcher.assertRoom(1);
      return await withBody(context.req.raw, limits, async (body) => {
        onBody();
        const sent = await rowsOfRequest(context.req.header("content-type"), context.req.query(), body, this.#requests);
        batcher.assertRoom(sent.length);
        return this.#read(sent, wants, signal);
      });
    } finally {
      arrived();
    }
  }

  async #read(sent: readonly SentRow[], wants: ServedRow["wants"], signal: AbortSignal): Promise<ServedRow[]> {
    const rows: ServedRow[] = [];
    const numbers = sent.keys();
    let hasFailed = false;
    const lane = async (): Promise<void> => {
      for (const i of numbers) {
        signal.throwIfAborted();
        if (hasFailed) return;
        rows[i] = await this.#requests.reader.read(at(sent, i), i + 1, wants);
      }
    };
    const lanes = Array.from({ length: Math.min(DECODED_TOGETHER, sent.length) }, lane);
    try {
      await Promise.all(lanes);
    } catch (error) {
      hasFailed = true;
      throw error;
    }
    return rows;
  }
}

/** What went wrong in a worker is our fault: what was sent has been checked. */
function given(answer: SentAnswer): RowAnswer {
  if (answer.kind !== "failed") return answer;
  throw new Error(`a worker failed: ${answer.error.name}: ${answer.error.message}`);
}

/** The work, or the reason of a signal; the work then goes on to its end for nobody. */
async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let stop: () => void = () => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
  });
  try {
    signal.throwIfAborted();
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener("abort", stop);
    // its failure is nobody's any more
    work.catch(() => {});
  }
}

function clientGone(): HttpProblem {
  return new HttpProblem(499, "client_gone", "Whoever asked has gone.");
}

function tooLate(timeoutMs: number): HttpProblem {
  return new HttpProblem(
    504,
    "too_late",
    `The answer was not there within ${timeoutMs / 1000} s. Send less at a time, or have --timeout raised.`,
    { timeout_seconds: timeoutMs / 1000 },
    { connection: "close" },
  );
}

function prefersText(accept: string | undefined): boolean {
  const types = (accept ?? "").split(",").map((type) => type.split(";")[0]?.trim().toLowerCase());
  const [place, json] = [types.indexOf("text/plain"), types.indexOf("application/json")];
  return place >= 0 && (json < 0 || place < json);
}

function json(value: unknown, status = 200): Response {
  const headers = { "content-type": "application/json; charset=utf-8" };
  return new Response(`${JSON.stringify(value)}\n`, { status, headers });
}

function text(value: string, type = "text/plain; charset=utf-8"): Response {
  return new Response(value, { headers: { "content-type": type } });
}
