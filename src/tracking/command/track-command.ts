/** @file `cool track`: a command of any language as a run. */
import { closeSync, openSync, rmSync } from "node:fs";
import { join } from "node:path";
import { messageOf } from "../../errors.js";
import { inSlices, type Sliced } from "../../platform/yield-to.js";
import type { RunSummary } from "../../records/run-summary.js";
import { startRun, type StartRunOptions } from "../start-run.js";
import type { TrackedRun } from "../tracked-run.js";
import { argumentsAsConfig } from "./arguments.js";
import { type ChildEnd, runChild } from "./child.js";
import { applyJsonLine } from "./json-lines.js";
import { LineTail } from "./line-tail.js";
import { ScalarPatterns } from "./scalar-patterns.js";
import { WatchedFolder } from "./watched-folder.js";

export interface TrackCommandOptions
  extends Pick<StartRunOptions, "store" | "name" | "project" | "tags" | "note" | "names"> {
  /** Program and arguments. */
  readonly command: readonly string[];
  /** Regular expressions whose named groups are scalars. */
  readonly scalars?: readonly string[] | undefined;
  /** Folders below which the command writes event files. */
  readonly watch?: readonly string[] | undefined;
  /** Seconds from SIGTERM until the command is killed; default 10. */
  readonly killAfterS?: number | undefined;
  /** Where its stdout goes; default: to this process's. */
  readonly stdout?: NodeJS.WritableStream | undefined;
  /** Called when the run is there, before the command starts. */
  readonly onBegun?: ((run: Pick<TrackedRun, "id" | "name" | "dir">) => void) | undefined;
}

/** What `cool track --json` prints. */
export interface TrackResult {
  readonly run: RunSummary;
  readonly exit_code: number;
  /** That ended the command. */
  readonly signal: NodeJS.Signals | null;
  /** Why the command could not be started, or what it ended with. */
  readonly error: string | null;
}

const POLL_MS = 500;
const MOST_WARNINGS = 20;
const DEFAULT_KILL_AFTER_S = 10;

/**
 * Runs the command to its end.
 * @throws UsageError for options that cannot be followed, before anything runs
 */
export async function trackCommand(options: TrackCommandOptions): Promise<TrackResult> {
  const { command, watch = [], killAfterS = DEFAULT_KILL_AFTER_S } = options;
  const patterns = new ScalarPatterns(options.scalars ?? []);
  const config = argumentsAsConfig(command);
  const run = begin(options, config);
  options.onBegun?.(run);
  const told = new LinesTold(run);
  const folders = watch.map((folder) => new WatchedFolder(run, folder));
  const reading = oneAtATime(async (end: boolean): Promise<void> => {
    // a command may write faster than lines are taken; signals have their turn meanwhile
    await inSlices(told.read(end), undefined);
    for (const folder of folders) folder.read();
  });
  const timer = setInterval(() => reading.unlessBusy(false), POLL_MS);
  const logLine = scalarLogger(run, patterns);
  try {
    const end = await runChild({
      command,
      env: {
        COOL_TRACK_FILE: told.file,
        COOL_TRACK_RUN: run.id,
        PYTHONUNBUFFERED: process.env.PYTHONUNBUFFERED ?? "1",
      },
      stdout: options.stdout ?? process.stdout,
      stderr: process.stderr,
      onLine: logLine,
      killAfterS,
      onKill: (reason) => run.warn(reason),
    });
    clearInterval(timer);
    await reading.next(true);
    told.remove();
    return await finish(run, command, end);
  } catch (error) {
    // a second call of finish does nothing
    await run.finish({ error: messageOf(error) }).catch(() => {});
    throw error;
  } finally {
    clearInterval(timer);
  }
}

