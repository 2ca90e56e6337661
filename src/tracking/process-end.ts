/** @file Runs that are open when this process ends are closed with it, and say how it ended. */
import { messageOf } from "../errors.js";
import type { RunEnd } from "../logging/run-logger.js";

/** Ends at once; whatever takes time is left out. */
type EndNow = (end: RunEnd, reason: string | null) => void;

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
const open = new Set<EndNow>();
let uncaught: string | null = null;
let stoppedBy: NodeJS.Signals | null = null;

/**
 * Has a run ended when the process ends: finished where it exits with 0, failed where it exits otherwise or dies of an
 * error, interrupted where a signal stops it. What else the process does about errors and signals stays as it is.
 * @returns takes it back
 */
export function onProcessEnd(endNow: EndNow): () => void {
  if (open.size === 0) listen();
  open.add(endNow);
  return () => {
    open.delete(endNow);
    if (open.size === 0) unlisten();
  };
}

function listen(): void {
  process.on("exit", onExit);
  process.on("uncaughtExceptionMonitor", onUncaught);
  for (const signal of SIGNALS) process.on(signal, onSignal);
}

function unlisten(): void {
  process.off("exit", onExit);
  process.off("uncaughtExceptionMonitor", onUncaught);
  for (const signal of SIGNALS) process.off(signal, onSignal);
}

function onUncaught(error: unknown): void {
  uncaught = messageOf(error);
}

function onExit(code: number): void {
  if (stoppedBy !== null) endAll("interrupted", null);
  else if (uncaught !== null) endAll("failed", uncaught);
  else if (code !== 0) endAll("failed", `The process ended with exit code ${code}.`);
  else endAll("finished", null);
}

function onSignal(signal: NodeJS.Signals): void {
  stoppedBy = signal;
  // whoever listens as well decides when the process ends, if at all
  if (process.listenerCount(signal) > 1) return;
  endAll("interrupted", null);
  unlisten();
  // as if nobody had listened
  process.kill(process.pid, signal);
}

function endAll(end: RunEnd, reason: string | null): void {
  for (const endNow of [...open]) endNow(end, reason);
}
