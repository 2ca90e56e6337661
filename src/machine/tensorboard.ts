/** @file `cool tensorboard`: the real TensorBoard on the runs of a store. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CoolError } from "../errors.js";
import type { RunStore } from "../storage/run-store.js";
import { hparamColumns, writeHParams } from "./tensorboard-hparams.js";
import {
  linkRuns,
  type ShownParts,
  type ShownRun,
  shownParts,
  shownRuns,
  type WantedRuns,
} from "./tensorboard-links.js";
import type { Program } from "./tensorboard-program.js";

export interface TensorBoardOptions extends WantedRuns {
  readonly program: Program;
  /** Default: the first free one from 6006. */
  readonly port?: number | undefined;
}

/** A TensorBoard that can be started. */
export interface TensorBoardPlan {
  /** Program and arguments. */
  readonly command: readonly string[];
  /** Folder of links to the runs, made for this TensorBoard. */
  readonly logdir: string;
  readonly runs: readonly ShownRun[];
}

export interface TensorBoardAddress {
  readonly url: string;
  readonly logdir: string;
  readonly runs: readonly ShownRun[];
}

const RELINK_MS = 5000;
// 1000 steps of each image: the default of 10 would drop the sheets of a long run
const SAMPLES = "images=1000";

/**
 * Links the runs under their names into a new folder.
 * @throws UnknownNameError for a run that is not there
 */
export function planTensorBoard(store: RunStore, options: TensorBoardOptions): TensorBoardPlan {
  const runs = shownRuns(store, options);
  const logdir = mkdtempSync(join(tmpdir(), "cool-tensorboard-"));
  const shown = shownParts(runs);
  link(store, logdir, runs, shown);
  const port = options.port === undefined ? [] : ["--port", String(options.port)];
  const command = [
    ...options.program,
    ...["--logdir", logdir, "--host", "127.0.0.1", ...port, "--samples_per_plugin", SAMPLES],
  ];
  return { command, logdir, runs };
}

function link(store: RunStore, logdir: string, runs: readonly ShownRun[], shown: ShownParts): void {
  let columns: ReturnType<typeof hparamColumns> | undefined;
  linkRuns(logdir, runs, shown, (run, folder) => {
    columns ??= hparamColumns(store, runs, shown);
    writeHParams(store, run, folder, columns);
  });
}

/**
 * Runs TensorBoard until it ends or is interrupted: SIGINT, SIGTERM and SIGHUP are passed on to it. Runs that begin meanwhile
 * appear by themselves.
 * @param onReady told once, when it answers
 * @param onOutput what TensorBoard prints
 * @throws CoolError if it fails, with its last words
 */
export async function serveTensorBoard(
  store: RunStore,
  { command, logdir, runs }: TensorBoardPlan,
  wanted: WantedRuns,
  onReady: (address: TensorBoardAddress) => void,
  onOutput: (text: string) => void,
): Promise<void> {
  const [program = "", ...args] = command;
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
  const shown = shownParts(runs);
  const relink = setInterval(() => showNewRuns(store, logdir, wanted, shown), RELINK_MS);
  const pass = (signal: NodeJS.Signals): void => {
    child.kill(signal);
  };
  for (const signal of STOP_SIGNALS) process.on(signal, pass);
  try {
    await untilEnd(child, (url) => onReady({ url, logdir, runs }), onOutput);
  } finally {
    clearInterval(relink);
    for (const signal of STOP_SIGNALS) process.off(signal, pass);
    rmSync(logdir, { recursive: true, force: true });
  }
}

/** Runs that have begun, and event files that a run which goes on has opened. */
function showNewRuns(store: RunStore, logdir: string, wanted: WantedRuns, shown: ShownParts): void {
  try {
    link(store, logdir, shownRuns(store, wanted), shown);
  } catch {
    // a store that is busy or a disk that is full now; what is shown stays, and the next round tries again
  }
}

const STOP_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
const ADDRESS = /TensorBoard \S+ at (http:\/\/\S+)/;
const KEPT = 4000;

function untilEnd(child: ChildProcess, onUrl: (url: string) => void, onOutput: (text: string) => void): Promise<void> {
  let said = "";
  let isReady = false;
  const hear = (chunk: Buffer): void => {
    const text = chunk.toString();
    onOutput(text);
    said = (said + text).slice(-KEPT);
    const url = isReady ? undefined : ADDRESS.exec(said)?.[1];
    if (url === undefined) return;
    isReady = true;
    onUrl(url);
  };
  child.stdout?.on("data", hear);
  child.stderr?.on("data", hear);
  return new Promise((resolve, reject) => {
    child.on("error", (error) => reject(new CoolError(`TensorBoard cannot be started: ${error.message}.`, {})));
    child.on("close", (code, signal) => {
      if (code === 0 || STOP_SIGNALS.some((stop) => stop === signal)) return resolve();
      const last = said.trim().split("\n").at(-1) ?? "";
      reject(new CoolError(`TensorBoard ended with code ${code ?? signal}: ${last}`, { code, signal }));
    });
  });
}
