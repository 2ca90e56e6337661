/** @file Trials as searches and pruning see them: what was tried, and what it came to. Lower values are better. */
import type { Parameters } from "../space/space.js";

export type Outcome =
  /** In the order of the objectives, each turned so that lower is better. */
  | { readonly kind: "finished"; readonly values: readonly number[] }
  /** Ended after so many epochs with this best value. */
  | { readonly kind: "pruned"; readonly epochs: number; readonly value: number }
  /** Diverged, or its objective is undefined. */
  | { readonly kind: "failed" }
  | { readonly kind: "running" };

export interface Trial {
  /** From 1. */
  readonly number: number;
  readonly parameters: Parameters;
  readonly outcome: Outcome;
}

/** A trial with all values. */
export type FinishedTrial = Trial & { readonly outcome: Extract<Outcome, { readonly kind: "finished" }> };

export function isFinished(trial: Trial): trial is FinishedTrial {
  return trial.outcome.kind === "finished";
}
