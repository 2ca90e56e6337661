/** @file oclif on this package's commands; a module of its own, so that completion starts without it. */
import { handle } from "@oclif/core/handle";
import { run } from "@oclif/core/run";
import { guardStreams, releaseLostTerminals } from "./streams.js";

/**
 * Runs the command. Nothing waits for its output or cuts it off: the process ends when it has been read, however long
 * the reader takes (oclif's `execute` gives it ten seconds).
 */
export async function startCommand(): Promise<void> {
  guardStreams();
  releaseLostTerminals();
  try {
    await run(process.argv.slice(2), import.meta.url);
  } catch (error) {
    await handle(error instanceof Error ? error : new Error(String(error)));
  }
}
