/** @file Alerts: conditions on curves, what they say, and what they start. */
import { describe, expect, test } from "vitest";
import { type Alert, alertLogger, checkAlerts } from "../../src/project/alerts.js";
import type { MetricPoint } from "../../src/tasks/evaluation.js";
import { securityGraph as graph } from "../support/security-flow.js";

const RUN = { id: "20261130-120000-abcd", name: "a", project: "p", dir: "/runs/a", config: {}, step: 0 };

function point(name: string, value: number | null, epoch = 1): MetricPoint {
  const [split = "", taskPath = "", metricName = ""] = name.split("/");
  return { split: split as MetricPoint["split"], taskPath, metricName, value, epoch, step: 10 * epoch, wallTime: 0 };
}

/** What an alert says as epochs bring values of one curve. */
async function saidOf(alert: Alert, name: string, values: readonly (number | null)[]) {
  const [said, started]: [string[], [string, Readonly<Record<string, string>>][]] = [[], []];
  const hook = (command: string, facts: Readonly<Record<string, string>>) => {
    started.push([command, facts]);
    return Promise.resolve(command === "fails" ? "ended with code 1" : null);
  };
  const logger = alertLogger(checkAlerts([alert], graph, "cool.config.ts"), RUN, (line) => said.push(line), hook);
  for (const [i, value] of values.entries()) logger.points?.([point(name, value, i + 1)]);
  await logger.close?.();
  return { said, started };
}

describe("an alert", () => {
  test("is said when its condition comes to hold, and again when it has ceased in between", async () => {
    const { said } = await saidOf({ when: "valid/_total/loss > 2" }, "valid/_total/loss", [1, 3, 4, 1, 5]);
    expect(said).toEqual([
      "alert: valid/_total/loss > 2 (valid/_total/loss 3)",
      "alert: valid/_total/loss > 2 (valid/_total/loss 5)",
    ]);
  });

  test.each([
    ["valid/_total/loss is nan", [1, Number.NaN], 1],
    ["valid/_total/loss is nan", [1, null], 1],
    ["valid/_total/loss is not nan", [Number.NaN, 2], 1],
    ["valid/_total/loss < 2", [Number.NaN], 0],
    ["not valid/_total/loss < 2", [Number.NaN], 0],
    ["epoch > 2 and valid/_total/loss >= 1", [1, 1, 1], 1],
    ["epoch in (1, 3)", [1, 1, 1], 2],
    ["valid/door_open/f1_score < 0.5 or epoch = 2", [1, 1], 1],
    ["valid/door_open/f1_score < 0.5", [1, 1], 0],
  ])("%s of %j is said %i times", async (when, values, times) => {
    expect((await saidOf({ when }, "valid/_total/loss", values)).said).toHaveLength(times);
  });

  test("starts its command with the run in its environment, and a failure is said", async () => {
    const alert = { when: "valid/_total/loss is nan", run: "fails" };
    const { said, started } = await saidOf(alert, "valid/_total/loss", [1, Number.NaN]);
    const facts = { COOL_RUN_ID: RUN.id, COOL_RUN_NAME: "a", COOL_RUN_DIR: "/runs/a" };
    expect(started).toEqual([["fails", { ...facts, COOL_ALERT: alert.when, COOL_EPOCH: "2" }]]);
    expect(said.at(-1)).toBe("The command of an alert ended with code 1: fails");
  });

  test.each([
    [
      [{ when: "valid/dor_open/f1_score < 1" }],
      '"valid/dor_open/f1_score" is no curve.* Did you mean the task "door_open"',
    ],
    [[{ when: "loss is nan" }], '"loss" is no curve'],
    [[{ when: "valid/_total/loss >" }], "Expected a number"],
    [[{ wen: "x" }], '"wen" is no part of an alert'],
    [[{}], "it has no condition"],
    [[{ when: "epoch > 1", run: 7 }], "run is no command line"],
    [{ when: "epoch > 1" }, "log.alerts is no list"],
  ])("that is wrong is refused: %j", (alerts, message) => {
    expect(() => checkAlerts(alerts, graph, "cool.config.ts")).toThrow(new RegExp(message));
  });
});
