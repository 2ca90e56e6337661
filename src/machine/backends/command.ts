/** @file Runs the programs that an installation needs, so that they end with it. */
import { spawn } from "node:child_process";
import { closeSync, openSync, writeSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { BackendError, InterruptedError } from "../../errors.js";

export interface CommandOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Receives all that the program prints. */
  readonly logFile: string;
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number;
}

const WINDOWS = process.platform === "win32";

/**
 * Runs a program to its end, with whatever it starts itself.
 * @returns what it printed on stdout
 * @throws BackendError with its last lines; InterruptedError where the signal ended it
 */
export async function runCommand(file: string, args: readonly string[], options: CommandOptions): Promise<string> {
  options.signal?.throwIfAborted();
  const log = openSync(options.logFile, "a");
  writeSync(log, `$ ${[file, ...args].join(" ")}\n`);
  const child = spawn(file, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ["ignore", "pipe", log],
    // a group of its own, which can be ended as a whole: npm and make start programs themselves
    detached: !WINDOWS,
    // npm is a script there
    shell: WINDOWS,
  });
  let stdout = "";
  let isLate = false;
  const end = (): void => endGroup(child.pid);
  options.signal?.addEventListener("abort", end);
  const timer = setTimeout(() => {
    isLate = true;
    end();
  }, options.timeoutMs ?? COMMAND_MS);
  try {
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
      writeSync(log, text);
    });
    const code = await new Promise<number | string>((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (status, signal) => resolve(status ?? signal ?? "unknown"));
    });
    if (options.signal?.aborted === true) throw new InterruptedError("The installation was stopped.");
    if (code === 0) return stdout;
    const ending = isLate ? "took too long" : `ended with ${code}`;
    const said = await reasonIn(options.logFile);
    throw new BackendError(`${[basename(file), ...args].slice(0, 3).join(" ")} ${ending}: ${said}.`, {
      command: [file, ...args],
      code,
    });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    throw new BackendError(`There is no ${file} on this machine, which the installation needs.`, { command: file });
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener("abort", end);
    closeSync(log);
  }
}

const COMMAND_MS = 20 * 60_000;

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(WINDOWS ? pid : -pid, "SIGTERM");
  } catch {
    // it has ended by itself
  }
}

/** The line of a program's output that says best what went wrong. */
async function reasonIn(logFile: string): Promise<string> {
  const lines = (await readFile(logFile, "utf8")).split("\n").map((line) => line.trim());
  const own = lines.slice(lines.findLastIndex((line) => line.startsWith("$ ")) + 1).filter((line) => line !== "");
  const telling = own.findLast(
    (line) => /error/i.test(line) && !/^(npm|gyp|node-pre-gyp) \S+ (System|not ok)/.test(line),
  );
  return (telling ?? own.at(-1) ?? "it printed nothing").slice(0, 300).replace(/[.\s]+$/, "");
}
