/** @file Commands that a user has named to be run at a moment of a run: by the shell, beside us. */
import { spawn } from "node:child_process";

/** A command that goes on for longer is left to itself. */
const LONGEST_WAIT_MS = 30_000;

/**
 * Starts a command line in the shell; what it prints goes to stderr, so that stdout stays the result's.
 * @param facts variables of its environment, beside ours
 * @returns null when it has ended well, else what is the matter; never rejects
 */
export function runHook(
  command: string,
  facts: Readonly<Record<string, string | undefined>>,
  longestWaitMs: number = LONGEST_WAIT_MS,
): Promise<string | null> {
  const child = spawn(command, {
    shell: true,
    stdio: ["ignore", 2, 2],
    env: { ...process.env, ...facts },
  });
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      child.unref();
      resolve(`goes on after ${longestWaitMs / 1000} s, and is not waited for`);
    }, longestWaitMs);
    const settle = (problem: string | null): void => {
      clearTimeout(timer);
      resolve(problem);
    };
    child.on("error", ({ message }) => settle(`cannot be started: ${message}`));
    child.on("close", (code, signal) => {
      settle(code === 0 ? null : signal === null ? `ended with code ${code}` : `was ended by ${signal}`);
    });
  });
}
