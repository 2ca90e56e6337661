/** @file A program of the machine, run to its end. */
import { spawnSync } from "node:child_process";
import { ClusterError, messageOf } from "../errors.js";

export interface ProgramOptions {
  readonly input: string;
  readonly cwd?: string;
  /** What is said where there is no such program here. */
  readonly missing: string;
}

/** How it ended, and what it said. */
export interface ProgramResult {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** @throws ClusterError where it cannot be started */
export function runProgram(
  program: string,
  args: readonly string[],
  { input, cwd, missing }: ProgramOptions,
): ProgramResult {
  const { error, status, stdout, stderr } = spawnSync(program, [...args], { input, cwd, encoding: "utf8" });
  if (error === undefined) return { status, stdout, stderr };
  const isMissing = "code" in error && error.code === "ENOENT";
  throw new ClusterError(isMissing ? missing : `${program} cannot be started: ${messageOf(error)}`, { program });
}
