/** @file `cool watch` in a real terminal (tmux): sizes, keys, suspension, and what happens to the store meanwhile. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { displayWidth } from "../../src/cli/tables/display-width.js";
import { openRunStore, type RunStore } from "../../src/storage/run-store.js";
import type { MetricPoint } from "../../src/tasks/evaluation.js";
import { missingProgram, needs } from "../support/needs.js";

const cool = fileURLToPath(new URL("../../bin/run.js", import.meta.url));
// a server for each test, which nobody else's sessions live in, nor meets the one before while that ends
let sockets = 0;
let socket = "";

let dir: string;
let store: RunStore;
let id: string;

const tmux = (...args: string[]): string =>
  execFileSync("tmux", ["-L", socket, "-f", "/dev/null", ...args], { encoding: "utf8" });
const screen = (): string => tmux("capture-pane", "-p", "-t", "watch");
const press = (...keys: string[]): string => tmux("send-keys", "-t", "watch", ...keys);

/** The screen that fits, once nothing more is drawn on it. */
async function until(pattern: RegExp, absent = false): Promise<string> {
  let before = "";
  for (const deadline = Date.now() + 60_000; ; await new Promise((resolve) => setTimeout(resolve, 100))) {
    const text = screen();
    if (pattern.test(text) !== absent && text === before) return text;
    before = text;
    if (Date.now() > deadline) throw new Error(`no ${pattern} on the screen:\n${text}`);
  }
}

/** A shell of its own, in which the command is a job. */
function start(columns: number, rows: number, command = `${process.execPath} ${cool} watch --store ${dir}`): void {
  socket = `cool-watch-${process.pid}-${sockets++}`;
  const shell = "bash --norc --noprofile";
  tmux(
    "new-session",
    "-d",
    "-s",
    "watch",
    "-x",
    String(columns),
    "-y",
    String(rows),
    `env PS1='$ ' NO_COLOR= ${shell}`,
  );
  press(command, "Enter");
}

function points(from: number, to: number): MetricPoint[] {
  const epochs = Array.from({ length: to - from + 1 }, (_, i) => from + i);
  return epochs.flatMap((epoch) =>
    ["_total", "door", "window"].flatMap((taskPath) =>
      (["train", "valid"] as const).map((split): MetricPoint => {
        const at = { step: 10 * epoch, epoch, wallTime: epoch };
        return { ...at, split, taskPath, metricName: "loss", value: 4 / epoch };
      }),
    ),
  );
}

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "cool-watch-"));
  store = openRunStore(dir);
  for (let i = 0; i < 30; i += 1) store.finishRun(store.createRun({ project: "p", name: `old-${i}` }).id, "finished");
  ({ id } = store.createRun({ project: "p", name: "live", epochs: 20 }));
  store.appendMetrics(id, points(1, 4));
});
afterAll(() => {
  store.close();
  rmSync(dir, { recursive: true, force: true });
});
afterEach(() => {
  spawnSync("tmux", ["-L", socket, "kill-server"]);
});

describe("cool watch in a terminal", { timeout: 300_000 }, () => {
  needs(missingProgram("tmux", ["-V"]));

  it.each([
    [80, 24],
    [120, 40],
    [200, 50],
  ])("fills %d × %d, opens a run, and leaves the terminal as it was", async (columns, rows) => {
    start(columns, rows);
    const list = await until(/live +running/);
    const lines = list.replace(/\n$/, "").split("\n");
    expect(lines.length).toBe(rows);
    for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(columns);
    expect(lines[0]).toMatch(/31 runs, 1 running$/);
    expect(list).toMatch(/_total\/loss .*train 1 {2}valid 1/);
    press("Enter");
    const run = await until(/curves 1–\d of 3/);
    expect(run).toMatch(/active rows per epoch/);
    expect(run).toMatch(/valid\/_total\/loss 1\.0000, best 1\.0000 \(epoch 4\)/);
    press("q");
    // the shell's own screen
    expect(await until(/watch --store .*\n\$/s)).not.toContain("curves");
  });

  it("moves, searches, sorts, explains itself and pauses", async () => {
    start(80, 24);
    await until(/live +running/);
    press("/", "old-2");
    await until(/11 of 31 runs/);
    press("Enter", "s");
    await until(/order: name/);
    press("Escape");
    await until(/(?<!of )31 runs, 1 running/);
    press("?");
    await until(/suspend; fg comes back/);
    press("j", "Space");
    await until(/PAUSED/);
    press("C-c");
    await until(/runs, /, true);
    press("echo code $?", "Enter");
    await until(/code 130/);
  });

  it("shows points as they are written, a new size, and goes on after Ctrl-Z and fg", async () => {
    start(80, 24, `${process.execPath} ${cool} watch live --store ${dir}`);
    await until(/best 1\.0000 \(epoch 4\)/);
    store.appendMetrics(id, points(5, 8));
    await until(/best 0\.5000 \(epoch 8\)/);
    tmux("resize-window", "-t", "watch", "-x", "120", "-y", "40");
    expect((await until(/window\/loss/)).split("\n")[0]?.length).toBeGreaterThan(100);
    press("C-z");
    await until(/Stopped/);
    press("fg", "Enter");
    await until(/best 0\.5000 \(epoch 8\)/);
    press("q");
    await until(/curves 1/, true);
  });

  it("says that a run was removed, and ends when its terminal is closed", async () => {
    const gone = store.createRun({ project: "p", name: "gone" });
    store.finishRun(gone.id, "finished");
    start(80, 24, `echo pid $$; exec ${process.execPath} ${cool} watch gone --store ${dir}`);
    await until(/no curves yet/);
    const pid = Number(tmux("display-message", "-p", "-t", "watch", "#{pane_pid}"));
    store.trashRun(gone.id);
    await until(/in the trash/);
    store.deleteRun(gone.id);
    await until(/The run was deleted/);
    tmux("kill-session", "-t", "watch");
    for (const deadline = Date.now() + 30_000; ; await new Promise((resolve) => setTimeout(resolve, 100))) {
      if (spawnSync("kill", ["-0", String(pid)]).status !== 0) break;
      expect(Date.now()).toBeLessThan(deadline);
    }
  });

  it("prints one picture where the terminal cannot be drawn on", async () => {
    start(80, 24, `TERM=dumb ${process.execPath} ${cool} watch live --store ${dir}; echo "code $?"`);
    const text = await until(/code 0/);
    expect(text).toMatch(/curves 1–2 of 3/);
  });
});
