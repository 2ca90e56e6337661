/** @file Questions to the server that these pages come from. */
import type { EditAnswer, ProblemAnswer, RunEdit, RunsEdit } from "../../../ui/api/types.js";

const LOCKED = 401;
/** What a page hears that was opened with the token of an earlier start. */
export const TOKEN_IS_OLD =
  "cool ui was started again, with a new token. Open the address that it printed, in another tab of this browser: this page then goes on.";
export const NOT_THERE = "The server does not answer. Is cool ui still running?";

/** An answer that is an error, in the words of the command line. */
export class Problem extends Error {}

/** No answer: the server is not there, or does not know this page. That is said above every page, until it is over. */
export class NoAnswer extends Problem {}

/** @throws Problem where the server says why not, or does not answer */
export async function ask<T>(
  path: string,
  query: URLSearchParams = new URLSearchParams(),
  signal?: AbortSignal,
): Promise<T> {
  const address = query.size === 0 ? path : `${path}?${query}`;
  return answered<T>(() => fetch(address, signal === undefined ? {} : { signal }));
}

/** Changes a run. @throws Problem where the rules refuse it */
export async function edit(id: string, change: RunEdit): Promise<EditAnswer> {
  return sent(`/api/edit/${encodeURIComponent(id)}`, change);
}

/** Changes several runs, all or none. @throws Problem that says which cannot be changed */
export async function editAll(change: RunsEdit): Promise<EditAnswer> {
  return sent("/api/edits", change);
}

function sent(path: string, change: RunEdit): Promise<EditAnswer> {
  const headers = { "content-type": "application/json" };
  return answered<EditAnswer>(() => fetch(path, { method: "POST", headers, body: JSON.stringify(change) }));
}

async function answered<T>(send: () => Promise<Response>): Promise<T> {
  const response = await reached(send);
  const body: unknown = await response.json().catch(() => null);
  if (response.ok) return body as T;
  if (response.status === LOCKED) throw new NoAnswer(TOKEN_IS_OLD);
  const { message } = (body ?? {}) as Partial<ProblemAnswer>;
  throw new Problem(message ?? `The server answered with ${response.status}.`);
}

async function reached(send: () => Promise<Response>): Promise<Response> {
  try {
    return await send();
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new NoAnswer(NOT_THERE);
  }
}

/** Whether a question was given up, which nobody needs to be told. */
export function isGivenUp(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}

export function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
