/** @file Workers in threads, or in processes where what computes can be loaded only once into each. */
import { fork } from "node:child_process";
import { Worker } from "node:worker_threads";
import { type EntryPoint, entryPoint } from "../../platform/entry-point.js";
import { type FromWorker, givenAway, type ToWorker } from "./messages.js";

export interface LinkEvents {
  onMessage(message: FromWorker): void;
  /** @param how it ended, in words that follow "a worker ended" */
  onEnd(how: string): void;
}

/** The way to one worker. */
export interface Link {
  send(message: ToWorker): void;
  /** Ends it at once. */
  end(): Promise<void>;
}

/** Starts a worker. */
export type OpenLink = (events: LinkEvents) => Link;

/** @param entry what it runs; another one in tests */
export function linksOf(
  transport: "threads" | "processes",
  entry: EntryPoint = entryPoint("serving/workers/worker-entry"),
): OpenLink {
  return transport === "threads" ? (events) => openThread(entry, events) : (events) => openProcess(entry, events);
}

function openThread({ script, args }: EntryPoint, events: LinkEvents): Link {
  const worker = new Worker(script, { argv: [...args], execArgv: [], stdout: true, stderr: true });
  // standard output belongs to the command's result
  for (const stream of [worker.stdout, worker.stderr]) stream.on("data", (chunk) => process.stderr.write(chunk));
  let fault: Error | null = null;
  worker.on("message", (message: FromWorker) => events.onMessage(message));
  worker.on("error", (error) => {
    fault = error;
  });
  worker.on("exit", (code) => events.onEnd(fault === null ? `with exit code ${code}` : `with ${fault.message}`));
  return {
    send: (message) => worker.postMessage(message, givenAway(message)),
    async end() {
      await worker.terminate();
    },
  };
}

function openProcess({ script, args }: EntryPoint, events: LinkEvents): Link {
  const child = fork(script, [...args], {
    // typed arrays as they are
    serialization: "advanced",
    execArgv: [],
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk) => process.stderr.write(chunk));
  const ended = new Promise<void>((resolve) => {
    const end = (how: string): void => {
      events.onEnd(how);
      resolve();
    };
    child.on("error", (error) => end(`before it began: ${error.message}`));
    child.on("exit", (code, signal) => end(signal === null ? `with exit code ${code}` : `by signal ${signal}`));
  });
  child.on("message", (message) => {
    if (isReply(message)) events.onMessage(message);
  });
  return {
    send(message) {
      // one that has gone tells more by its exit
      if (child.connected) child.send(message, () => {});
    },
    async end() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

/** Only our own entry writes to the channel. */
function isReply(message: unknown): message is FromWorker {
  return typeof message === "object" && message !== null && "kind" in message;
}
