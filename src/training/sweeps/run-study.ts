/** @file A study from outside: the processes that work on it, begun, watched and stopped. */
import { type ChildProcess, fork } from "node:child_process";
import { CoolError, InterruptedError, TrainingError, UsageError } from "../../errors.js";
import { type EntryPoint, entryPoint } from "../../platform/entry-point.js";
import { openRunStore } from "../../storage/run-store.js";
import type { FromWorker } from "./sweep-entry.js";
import type { StudyEvent } from "../../sweeping/study/study-event.js";
import type { StudyWork } from "./work-on-study.js";

export interface RunStudyOptions {
  /** Processes that work on it together. */
  readonly parallel: number;
  readonly signal: AbortSignal;
  readonly tell: (event: StudyEvent) => void;
  /** What each process runs; another one in tests. */
  readonly entry?: EntryPoint;
}

/** As many processes may die in a row before nobody begins another. */
const MOST_DEATHS = 3;
/** Of what a process wrote before it died so much is quoted. */
const LAST_WORDS = 600;

/**
 * Trains the trials that are left. Trials run in processes of their own: one that dies takes no other with it, and its
 * trial goes on from its last checkpoint in the next.
 * @throws InterruptedError when the signal has fired and every process has ended; what every trial would fail of
 */
export async function runStudy(work: StudyWork, options: RunStudyOptions): Promise<void> {
  const workers = Array.from({ length: options.parallel }, () => keepWorking(work, options));
  const ends = await Promise.allSettled(workers);
  const failed = ends.find((end) => end.status === "rejected");
  if (failed !== undefined) throw failed.reason;
  if (options.signal.aborted) throw new InterruptedError("Interrupted.");
  endStudy(work);
}

/** Marks a study of which every trial has ended. */
function endStudy({ storeDir, study }: StudyWork): void {
  const store = openRunStore(storeDir, { create: false });
  try {
    const isOpen = store.readTrials(study).some(({ state }) => state === "running" || state === "interrupted");
    if (!isOpen) store.endGroup(study, []);
  } finally {
    store.close();
  }
}

/** One worker, and the next one in its place where it dies. */
async function keepWorking(work: StudyWork, options: RunStudyOptions): Promise<void> {
  let deaths = 0;
  while (!options.signal.aborted) {
    let ended = false;
    const end = await workerEnd(work, {
      ...options,
      tell(event) {
        ended ||= event.kind === "ended";
        options.tell(event);
      },
    });
    if (end.kind === "done" || end.kind === "interrupted") return;
    if (end.kind === "failed") throw errorOf(end);
    deaths = ended ? 1 : deaths + 1;
    if (deaths >= MOST_DEATHS) {
      throw new TrainingError(
        `The process of a trial ended ${end.how}, ${deaths} times in a row. Nothing else is lost; go on with: cool sweep --resume ${work.study}${end.words === "" ? "" : `\n${end.words}`}`,
        { study: work.study, how: end.how },
      );
    }
  }
}

type WorkerEnd =
  | Exclude<FromWorker, { readonly kind: "told" }>
  | { readonly kind: "died"; readonly how: string; readonly words: string };

function workerEnd(work: StudyWork, { signal, tell, entry }: RunStudyOptions): Promise<WorkerEnd> {
  const { script, args } = entry ?? entryPoint("training/sweeps/sweep-entry");
  const child = fork(script, [...args], { execArgv: [], stdio: ["ignore", "pipe", "pipe", "ipc"] });
  const words = lastWords(child);
  const stop = (): void => {
    if (child.connected) child.send("stop", () => {});
  };
  // a second Ctrl-C ends this process at once: no worker may outlive it for long
  const onExit = (): void => void child.kill("SIGKILL");
  process.once("exit", onExit);
  signal.addEventListener("abort", stop, { once: true });
  child.send(work, () => {});
  if (signal.aborted) stop();
  return new Promise((resolve) => {
    let said: WorkerEnd | null = null;
    child.on("message", (message: FromWorker) => {
      if (message.kind === "told") tell(message.event);
      else said = message;
    });
    const end = (how: string): void => {
      process.off("exit", onExit);
      signal.removeEventListener("abort", stop);
      resolve(said ?? { kind: "died", how, words: words() });
    };
    child.on("error", (error) => end(`before it began: ${error.message}`));
    child.on("close", (code, by) => end(by === null ? `with exit code ${code}` : `by signal ${by}`));
  });
}

/** A run's output is in its folder; what a process says when it dies stands here alone. */
function lastWords({ stdout, stderr }: ChildProcess): () => string {
  let text = "";
  stdout?.resume();
  stderr?.on("data", (chunk: Buffer) => {
    text = (text + chunk.toString("utf8")).slice(-LAST_WORDS);
  });
  return () => text.trim();
}

/** The error of a worker, as this process throws it. */
function errorOf({ name, message, facts, exitCode }: FromWorker & { readonly kind: "failed" }): Error {
  if (name === "Error") return new Error(message);
  return exitCode === 2 ? new UsageError(message, facts) : new CoolError(message, facts);
}
