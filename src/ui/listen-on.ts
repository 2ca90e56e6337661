/** @file The port that pages are served on: the one that was asked for, else the first that is free. */
import { UsageError } from "../errors.js";
import type { Listening } from "../http/server.js";

/** Ports that are tried where none was asked for: from the first to the last. */
const PORTS = [7100, 7119] as const;

/**
 * @param port undefined: any of the usual ones
 * @throws UsageError where none can be had
 */
export async function listenOn(
  host: string,
  port: number | undefined,
  open: (port: number) => Promise<Listening>,
  [first, last]: readonly [number, number] = PORTS,
): Promise<Listening> {
  if (port !== undefined) return open(port);
  for (let next = first; next <= last; next++) {
    try {
      return await open(next);
    } catch (error) {
      if (!(error instanceof UsageError) || error.facts.code !== "EADDRINUSE") throw error;
    }
  }
  throw new UsageError(
    `The ports ${first} to ${last} of ${host} are all in use. Name another with --port, or take any with --port 0.`,
    { host },
  );
}
