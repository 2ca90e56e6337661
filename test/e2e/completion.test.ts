/** @file Completion as it is typed: real shells, the built command, names that need quotes. */
import { execFile, spawnSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { exportRun } from "../../src/records/transfer.js";
import { openRunStore } from "../../src/storage/run-store.js";
import { cool } from "../support/cli.js";
import { finishedRun } from "../support/folders.js";

const entry = fileURLToPath(new URL("../../bin/run.js", import.meta.url));
const terminal = fileURLToPath(new URL("../cli/tables/terminal.py", import.meta.url));
const HOSTILE = `$(touch hurt) 'a' "b"; \`touch hurt\` \\ *`;

let dir: string;
let ids: string[];

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "cool-completion-"));
  writeFileSync(join(dir, "cool.config.js"), "");
  mkdirSync(join(dir, "bin"));
  writeFileSync(join(dir, "bin", "cool"), `#!/bin/sh\nexec "${process.execPath}" "${entry}" "$@"\n`);
  chmodSync(join(dir, "bin", "cool"), 0o755);
  const store = openRunStore(join(dir, ".cool"));
  ids = ["base", "two words", HOSTILE, "gone"].map((name) => {
    const { id } = store.createRun({ project: "p", name, tags: [`of ${name}`], config: { train: { epochs: 3 } } });
    store.replaceEvaluation(id, [
      { split: "test", task_path: "door.open", metric_name: "recall", metric_res: 1, num_samples: 1, gates: "truth" },
      { split: "test", task_path: "_total", metric_name: "loss", metric_res: 1, num_samples: 1, gates: "truth" },
    ]);
    store.finishRun(id, "finished");
    return id;
  });
  store.trashRun(ids[3] as string);
  store.close();
  for (const shell of ["bash", "zsh", "fish"]) {
    const { stdout } = await cool(["completion", shell]);
    writeFileSync(join(dir, `completion.${shell}`), stdout);
  }
});

afterAll(() => rmSync(dir, { recursive: true }));

const environment = () => ({
  ...process.env,
  PATH: `${join(dir, "bin")}${delimiter}${process.env.PATH}`,
  // nothing of the user's own
  HOME: dir,
  ZDOTDIR: dir,
  XDG_CONFIG_HOME: dir,
});

async function run(command: string, args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(command, [...args], { cwd: dir, env: environment(), timeout: 60_000 });
  return stdout;
}

/** What `cool __complete` prints, without descriptions. */
async function offered(...args: readonly string[]): Promise<string[]> {
  const { code, stdout, stderr } = await cool(["__complete", ...args], { cwd: dir });
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return stdout.split("\n").flatMap((line) => (line === "" ? [] : [line.split("\t")[0] as string]));
}

describe("cool __complete", () => {
  it("offers what the store knows", async () => {
    expect(await offered("runs", "")).toEqual([HOSTILE, "two words", "base", "latest"]);
    expect(await offered("runs", "t")).toEqual(["two words"]);
    expect(await offered("runs", ids[0]?.slice(0, -1) as string)).toContain(ids[0]);
    expect(await offered("trash", "")).toEqual(["gone"]);
    expect(await offered("tagged", "+of b")).toEqual(["+of base"]);
    expect(await offered("tasks", "")).toEqual(["door.open"]);
    expect(await offered("fields", "name,test/d")).toEqual(["name,test/door.open/recall"]);
    expect(await offered("settings", "")).toEqual(["train.epochs="]);
  });

  it("reads the store that the line names, and is silent where there is none", async () => {
    const store = join(dir, ".cool");
    for (const words of [["--store", store], ["--store", "=", store], [`--store=${store}`], ["--project", dir]]) {
      const { stdout } = await cool(["__complete", "runs", "b", "--", "runs", "show", ...words], { cwd: tmpdir() });
      expect(stdout).toMatch(/^base\t/);
    }
    expect(await offered("runs", "", "--", "runs", "show", "--store", "nowhere")).toEqual([]);
    expect(await offered("nonsense")).toEqual([]);
    expect(existsSync(join(dir, "nowhere"))).toBe(false);
  });
});

describe("bash", () => {
  const words = (...typed: readonly string[]) =>
    run("bash", [
      "--noprofile",
      "--norc",
      "-c",
      `source completion.bash
       COMP_WORDS=(cool "$@"); COMP_CWORD=$#; _cool_complete
       # as the shell itself would read what it has put on the line
       for word in "\${COMPREPLY[@]}"; do eval "printf '%s\\n' $word"; done`,
      "bash",
      ...typed,
    ]).then((stdout) => stdout.split("\n").slice(0, -1));

  it("completes names so that they are read back as they are", async () => {
    expect(await words("runs", "show", "")).toEqual([HOSTILE, "two words", "base", "latest"]);
    expect(await words("compare", "runs", "base", "two\\ w")).toEqual(["two words"]);
    expect(await words("explain", "--run", "=", "b")).toEqual(["base"]);
    expect(await words("runs", "restore", "")).toEqual(["gone"]);
    expect(await words("interpret", "--task", "d")).toEqual(["door.open"]);
    expect(await words("tune", "--metric", "r")).toEqual(["recall"]);
    expect(existsSync(join(dir, "hurt"))).toBe(false);
  });

  it.skipIf(spawnSync("python3", ["-c", "import pty, termios"]).status !== 0)("completes on a terminal", async () => {
    writeFileSync(join(dir, "rc"), "PS1='> '; bind 'set enable-bracketed-paste off'; source completion.bash\n");
    const keys = [["cool runs show tw\t", "words "], ["\x15cool run --set train.e\t", "epochs="], "\x15exit\r"];
    const json = await run("python3", [terminal, JSON.stringify(keys), "bash", "--noprofile", "--rcfile", "rc", "-i"]);
    const { screens } = JSON.parse(json) as { screens: string[] };
    expect(screens[1]).toContain("cool runs show two\\ words ");
    // a value follows
    expect(screens[2]).toMatch(/cool run --set train\.epochs=$/);
  });
});

