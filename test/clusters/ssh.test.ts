/** @file Jobs over ssh: a stand-in for ssh that runs the other shell here, in a home folder of its own, with the real rsync. */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { checkedHost, sshPlan, startOverSsh } from "../../src/clusters/ssh/start.js";
import { missingProgram, needs } from "../support/needs.js";
import { writeFiles } from "../support/folders.js";

needs(missingProgram("rsync"));

let dir = "";
let home = "";
let project = "";
const path = process.env.PATH;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "ssh-job-"));
  [home, project] = [join(dir, "home"), join(dir, "it's $(touch ran): mine")];
  for (const folder of [home, join(dir, "bin")]) mkdirSync(folder);
  mkdirSync(join(project, ".cool"), { recursive: true });
  mkdirSync(join(project, "node_modules", ".bin"), { recursive: true });
  writeFiles(project, {
    "labels.csv": "a,b\n1,2\n",
    ".cool/cool.db": "mine",
    "node_modules/.bin/cool": "mine",
    "data/.cool.txt": "data",
  });
  // options, the host, and a command line for the other shell
  program(
    "ssh",
    `while [ "$1" = -o ] || [ "$1" = -l ]; do shift 2; done\nhost=$1; shift\ncd '${home}' && exec sh -c "$*"`,
  );
  program("cool", `printf '%s\\n' "$@" "$PWD"; trap 'echo stopped; exit 75' TERM; while :; do sleep 0.1; done`);
  process.env.PATH = `${join(dir, "bin")}${delimiter}${path}`;
});
afterAll(() => {
  process.env.PATH = path;
  rmSync(dir, { recursive: true, force: true });
});

function program(name: string, script: string): void {
  const file = join(dir, "bin", name);
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
}

const WORDS = ["run", "--note=a 'b' \"c\" $(touch ran)", "--start-or-resume=long"];
const plan = () =>
  sshPlan({ name: "long", words: WORDS, tasks: 1, needs: {} }, { host: "me@there", projectDir: project }, "it's");

test("the project is taken along without store, packages and history, and started once, detached", async () => {
  const pid = Number(startOverSsh(plan()));
  const there = join(home, plan().folder);
  expect(plan().folder).toBe("cool-jobs/it-s-touch-ran-mine");
  expect(readFileSync(join(there, "labels.csv"), "utf8")).toBe("a,b\n1,2\n");
  expect(existsSync(join(there, "data", ".cool.txt"))).toBe(true);
  for (const left of [".cool", "node_modules"]) expect(existsSync(join(there, left))).toBe(false);
  const log = () => readFileSync(join(there, "long.log"), "utf8");
  while (!log().includes(there)) await sleep(50);
  expect(log()).toBe(`${[...WORDS, there].join("\n")}\n`);
  expect(() => startOverSsh(plan())).toThrow(`ssh has failed: it is running already, as process ${pid}`);
  process.kill(pid, "SIGTERM");
  while (!log().includes("stopped")) await sleep(50);
  for (const folder of [home, there, project]) expect(existsSync(join(folder, "ran"))).toBe(false);
});

test("what is printed are commands that may be typed as they stand", () => {
  expect(plan().next.map(({ what, command }) => [what, command])).toEqual([
    ["watch it", "ssh me@there 'cd cool-jobs/it-s-touch-ran-mine && tail -f long.log'"],
    ["stop it, with a checkpoint", "ssh me@there 'cd cool-jobs/it-s-touch-ran-mine && kill $(cat long.log.pid)'"],
    [
      "fetch what it made",
      expect.stringContaining(
        " && rsync me@there:cool-jobs/it-s-touch-ran-mine/it-s.tar.gz . && cool runs import it-s.tar.gz",
      ),
    ],
  ]);
});

test("a host that ssh would take for an option, or a shell for a command, is none", () => {
  expect(["there", "me@10.0.0.1", "a-b.example.org"].map(checkedHost)).toHaveLength(3);
  for (const host of ["", "-oProxyCommand=x", "a b", "a;b", "me@-x", "a:b", "$(x)"]) {
    expect(() => checkedHost(host)).toThrow(/names no host/);
  }
});

test("a machine that cannot be reached is one clear error", () => {
  program("ssh", "echo 'ssh: connect to host there port 22: Connection refused' >&2; exit 255");
  expect(() => startOverSsh(plan())).toThrow("ssh has failed: ssh: connect to host there port 22: Connection refused");
});
