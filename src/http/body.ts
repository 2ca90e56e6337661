/** @file Bodies of requests, with limits: of one, and of all that are in memory at a time. */
import { IncomingMessage } from "node:http";
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
 * Reads a body, of Node's own request without a detour, and keeps its bytes counted until `use` has ended. No more of it is read than the limit allows, whether
 * or not its length was said.
 * @throws HttpProblem 413, 415 (compressed), 503 where other bodies fill the memory
 */
export async function withBody<T>(
  request: Request | IncomingMessage,
  { bytes: limit, budget }: BodyLimits,
  use: (body: Uint8Array<ArrayBuffer>) => Promise<T>,
): Promise<T> {
  refuseEncoding(headerOf(request, "content-encoding"));
  const said = Number(headerOf(request, "content-length") ?? Number.NaN);
  if (said > limit) throw tooLarge(limit);
  let held = 0;
  const hold = (bytes: number): void => {
    if (!budget.take(bytes)) throw noMemory();
    held += bytes;
  };
  try {
    const pieces = new Pieces(limit, hold);
    await (request instanceof IncomingMessage ? readIncoming(request, pieces) : readWeb(request, pieces));
    return await use(pieces.joined());
  } finally {
    budget.give(held);
  }
}

function headerOf({ headers }: Request | IncomingMessage, name: "content-encoding" | "content-length"): string | null {
  return headers instanceof Headers ? headers.get(name) : (headers[name] ?? null);
}

/** What has come of a body. */
class Pieces {
  readonly #limit: number;
  readonly #hold: (bytes: number) => void;
  readonly #pieces: Uint8Array[] = [];
  #length = 0;

  constructor(limit: number, hold: (bytes: number) => void) {
    this.#limit = limit;
    this.#hold = hold;
  }

  /** @throws HttpProblem 413, 503 */
  add(piece: Uint8Array): void {
    this.#length += piece.length;
    if (this.#length > this.#limit) throw tooLarge(this.#limit);
    this.#hold(piece.length);
    this.#pieces.push(piece);
  }

  /** In memory of its own, which may be given away. */
  joined(): Uint8Array<ArrayBuffer> {
    const body = new Uint8Array(this.#length);
    let at = 0;
    for (const piece of this.#pieces) {
      body.set(piece, at);
      at += piece.length;
    }
    return body;
  }
}

function readIncoming(incoming: IncomingMessage, pieces: Pieces): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (): void => {
      incoming.off("data", take).off("end", whole).off("error", broken).off("close", broken);
    };
    const whole = (): void => {
      end();
      resolve();
    };
    const fail = (error: HttpProblem): void => {
      end();
      // what is left of it will not be read
      incoming.pause();
      reject(error);
    };
    const broken = (): void => fail(cutOff());
    const take = (piece: Uint8Array): void => {
      try {
        pieces.add(piece);
      } catch (error) {
        fail(error instanceof HttpProblem ? error : cutOff());
      }
    };
    incoming.on("data", take).on("end", whole).on("error", broken).on("close", broken);
  });
}

async function readWeb(request: Request, pieces: Pieces): Promise<void> {
  const reader = request.body?.getReader();
  if (reader !== undefined) {
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        pieces.add(value);
      }
    } catch (error) {
      // what is left of it will not be read
      reader.cancel().catch(() => {});
      if (error instanceof HttpProblem) throw error;
      throw cutOff();
    }
  }
}

function cutOff(): HttpProblem {
  return new HttpProblem(400, "body_cut_off", "The body ended before all of it had come. Send it again.");
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
