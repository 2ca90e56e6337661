/** @file The scripts for shells: bash completes from them, and no summary can break them. */
import { execFileSync, spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { type CompletedCommand, completedCommand, completionScript } from "../../src/cli/completion.js";

const COMMANDS: readonly CompletedCommand[] = [
  {
    words: ["run"],
    summary: "Train; it's $(quick)",
    flags: [
      { name: "epochs", summary: "", options: [], takesValue: true },
      { name: "again", summary: "", options: [], takesValue: true, kind: "runs" },
    ],
  },
  {
    words: ["runs", "list"],
    summary: "List",
    flags: [
      { name: "state", summary: "", options: ["failed", "finished"], takesValue: true },
      { name: "starred", summary: "", options: [], takesValue: false },
    ],
  },
  { words: ["runs", "show"], summary: "Show", flags: [], argument: "runs" },
];

/** In the place of the command: it offers two names and tells what it was asked. */
const COOL = `cool() { printf '%s\\tof last week\\n' 'two words' "$(printf '%s|' "$@")"; }`;

/** What bash offers after some words; the last one is being typed. */
function completed(...words: readonly string[]): string[] {
  const script = `${completionScript("bash", "cool", COMMANDS)}
${COOL}
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
  // as bash takes --state=f apart
  expect(completed("runs", "list", "--state", "=", "f")).toEqual(["failed", "finished"]);
  expect(completed("runs", "list", "--state", "=")).toEqual(["failed", "finished"]);
  expect(completed("run", "--")).toEqual(["--epochs", "--again"]);
  expect(completed("run", "folder", "")).toEqual([]);
  expect(completed("run", "--epochs", "")).toEqual([]);
});

test("bash asks for names with the words typed so far, and quotes what it offers", () => {
  const [, asked] = completed("runs", "show", "a");
  expect(asked?.replaceAll("\\|", " ")).toBe("__complete runs a -- runs show ");
  // the prefix goes without its quotes
  expect(completed("run", "--again", "two\\ w")).toEqual([
    "two\\ words",
    "__complete\\|runs\\|two\\ w\\|--\\|run\\|--again\\|",
  ]);
  expect(completed("run", "--again", '"two w')).toEqual(["two words", "__complete|runs|two w|--|run|--again|"]);
});

test("what arguments and flags name follows from what they are called", () => {
  const option = { type: "option" as const };
  const run = completedCommand({
    id: "runs:tag",
    args: { run: {} },
    flags: { add: option, task: option, top: option, run: { type: "boolean" }, metric: option },
  });
  expect(run).toMatchObject({ words: ["runs", "tag"], argument: "tagged" });
  expect(Object.fromEntries(run.flags.map(({ name, kind, options }) => [name, kind ?? options]))).toEqual({
    add: "tags",
    task: "tasks",
    top: [],
    run: [],
    metric: expect.arrayContaining(["accuracy", "f1_score", "precision", "recall"]),
  });
  expect(completedCommand({ id: "runs:restore", args: { run: {} }, flags: {} }).argument).toBe("trash");
  expect(completedCommand({ id: "runs:diff", args: { first: {}, second: {} }, flags: {} }).argument).toBe("runs");
  expect(completedCommand({ id: "sql", args: { query: {} }, flags: {} }).argument).toBeUndefined();
});

test("every script quotes what comes from commands", () => {
  expect(completionScript("fish", "cool", COMMANDS)).toContain(`-d 'Train; it'\\''s $(quick)'`);
  expect(completionScript("zsh", "cool", COMMANDS)).toContain("bashcompinit");
  for (const shell of ["bash", "zsh"] as const) {
    expect(() => execFileSync("bash", ["-n", "-c", completionScript(shell, "cool", COMMANDS)])).not.toThrow();
  }
});

/** What bash puts on the line for the only name that there is, where `typed` is the word so far. */
function inserted(name: string, typed: string): string {
  const script = `${completionScript("bash", "cool", COMMANDS)}
cool() { printf '%s\\tof last week\\n' "$NAME"; }
COMP_WORDS=(cool runs show "$1"); COMP_CWORD=3; _cool_complete; printf '%s' "\${COMPREPLY[*]}"`;
  return execFileSync("bash", ["-c", script, "bash", typed], { encoding: "utf8", env: { ...process.env, NAME: name } });
}

const SHELLS = ["bash", "zsh"].filter((shell) => spawnSync(shell, ["-c", "true"]).status === 0);
const EVIL = "a$(touch x)b`touch y`\"'\\!;z &|<>*?[]{}~#^=é";

test.each(SHELLS)("within quotes and without, %s reads a name back as it is and runs nothing of it", (shell) => {
  for (const open of ["", '"', "'"]) {
    const word = `${open}${inserted(EVIL, `${open}a`)}${open}`;
    // an interactive shell would expand what follows a ! that is not in single quotes or behind a backslash
    if (open !== "'") expect(word.replaceAll("'!'", "").replaceAll("\\!", "")).not.toContain("!");
    const read = execFileSync(shell, ["-c", `printf '%s' ${word}`], { encoding: "utf8" });
    expect(read).toBe(EVIL);
  }
});

test("where it cannot be told which quotes are open nothing is offered", () => {
  for (const typed of [`"a"'`, `'a'b`, `"a"b"`, `a"b`, `a'`]) expect(inserted(EVIL, typed)).toBe("");
});
