/** @file The routes of a served model. */
import type { Context } from "hono";
import { at } from "../../arrays.js";
import { IncomingMessage } from "node:http";
import {
  type AccessEntry,
  addRoute,
  type App,
  type AppEnv,
  type AppOptions,
  createApp,
  reply,
} from "../../http/app.js";
import { type BodyLimits, withBody } from "../../http/body.js";
import { whenGone } from "../../http/gone.js";
import { METRICS_TYPE } from "../../http/metrics.js";
import { HttpProblem } from "../../http/problem.js";
import type { Batcher } from "../batching/batcher.js";
import { isQuicklyRead } from "../model/quickly-read.js";
import { RowReader } from "../model/read-row.js";
import type { SentRow, ServedModel, ServedRow } from "../model/served-model.js";
import type { SentAnswer, WorkerRow } from "../workers/messages.js";
import type { ModelMetrics } from "./model-metrics.js";
import { openApi } from "./openapi.js";
import { type RequestReader, rowsOfRequest } from "./request-rows.js";

export interface RoutesOptions extends Pick<AppOptions, "hosts" | "token" | "origins" | "onFailure"> {
  readonly model: ServedModel;
  readonly batcher: Batcher<WorkerRow, SentAnswer>;
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
  const run = JSON.stringify(model.run.id);
  addRoute(app, "POST", "/predict", async (context) => {
    const answers = await asking.ask(context, "answers");
    const predictions = answers.map(({ json: one }) => one).join(",");
    return reply(context, 200, JSON_TYPE, `{"run":${run},"rows":${answers.length},"predictions":[${predictions}]}\n`);
  });
  addRoute(app, "POST", "/explain", async (context) => {
    const answers = await asking.ask(context, "tree");
    if (prefersText(context.req.header("accept"))) {
      const printed = answers.flatMap((one) => (one.kind === "tree" ? [one.printed] : []));
      return text(`${printed.join("\n")}\n`);
    }
    const explanations = answers.map(({ json: one }) => one).join(",");
    return reply(context, 200, JSON_TYPE, `{"run":${run},"explanations":[${explanations}]}\n`);
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

  async ask(context: Context<AppEnv>, wants: ServedRow["wants"]): Promise<GivenAnswer[]> {
    const { batcher, metrics, timeoutMs } = this.#options;
    const stop = new AbortController();
    const stayed = whenGone(context, () => stop.abort(clientGone()));
    const timers: NodeJS.Timeout[] = [];
    // from the end of the body on: how long that may take is the socket's to say
    const onBody = (): void => void timers.push(setTimeout(() => stop.abort(tooLate(timeoutMs)), timeoutMs));
    const work = async (): Promise<GivenAnswer[]> => {
      const rows = await this.#rowsOf(context, wants, stop.signal, onBody);
      context.set("noted", { rows: rows.length });
      return (await batcher.ask(rows, stop.signal)).map(given);
    };
    try {
      const answers = await untilAborted(work(), stop.signal);
      metrics.answered(answers.map(({ asked }) => asked));
      return answers;
    } finally {
      stayed();
      for (const timer of timers) clearTimeout(timer);
    }
  }

  /** Others wait for these rows, as far as they wait for anybody. */
  async #rowsOf(
    context: Context<AppEnv>,
    wants: ServedRow["wants"],
    signal: AbortSignal,
    onBody: () => void,
  ): Promise<WorkerRow[]> {
    const { batcher, limits } = this.#options;
    const arrived = batcher.announce();
    try {
      // before a body is read for nothing
      batcher.assertRoom(1);
      const incoming = context.env?.incoming;
      const request = incoming instanceof IncomingMessage ? incoming : context.req.raw;
      return await withBody(request, limits, async (body) => {
        onBody();
        const sent = await rowsOfRequest(context.req.header("content-type"), context.req.query(), body, this.#requests);
        batcher.assertRoom(sent.length);
        return this.#read(sent, wants, signal);
      });
    } finally {
      arrived();
    }
  }

  /** What is read quickly is left to the worker that answers it; the rest would keep others of its batch waiting. */
  async #readHere(sent: SentRow, number: number, wants: ServedRow["wants"]): Promise<WorkerRow> {
    const { model } = this.#options;
    if (!model.copies.isAlone && isQuicklyRead(sent)) return { sent, number, wants };
    return this.#requests.reader.read(sent, number, wants);
  }

  async #read(sent: readonly SentRow[], wants: ServedRow["wants"], signal: AbortSignal): Promise<WorkerRow[]> {
    const rows: WorkerRow[] = [];
    const numbers = sent.keys();
    let hasFailed = false;
    const lane = async (): Promise<void> => {
      for (const i of numbers) {
        signal.throwIfAborted();
        if (hasFailed) return;
        rows[i] = await this.#readHere(at(sent, i), i + 1, wants);
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

type GivenAnswer = Extract<SentAnswer, { readonly kind: "answers" | "tree" }>;

/** What went wrong in a worker is our fault, but for what it could not read. */
function given(answer: SentAnswer): GivenAnswer {
  switch (answer.kind) {
    case "refused": {
      const { status, code, message, facts } = answer.problem;
      throw new HttpProblem(status, code, message, facts);
    }
    case "failed":
      throw new Error(`a worker failed: ${answer.error.name}: ${answer.error.message}`);
    default:
      return answer;
  }
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

const JSON_TYPE = "application/json; charset=utf-8";

function json(value: unknown, status = 200): Response {
  const headers = { "content-type": JSON_TYPE };
  return new Response(`${JSON.stringify(value)}\n`, { status, headers });
}

function text(value: string, type = "text/plain; charset=utf-8"): Response {
  return new Response(value, { headers: { "content-type": type } });
}