const has = (shell: string): boolean => spawnSync(shell, ["--version"]).status === 0;

describe(has("zsh") ? "zsh" : "zsh (skipped: it is not installed)", () => {
  it.skipIf(!has("zsh"))("completes names through its bash compatibility", async () => {
    const stdout = await run("zsh", [
      "-f",
      "-c",
      // as its bashcompinit calls a function
      `autoload -U compinit && compinit -u && source ./completion.zsh
       offer() { emulate -L sh; setopt kshglob noshglob braceexpand
         COMP_WORDS=(cool "$@"); COMP_CWORD=$#; _cool_complete
         printf '%s\\n' "\${COMPREPLY[@]}"; }
       offer runs show t; echo; offer ru; echo; offer evaluate --split v`,
    ]);
    const [names, commands, values] = stdout.split("\n\n").map((lines) => lines.split("\n"));
    expect(names).toEqual(["two\\ words"]);
    // which of the words fit is found by zsh itself
    expect(commands).toEqual(expect.arrayContaining(["run", "runs"]));
    expect(values).toEqual(expect.arrayContaining(["train", "valid", "test"]));
  });
});

describe(has("fish") ? "fish" : "fish (skipped: it is not installed)", () => {
  it.skipIf(!has("fish"))("completes words, values and names", async () => {
    const lines = [
      "cool runs sh",
      "cool compare ",
      "cool runs show t",
      "cool evaluate --split v",
      "cool tune base --m",
    ];
    const stdout = await run("fish", [
      "--no-config",
      "-c",
      `source completion.fish; ${lines.map((line) => `complete -C ${JSON.stringify(line)}`).join("; ")}`,
    ]);
    const values = stdout.split("\n").map((line) => line.split("\t")[0]);
    expect(values).toEqual(["show", "runs", "two words", "valid", "--metric", ""]);
  });
});

describe("the name of an imported run", () => {
  const EVIL = "a$(touch hurt)b`touch hurt`;touch hurt \"'!! \\";
  let place = "";

  beforeAll(async () => {
    place = join(dir, "imported");
    mkdirSync(join(place, "bin"), { recursive: true });
    const other = openRunStore(join(dir, "other"));
    finishedRun(other, EVIL);
    exportRun(other, "latest", join(dir, "evil.tar.gz"));
    other.close();
    writeFileSync(join(place, "cool.config.js"), "");
    const { code } = await cool(["runs", "import", join(dir, "evil.tar.gz")], { cwd: place });
    expect(code).toBe(0);
    writeFileSync(join(place, "offered"), (await cool(["__complete", "runs", "a"], { cwd: place })).stdout);
    // in the place of the command, which is too slow for a test that types: it keeps what it is called with
    const called = `#!/bin/sh
[ "$1" = __complete ] && exec cat offered
for word in "$@"; do printf '%s\\n' "$word"; done >> called
`;
    writeFileSync(join(place, "bin", "cool"), called);
    chmodSync(join(place, "bin", "cool"), 0o755);
    for (const shell of ["bash", "zsh", "fish"])
      cpSync(join(dir, `completion.${shell}`), join(place, `script.${shell}`));
    writeFileSync(join(place, ".bashrc"), "PS1='> '; bind 'set enable-bracketed-paste off'; source script.bash\n");
    writeFileSync(
      join(place, ".zshrc"),
      "zle_bracketed_paste=(); PS1='> '; autoload -U compinit && compinit -u -D; source ./script.zsh\n",
    );
  });

  const STARTS = {
    bash: ["--noprofile", "--rcfile", ".bashrc", "-i"],
    zsh: ["-i"],
    fish: ["--no-config", "-i", "-C", "source script.fish"],
  } as const;

  it.each(["bash", "zsh", "fish"] as const)(
    "is completed in %s as one word, within quotes and without",
    async (shell) => {
      if (spawnSync(shell, ["--version"]).status !== 0) return;
      const env = {
        ...environment(),
        PATH: `${join(place, "bin")}${delimiter}${process.env.PATH}`,
        HOME: place,
        ZDOTDIR: place,
      };
      for (const open of ["", '"', "'"]) {
        rmSync(join(place, "called"), { force: true });
        const keys = [`cool runs show ${open}a\t`, "\r", "\x15exit\r"];
        await promisify(execFile)("python3", [terminal, JSON.stringify(keys), shell, ...STARTS[shell]], {
          cwd: place,
          env,
          timeout: 60_000,
        });
        expect(existsSync(join(place, "hurt"))).toBe(false);
        expect(readFileSync(join(place, "called"), "utf8").split("\n")[2]?.trimEnd()).toBe(EVIL.trimEnd());
      }
    },
  );
});
