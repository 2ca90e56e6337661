/** @file Runs the built command line as a user does: a process of its own, its exit code and its output. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const entry = fileURLToPath(new URL("../../bin/run.js", import.meta.url));

export class CliResult {
  constructor(
    /** null where a signal ended the process. */
    readonly code: number | null,
    readonly signal: NodeJS.Signals | null,
    readonly stdout: string,
    readonly stderr: string,
  ) {}

  /** The whole of stdout as one JSON document; throws where it is anything else. */
  get json(): unknown {
    return JSON.parse(this.stdout);
  }
}

export interface CliOptions {
  /** Working folder; default: the test process's. */
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** The process is killed after that long; default a minute. */
  readonly timeoutMs?: number;
}

/** A command under way. */
export interface RunningCli {
  readonly child: ChildProcess;
  /** Waits until stderr has a line that matches. */
  stderrMatches(pattern: RegExp): Promise<void>;
  /** The result, once the process has ended. */
  readonly ended: Promise<CliResult>;
}

/** Runs `cool …args` to its end. */
export function cool(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  return startCool(args, options).ended;
}

/** The JSON document that `cool …args --json` prints; fails where the command does. */
export async function coolJson<Result>(args: readonly string[], options: CliOptions = {}): Promise<Result> {
  const result = await cool([...args, "--json"], options);
  if (result.code !== 0) throw new Error(`cool ${args.join(" ")} ended with ${result.code}: ${result.stdout}`);
  return result.json as Result;
}

/** Starts `cool …args`. */
export function startCool(args: readonly string[], options: CliOptions = {}): RunningCli {
  const child = spawn(process.execPath, [entry, ...args], {
    cwd: options.cwd,
    // a user's environment: not that of the test runner, of a developer's debugging or of a terminal with colours
    env: { ...process.env, NODE_ENV: "", VITEST: "", DEBUG: "", NO_COLOR: "1", ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output = { stdout: "", stderr: "" };
  const waiting = new Set<() => void>();
  for (const stream of ["stdout", "stderr"] as const) {
    child[stream]?.setEncoding("utf8").on("data", (text: string) => {
      output[stream] += text;
      for (const look of waiting) look();
    });
  }
  return {
    child,
    stderrMatches: (pattern) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (!pattern.test(output.stderr)) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        child.once("close", () => reject(new Error(`the command ended without ${pattern}: ${output.stderr}`)));
        look();
      }),
    ended: waitFor(child, output, options.timeoutMs ?? 60_000),
  };
}

async function waitFor(
  child: ChildProcess,
  output: { readonly stdout: string; readonly stderr: string },
  timeoutMs: number,
): Promise<CliResult> {
  const timeout = setTimeout(() => child.kill("SIGKILL"), timeoutMs);
  const [code, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
  clearTimeout(timeout);
  return new CliResult(code, signal, output.stdout, output.stderr);
}
