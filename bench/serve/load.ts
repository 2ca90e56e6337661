/** @file Requests over kept connections, as many at a time as there are to be, for a given time. */
import { Agent, request } from "node:http";
import { at } from "../../src/arrays.js";

export interface Load {
  readonly requests: number;
  readonly seconds: number;
  /** Of each request. */
  readonly latencies: readonly number[];
  /** That were not answered with 200. */
  readonly failures: number;
}

/** One request. @returns status and body */
export function post(url: string, body: Uint8Array, agent?: Agent): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const headers = { "content-type": "image/png", "content-length": body.length };
    const sent = request(url, { method: "POST", headers, ...(agent === undefined ? {} : { agent }) }, (response) => {
      const pieces: Buffer[] = [];
      response.on("data", (piece: Buffer) => pieces.push(piece));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(pieces).toString() }));
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

/** @param bodies in turn */
export async function load(
  url: string,
  bodies: readonly Uint8Array[],
  { concurrency, seconds }: { readonly concurrency: number; readonly seconds: number },
): Promise<Load> {
  const agent = new Agent({ keepAlive: true, maxSockets: concurrency });
  const latencies: number[] = [];
  let [next, failures] = [0, 0];
  const begun = performance.now();
  const end = begun + 1000 * seconds;
  const client = async (): Promise<void> => {
    while (performance.now() < end) {
      const from = performance.now();
      const { status } = await post(url, at(bodies, next++ % bodies.length), agent);
      latencies.push(performance.now() - from);
      if (status !== 200) failures++;
    }
  };
  await Promise.all(Array.from({ length: concurrency }, client));
  agent.destroy();
  return { requests: latencies.length, seconds: (performance.now() - begun) / 1000, latencies, failures };
}