function begin({ command, ...options }: TrackCommandOptions, config: Readonly<Record<string, unknown>>): TrackedRun {
  const { store, name, project, tags, note, names } = options;
  const { seed, epochs } = config;
  return startRun({
    ...{ store, name, project, tags, note, names, config },
    // what they mean is the same everywhere
    seed: Number.isSafeInteger(seed) ? Number(seed) : undefined,
    epochs: Number.isSafeInteger(epochs) && Number(epochs) >= 0 ? Number(epochs) : undefined,
    commandLine: command.join(" "),
  });
}

async function finish(run: TrackedRun, [program = ""]: readonly string[], end: ChildEnd): Promise<TrackResult> {
  const { exitCode, signal, stoppedBy, problem } = end;
  const reason =
    problem ??
    (signal === null ? `${program} ended with exit code ${exitCode}.` : `${program} was ended by ${signal}.`);
  const failed = exitCode !== 0 && stoppedBy === null;
  const state = stoppedBy !== null ? "interrupted" : failed ? "failed" : "finished";
  const summary = await run.finish(failed ? { state, error: reason } : { state });
  return { run: summary, exit_code: exitCode, signal, error: failed ? reason : null };
}

/** What no number is stands behind many lines, and is told once per name. */
function scalarLogger(run: TrackedRun, patterns: ScalarPatterns): (line: string) => void {
  const told = new Set<string>();
  let epoch: number | undefined;
  const warnOnce = (name: string, text: string): void => {
    if (told.has(name) || told.size >= MOST_WARNINGS) return;
    told.add(name);
    run.warn(text);
  };
  return (line) => {
    const read = patterns.read(line);
    if (read === null) return;
    for (const [name, text] of Object.entries(read.rest)) {
      warnOnce(name, `--scalar found ${JSON.stringify(text.slice(0, 60))} for "${name}", which is no number.`);
    }
    // "Epoch 3" mostly stands on a line of its own, before what belongs to it
    epoch = read.options.epoch ?? epoch;
    try {
      run.log(read.values, { ...read.options, epoch });
    } catch (error) {
      warnOnce(messageOf(error), `--scalar: ${messageOf(error)}`);
    }
  };
}

/** Work that is begun again and again, and never twice at a time. */
function oneAtATime<Argument>(work: (argument: Argument) => Promise<void>) {
  let current: Promise<void> | null = null;
  const start = (argument: Argument): Promise<void> => {
    current = work(argument).finally(() => {
      current = null;
    });
    return current;
  };
  return {
    /** What fails is told by the next one that is waited for. */
    unlessBusy: (argument: Argument): void => {
      if (current === null) start(argument).catch(() => {});
    },
    next: async (argument: Argument): Promise<void> => {
      await current;
      await start(argument);
    },
  };
}

/** The file that COOL_TRACK_FILE names: a line that is wrong is named, and the rest goes on. */
class LinesTold {
  readonly file: string;
  readonly #run: TrackedRun;
  readonly #tail: LineTail;
  #wrong = 0;

  constructor(run: TrackedRun) {
    this.#run = run;
    this.file = join(run.dir, "track.jsonl");
    this.#tail = new LineTail(this.file);
    closeSync(openSync(this.file, "a"));
  }

  *read(end: boolean): Sliced<void> {
    for (const { number, text } of this.#tail.read(end)) {
      yield;
      if (text?.trim() === "") continue;
      try {
        if (text === null) this.#warn(number, "it is longer than 64 MB.");
        else applyJsonLine(this.#run, text);
      } catch (error) {
        this.#warn(number, messageOf(error));
      }
    }
    if (end && this.#wrong > MOST_WARNINGS) {
      this.#run.warn(`COOL_TRACK_FILE: ${this.#wrong - MOST_WARNINGS} more lines are left out, too.`);
    }
  }

  #warn(number: number, problem: string): void {
    this.#wrong += 1;
    if (this.#wrong <= MOST_WARNINGS) this.#run.warn(`COOL_TRACK_FILE: line ${number} is left out: ${problem}`);
  }

  /** What was taken is in the store; with a wrong line it stays, to be looked at. */
  remove(): void {
    if (this.#wrong === 0) rmSync(this.file, { force: true });
  }
}
