/** @file Output whose reader has gone, or whose disk is full: printing ends there, and nothing else does. */

import { closeSync } from "node:fs";
import { isatty } from "node:tty";

/** The reader of a pipe has closed it, or the terminal is gone. */
const READER_GONE = new Set(["EPIPE", "EIO", "ENXIO", "ECONNRESET", "ERR_STREAM_DESTROYED"]);

/** The streams of a process, as far as they are guarded. */
export interface GuardedProcess {
  readonly stdout: Pick<NodeJS.WriteStream, "on" | "removeAllListeners">;
  readonly stderr: Pick<NodeJS.WriteStream, "on" | "removeAllListeners" | "write">;
  exitCode?: number | string | null | undefined;
}

/** Processes that were told of a failure. */
const told = new WeakSet<GuardedProcess>();

/**
 * Lets a command go on whose output cannot be written. A result that is lost for another reason than that nobody reads
 * it (a full disk) is told in one line, and the command has failed.
 */
export function guardStreams(guarded: GuardedProcess = process): void {
  // oclif's own listener throws what is not EPIPE, which nobody catches
  guarded.stdout.removeAllListeners("error").on("error", (error: NodeJS.ErrnoException) => {
    if (told.has(guarded) || READER_GONE.has(error.code ?? "")) return;
    told.add(guarded);
    guarded.exitCode = 1;
    guarded.stderr.write(`Error: The output cannot be written: ${error.message}.\n`);
  });
  // progress and warnings: nobody is left to be told
  guarded.stderr.removeAllListeners("error").on("error", () => {});
}

/**
 * Lets go of a terminal that is gone when the process ends: Node would set its modes as they were, and abort where it
 * cannot (SIGABRT, and a core file).
 */
export function releaseLostTerminals(): void {
  const terminals = [0, 1, 2].filter((descriptor) => isatty(descriptor));
  if (terminals.length === 0) return;
  process.once("exit", () => {
    for (const descriptor of terminals) if (!isatty(descriptor)) closeSync(descriptor);
  });
}
