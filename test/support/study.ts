/** @file A study in a store without any training: trials of a function. */
import type { RunStore } from "../../src/storage/run-store.js";
import type { StudyDefinition } from "../../src/sweeping/study/definition.js";
import { addRun } from "../ui/ui-app.js";

const RATE = "train.optimizer.learningRate";

export interface MadeStudy {
  readonly id: string;
  /** By trial, from the first. */
  readonly runs: readonly string[];
}

/** What trial `i` (from 0) of {@link addStudy} comes to: the loss, and with two objectives the F1 score. */
export function outcomeOf(i: number): readonly [loss: number, f1: number] {
  const loss = Math.abs(Math.log10(rateOf(i)) + 2) + (i % 2) / 10;
  return [loss, 0.5 + loss / 10 - (i % 3) / 100];
}

/** From 1e-4, five steps a decade, round and round. */
function rateOf(i: number): number {
  return 10 ** ((i % 16) / 5 - 4);
}

/** Every fifth trial is pruned, each has a run; the best rate is 0.01, with `sgd`. */
export function addStudy(store: RunStore, name: string, count: number, objectives: 1 | 2 = 1): MadeStudy {
  const objective = { gates: "truth", split: "valid" } as const;
  const definition: StudyDefinition = {
    ...{ formatVersion: 1, fixed: ["train.epochs=3"], search: "random", seed: 1, prune: null },
    space: [
      { kind: "range", name: RATE, when: null, low: 1e-4, high: 0.1, log: true, step: null },
      { kind: "choice", name: "train.optimizer.kind", when: null, choices: ["sgd", "<b>adamw</b>"] },
    ],
    objectives: [
      { ...objective, taskPath: "_total", metricName: "loss", direction: "minimize" as const },
      { ...objective, taskPath: "door", metricName: "f1_score", direction: "maximize" as const },
    ].slice(0, objectives),
  };
  const id = store.createStudy({ name, project: "security", planned: count, definition: JSON.stringify(definition) });
  const runs = Array.from({ length: count }, (_, i) => {
    const kind = i % 2 === 0 ? "sgd" : "<b>adamw</b>";
    const trial = store.claimTrial(id, () => ({
      kind: "new",
      parameters: { [RATE]: rateOf(i), "train.optimizer.kind": kind },
    }));
    const values = outcomeOf(i);
    const run = addRun(store, `${name}-${i + 1}`, values[1]);
    store.addToGroup(id, run, i + 1);
    const state = i % 5 === 4 ? "pruned" : "finished";
    store.endTrial(id, trial?.number ?? 0, { state, objectives: values.slice(0, objectives), epochsDone: 3 });
    return run;
  });
  return { id, runs };
}
