/** @file The interactive table on a real (pseudo) terminal: keys work, and the terminal is left as it was. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { missingProgram, needs } from "../../support/needs.js";

const at = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

interface Session {
  readonly code: number;
  /** What was written before the first key, and after each. */
  readonly screens: readonly string[];
}

/** Runs the table on a terminal of 60 × 12 and presses keys. */
async function onTerminal(keys: readonly string[], ...args: readonly string[]): Promise<Session> {
  const command = [at("terminal.py"), JSON.stringify(keys), process.execPath, at("interactive.mjs"), ...args];
  const { stdout } = await promisify(execFile)("python3", command, { timeout: 90_000 });
  return JSON.parse(stdout) as Session;
}

const ENTER = "\x1b[?1049h\x1b[?25l";
const LEAVE = "\x1b[?25h\x1b[?1049l";
/** A screen without marks, line by line. */
const linesOf = (screen: string): string[] =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with one
  screen.replace(/\x1b\[[0-9;?]*[A-Za-z]/g, "").split(/\r+\n/);

describe("the interactive table", { timeout: 120_000 }, () => {
  needs(missingProgram("python3", ["-c", "import pty, termios"]));

  it("draws, sorts, and leaves the terminal as it was", async () => {
    const { code, screens } = await onTerminal(["\x1b[C", "s", "q"]);
    const [first = "", , sorted = "", end = ""] = screens;
    expect(first.startsWith(ENTER)).toBe(true);
    expect(linesOf(first).slice(0, 4)).toEqual(["two tasks", "task    value", "camera      2", "door        1"]);
    expect(linesOf(first)).toHaveLength(12);
    expect(linesOf(sorted).slice(1, 4)).toEqual(["task    value ▲", "door          1", "camera        2"]);
    expect(end).toBe(`${LEAVE}closed, interrupted: false, raw: false\r\n`);
    expect(code).toBe(0);
  });

  it.each([
    ["Ctrl-C", "\x03"],
    ["a signal", "SIGTERM"],
  ])("is closed by %s", async (_name, key) => {
    const { screens } = await onTerminal([key]);
    expect(screens.at(-1)).toBe(`${LEAVE}closed, interrupted: true, raw: false\r\n`);
  });

  it("leaves the terminal as it was where drawing fails", async () => {
    const { screens } = await onTerminal(["s"], "broken");
    expect(screens.at(-1)).toBe(`${LEAVE}failed: no keys, raw: false\r\n`);
  });
});
