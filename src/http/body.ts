/** @file Bodies of requests, with limits: of one, and of all that are in memory at a time. */
import { HttpProblem } from "./problem.js";

/** Memory that bodies share. */
export class ByteBudget {
  #free: number;

  constructor(bytes: number) {
    this.#free = bytes;
  }

  /** @returns whether there is room */
  take(bytes: number): boolean {
    if (bytes > this.#free) return false;
    this.#free -= bytes;
    return true;
  }

  give(bytes: number): void {
    this.#free += bytes;
  }
}

export interface BodyLimits {
  /** Of one body. */
  readonly bytes: number;
  /** For all bodies at a time. */
  readonly budget: ByteBudget;
}

/**
 * Reads a body and keeps its bytes counted until `use` has ended. No more of it is read than the limit allows, whether
 * or not its length was said.
 * @throws HttpProblem 413, 415 (compressed), 503 where other bodies fill the memory
 */
export async function withBody<T>(
  request: Request,
  { bytes: limit, budget }: BodyLimits,
  use: (body: Uint8Array<ArrayBuffer>) => Promise<T>,
): Promise<T> {
  refuseEncoding(request.headers.get("content-encoding"));
  const said = Number(request.headers.get("content-length") ?? Number.NaN);
  if (said > limit) throw tooLarge(limit);
  let held = 0;
  const hold = (bytes: number): void => {
    if (!budget.take(bytes)) throw noMemory();
    held += bytes;
  };
  try {
    return await use(await read(request, limit, hold));
  } finally {
    budget.give(held);
  }
}

async function read(request: Request, limit: number, hold: (bytes: number) => void): Promise<Uint8Array<ArrayBuffer>> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  const reader = request.body?.getReader();
  if (reader !== undefined) {
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        length += value.length;
        if (length > limit) throw tooLarge(limit);
        hold(value.length);
        pieces.push(value);
      }
    } catch (error) {
      // what is left of it will not be read
      reader.cancel().catch(() => {});
      if (error instanceof HttpProblem) throw error;
      throw new HttpProblem(400, "body_cut_off", "The body ended before all of it had come. Send it again.");
    }
  }
  const body = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    body.set(piece, at);
    at += piece.length;
  }
  return body;
}

function refuseEncoding(encoding: string | null): void {
  if (encoding === null || encoding.trim() === "" || encoding.trim().toLowerCase() === "identity") return;
  throw new HttpProblem(
    415,
    "unsupported_encoding",
    `The body is encoded as ${encoding.slice(0, 40)}, which is not read here. Send it as it is.`,
    {},
    // its length says nothing of what is in it
    { "accept-encoding": "identity", connection: "close" },
  );
}

function tooLarge(limit: number): HttpProblem {
  return new HttpProblem(
    413,
    "body_too_large",
    `The body is larger than ${limit} bytes. Send less at a time, or have the limit raised.`,
    { limit_bytes: limit },
    { connection: "close" },
  );
}

function noMemory(): HttpProblem {
  return new HttpProblem(
    503,
    "overloaded",
    "Too much is being sent at once. Send it again in a moment.",
    {},
    { "retry-after": "1", connection: "close" },
  );
}
