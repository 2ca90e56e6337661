/** @file One question at a terminal. */
import { createInterface } from "node:readline/promises";
import { InterruptedError } from "../errors.js";
import { printable } from "../platform/printable.js";

/** The two ends of a terminal, as `process.stdin` and `process.stdout` are. */
export interface Conversation {
  readonly input: NodeJS.ReadableStream;
  readonly output: NodeJS.WritableStream;
}

/**
 * Asks, and waits for a line.
 * @returns it, without spaces around it
 * @throws InterruptedError on Ctrl-C, Ctrl-D, or where the terminal is gone
 */
export async function askLine(
  question: string,
  { input, output }: Conversation = { input: process.stdin, output: process.stdout },
): Promise<string> {
  const lines = createInterface({ input, output });
  const stopped = new AbortController();
  const stop = (): void => stopped.abort();
  // Ctrl-D, or the end of a terminal, closes it
  lines.on("SIGINT", stop).on("close", stop);
  try {
    return (await lines.question(printable(question), { signal: stopped.signal })).trim();
  } catch (error) {
    if (!stopped.signal.aborted) throw error;
    output.write("\n");
    throw new InterruptedError("Stopped; nothing was written.");
  } finally {
    lines.close();
  }
}
