/** @file What follows from validation losses: best epoch, lower learning rate, early stop. */
import { describe, expect, test } from "vitest";
import {
  afterEpoch,
  hasStoppedEarly,
  type ScheduleConfig,
  type ScheduleDecision,
  startSchedule,
} from "../../../src/engine/optimization/schedule.js";

const never: ScheduleConfig = { learningRate: 0.1, reduceOnPlateau: null, earlyStopping: null };
const plateau: ScheduleConfig = { ...never, reduceOnPlateau: { factor: 0.5, patience: 2, minLearningRate: 0.03 } };
const stopping: ScheduleConfig = { ...never, earlyStopping: { patience: 2 } };

/** Decisions after epochs 1, 2, … with these losses; the state goes through JSON each time, as in a resumed run. */
function decide(
  config: ScheduleConfig,
  losses: readonly (number | null)[],
): (ScheduleDecision & { readonly stop: boolean })[] {
  let state = startSchedule(config);
  return losses.map((loss, i) => {
    const decision = afterEpoch(config, JSON.parse(JSON.stringify(state)), i + 1, loss);
    state = decision.state;
    return { ...decision, stop: hasStoppedEarly(config, state) };
  });
}

describe("the best epoch", () => {
  test("is the first of the lowest loss", () => {
    const decisions = decide(never, [3, 2, 2, 2.5, 1]);
    expect(decisions.map(({ improved }) => improved)).toEqual([true, true, false, false, true]);
    expect(decisions.map(({ state }) => state.best)).toEqual([
      { loss: 3, epoch: 1 },
      { loss: 2, epoch: 2 },
      { loss: 2, epoch: 2 },
      { loss: 2, epoch: 2 },
      { loss: 1, epoch: 5 },
    ]);
    expect(decisions.map(({ state }) => state.epochsSinceBest)).toEqual([0, 0, 1, 2, 0]);
  });

  test("is the latest one, and no improvement, while no epoch has had a value", () => {
    const both = { ...plateau, earlyStopping: { patience: 3 } };
    const decisions = decide(both, Array(4).fill(null));
    expect(decisions.map(({ improved }) => improved)).toEqual([false, false, false, false]);
    expect(decisions.map(({ kept }) => kept)).toEqual([true, true, true, true]);
    expect(decisions.map(({ reduced }) => reduced)).toEqual([false, true, false, true]);
    expect(decisions.map(({ stop }) => stop)).toEqual([false, false, true, true]);
    expect(decisions.at(-1)?.state.best).toEqual({ loss: null, epoch: 4 });
  });

  test("is no epoch without a value once another has had one", () => {
    const decisions = decide(never, [null, 100, null, 101, 99]);
    expect(decisions.map(({ improved }) => improved)).toEqual([false, true, false, false, true]);
    expect(decisions.map(({ kept }) => kept)).toEqual([true, true, false, false, true]);
    expect(decisions.map(({ state }) => state.best?.epoch)).toEqual([1, 2, 2, 2, 5]);
  });

  test("an infinite loss is no improvement", () => {
    expect(decide(never, [5, Number.POSITIVE_INFINITY]).map(({ improved }) => improved)).toEqual([true, false]);
  });
});

describe("reduction on a plateau", () => {
  test("comes after `patience` epochs without improvement, again after as many, down to the minimum", () => {
    const decisions = decide(plateau, [1, 1, 1, 1, 1, 1, 1, 1]);
    expect(decisions.map(({ reduced }) => reduced)).toEqual([false, false, true, false, true, false, false, false]);
    expect(decisions.map(({ state }) => state.learningRate)).toEqual([0.1, 0.1, 0.05, 0.05, 0.03, 0.03, 0.03, 0.03]);
  });

  test("an improvement starts the count again and does not raise the rate", () => {
    const decisions = decide(plateau, [1, 1, 0.9, 1, 1, 0.8]);
    expect(decisions.map(({ reduced }) => reduced)).toEqual([false, false, false, false, true, false]);
    expect(decisions.at(-1)?.state.learningRate).toBe(0.05);
  });

  test("never raises a rate that starts below the minimum", () => {
    const low = { ...plateau, learningRate: 0.01 };
    expect(decide(low, [1, 1, 1, 1]).map(({ state }) => state.learningRate)).toEqual([0.01, 0.01, 0.01, 0.01]);
  });

  test("does not reset the patience of early stopping", () => {
    const both = { ...plateau, earlyStopping: { patience: 3 } };
    expect(decide(both, [1, 1, 1, 1]).map(({ stop }) => stop)).toEqual([false, false, false, true]);
  });
});

describe("early stopping", () => {
  test("comes after `patience` epochs without improvement", () => {
    expect(decide(stopping, [1, 2, 0.5, 0.5, 0.6]).map(({ stop }) => stop)).toEqual([false, false, false, false, true]);
  });

  test("never comes without being asked for", () => {
    expect(decide(never, Array(50).fill(1)).some(({ stop, reduced }) => stop || reduced)).toBe(false);
  });
});
