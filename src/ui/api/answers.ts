/** @file Errors of the store and of questions as answers of a server. */
import type { Context } from "hono";
import { CoolError, StoreError, UnknownNameError, UsageError } from "../../errors.js";
import { addRoute, type App, type AppEnv } from "../../http/app.js";
import { HttpProblem } from "../../http/problem.js";

type Answer = (context: Context<AppEnv>) => Response | Promise<Response>;

/** Adds a route whose expected errors are told to whoever asks, as commands tell them. */
export function addQuestion(app: App, method: "GET" | "POST", path: string, answer: Answer): void {
  addRoute(app, method, path, async (context) => {
    try {
      return await answer(context);
    } catch (error) {
      throw asAnswer(error);
    }
  });
}

export function json(value: unknown): Response {
  return new Response(`${JSON.stringify(value)}\n`, { headers: { "content-type": "application/json; charset=utf-8" } });
}

/** What is not expected stays as it is: that is told to the log alone. */
function asAnswer(error: unknown): unknown {
  if (error instanceof HttpProblem || !(error instanceof CoolError)) return error;
  // names of 100,000 runs are no part of an answer
  const { known: _known, ...facts } = error.facts;
  return new HttpProblem(statusOf(error), error.name, error.message, facts);
}

function statusOf(error: CoolError): number {
  if (error instanceof UnknownNameError) return 404;
  if (error instanceof UsageError) return 400;
  // a store that is gone may come back
  return error instanceof StoreError ? 503 : 409;
}
