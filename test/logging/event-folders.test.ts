/** @file The event files of one run, by folder. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { EventFolders } from "../../src/logging/event-folders.js";
import { listEventFiles, openEventWriter, readEvents } from "../../src/logging/tensorboard/index.js";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "cool-folders-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const POINT = {
  split: "train",
  taskPath: "_system",
  metricName: "cpu_percent",
  epoch: 1,
  value: 50,
  wallTime: 1,
} as const;

function logLoad(step: number): void {
  const folders = new EventFolders(dir, step);
  folders.points([{ ...POINT, step }]);
  folders.close();
}

/** Tags of the machine's load, in all files. */
function tags(): string[] {
  return listEventFiles(join(dir, "system"))
    .flatMap((file) => readEvents(file))
    .flatMap((event) => (event.content.kind === "summary" ? event.content.values.map(({ tag }) => tag) : []));
}

test("the load of the machine is a group that TensorBoard sorts behind losses and tasks", () => {
  logLoad(1);
  expect(tags()).toEqual(["~system/cpu_percent"]);
  expect(["~system", "_total", "zebra"].sort()).toEqual(["_total", "zebra", "~system"]);
});

test("a run that was begun with the load in a group of the task's name goes on there", () => {
  const before = openEventWriter(join(dir, "system"));
  before.scalar("_system/cpu_percent", 40, 1);
  before.close();
  logLoad(2);
  expect(tags()).toEqual(["_system/cpu_percent", "_system/cpu_percent"]);
});
