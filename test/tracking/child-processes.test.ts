/** @file Signals to a tracked command reach what it has started, too. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { runChild } from "../../src/tracking/command/child.js";

let dir = "";
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "cool-child-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const PATIENT = { timeout: 60_000, interval: 50 };

/** A shell with a process below it, sent SIGHUP as soon as that one is there. */
async function hungUp(setting: string, killAfterS: number) {
  const pidFile = join(dir, "pid");
  const below = `${setting} echo $$ > ${pidFile}.new; mv ${pidFile}.new ${pidFile}; while :; do sleep 0.05; done`;
  const reasons: string[] = [];
  const end = runChild({
    command: ["sh", "-c", `${setting} sh -c '${below}' & wait; wait; while :; do sleep 0.05; done`],
    ...{ env: {}, stdout: new PassThrough(), stderr: new PassThrough(), onLine: () => {}, killAfterS },
    onKill: (reason) => reasons.push(reason),
  });
  await vi.waitFor(() => expect(existsSync(pidFile)).toBe(true), PATIENT);
  process.emit("SIGHUP", "SIGHUP");
  const { exitCode } = await end;
  const pid = Number(readFileSync(pidFile, "utf8"));
  // not there any more, or a process that nobody has asked about since it ended
  const isOver = (): boolean => {
    const stat = existsSync(`/proc/${pid}/stat`) ? readFileSync(`/proc/${pid}/stat`, "utf8") : "";
    return stat === "" || stat.includes(") Z ");
  };
  await vi.waitFor(() => expect(isOver()).toBe(true), PATIENT);
  return { exitCode, reasons };
}

test.skipIf(process.platform !== "linux")(
  "a signal ends a process that the command has started (skipped without /proc)",
  { timeout: 120_000 },
  async () => {
    expect(await hungUp("", 60)).toEqual({ exitCode: 129, reasons: [] });
  },
);

test.skipIf(process.platform !== "linux")(
  "what ignores the signal is killed with the command (skipped without /proc)",
  { timeout: 120_000 },
  async () => {
    const { exitCode, reasons } = await hungUp('trap "" HUP;', 1);
    expect([exitCode, reasons]).toEqual([137, ["It has not ended 1 seconds after SIGHUP, and is killed."]]);
  },
);
