/** @file Questions to the server that these pages come from. */
import type { EditAnswer, ProblemAnswer, RunEdit } from "../../../ui/api/types.js";

/** An answer that is an error, in the words of the command line. */
export class Problem extends Error {}

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
  return answered<EditAnswer>(() =>
    fetch(`/api/edit/${encodeURIComponent(id)}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(change),
    }),
  );
}

async function answered<T>(send: () => Promise<Response>): Promise<T> {
  const response = await reached(send);
  const body: unknown = await response.json().catch(() => null);
  if (response.ok) return body as T;
  const { message } = (body ?? {}) as Partial<ProblemAnswer>;
  throw new Problem(message ?? `The server answered with ${response.status}.`);
}

async function reached(send: () => Promise<Response>): Promise<Response> {
  try {
    return await send();
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Problem("The server does not answer. Is cool ui still running?");
  }
}

/** Whether a question was given up, which nobody needs to be told. */
export function isGivenUp(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}

export function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
