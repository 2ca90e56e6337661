/** @file The scripts for shells: bash completes from them, and no summary can break them. */
import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { type CompletedCommand, completionScript } from "../../src/cli/completion.js";

const COMMANDS: readonly CompletedCommand[] = [
  {
    words: ["run"],
    summary: "Train; it's $(quick)",
    flags: [{ name: "epochs", summary: "", options: [], takesValue: true }],
  },
  {
    words: ["runs", "list"],
    summary: "List",
    flags: [
      { name: "state", summary: "", options: ["failed", "finished"], takesValue: true },
      { name: "starred", summary: "", options: [], takesValue: false },
    ],
  },
  { words: ["runs", "show"], summary: "Show", flags: [] },
];

/** What bash offers after some words; the last one is being typed. */
function completed(...words: readonly string[]): string[] {
  const script = `${completionScript("bash", "cool", COMMANDS)}
COMP_WORDS=(cool "$@"); COMP_CWORD=$#; _cool_complete; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const output = execFileSync("bash", ["-c", script, "bash", ...words], { encoding: "utf8" });
  return output.split("\n").filter((line) => line !== "");
}

test("bash completes commands, their parts, flags and values", () => {
  expect(completed("")).toEqual(["run", "runs"]);
  expect(completed("runs", "")).toEqual(["list", "show"]);
  expect(completed("runs", "s")).toEqual(["show"]);
  expect(completed("runs", "list", "--s")).toEqual(["--state", "--starred"]);
  expect(completed("runs", "list", "--state", "f")).toEqual(["failed", "finished"]);
  expect(completed("runs", "list", "--state", "failed", "--starr")).toEqual(["--starred"]);
  expect(completed("run", "--")).toEqual(["--epochs"]);
  expect(completed("run", "folder", "")).toEqual([]);
});

test("every script quotes what comes from commands", () => {
  expect(completionScript("fish", "cool", COMMANDS)).toContain(`-d 'Train; it'\\''s $(quick)'`);
  expect(completionScript("zsh", "cool", COMMANDS)).toContain("bashcompinit");
  for (const shell of ["bash", "zsh"] as const) {
    expect(() => execFileSync("bash", ["-n", "-c", completionScript(shell, "cool", COMMANDS)])).not.toThrow();
  }
});
