/** @file Output that nobody reads, that is read slowly, or that has no room: the command's work is not touched by it. */
import { execFile, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openRunStore } from "../../src/storage/run-store.js";
import { coolJson, startCool } from "../support/cli.js";
import { type TinyProject, tinyProject } from "../support/projects.js";

const entry = fileURLToPath(new URL("../../bin/run.js", import.meta.url));

const hasTerminals = spawnSync("python3", ["-c", "import pty"]).status === 0;

let project: TinyProject;
beforeAll(async () => {
  project = await tinyProject();
});
afterAll(() => project.remove());

/** Runs a line of bash in which `$COOL` is the command line, and `$PROJECT` the project's folder. */
async function bash(
  line: string,
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  const env = {
    ...process.env,
    DEBUG: "",
    NODE_ENV: "",
    VITEST: "",
    COOL: `${process.execPath} ${entry}`,
    PROJECT: project.dir,
  };
  return promisify(execFile)("bash", ["-c", line], { env, maxBuffer: 1 << 28 }).then(
    (output) => ({ code: 0, ...output }),
    (error: { code: number; stdout: string; stderr: string }) => error,
  );
}

async function shown(name: string): Promise<unknown> {
  const { run } = await coolJson<{ run: unknown }>(["runs", "show", name, "--project", project.dir]);
  return run;
}

describe.skipIf(process.platform === "win32")("output", () => {
  it("as JSON is whole, however long its reader pauses", { timeout: 60_000 }, async () => {
    const dir = join(project.dir, "many");
    const store = openRunStore(dir);
    for (let i = 0; i < 300; i += 1) store.finishRun(store.createRun({ project: "p" }).id, "finished");
    store.close();
    // a pipe holds 65,536 bytes
    const { stdout, stderr } = await bash(
      `($COOL runs list --json --store ${dir}; echo "exit $?" >&2) | (sleep 11; cat)`,
    );
    expect(stdout.length).toBeGreaterThan(100_000);
    expect((JSON.parse(stdout) as { runs: unknown[] }).runs).toHaveLength(300);
    expect(stderr).toBe("exit 0\n");
  });

  it("whose reader goes away ends the printing, not the run", async () => {
    const { stdout } = await bash(`$COOL run $PROJECT --name piped --epochs 4 2>&1 | head -2`);
    expect(stdout).toMatch(/\n.*\n$/);
    // head has ended, and the run goes on
    await expect.poll(() => shown("piped"), { timeout: 30_000 }).toMatchObject({ state: "finished", epochs_done: 4 });
  });

  it.skipIf(!existsSync("/dev/full"))("that has no room is told in one line, and the run is there", async () => {
    const { code, stderr } = await bash(`$COOL run $PROJECT --name full --epochs 1 2>/dev/null >/dev/full`);
    expect({ code, stderr }).toEqual({ code: 1, stderr: "" });
    expect(await shown("full")).toMatchObject({ state: "finished" });
    const listed = await bash(`$COOL runs list --project $PROJECT --json >/dev/full`);
    expect(listed.code).toBe(1);
    expect(listed.stderr).toMatch(/^Error: The output cannot be written: ENOSPC.*\n$/);
    const silent = await bash(`$COOL run $PROJECT --name silent --epochs 1 2>/dev/full`);
    expect(silent.code).toBe(0);
  });
});

describe.skipIf(process.platform === "win32")("a run whose terminal is closed", () => {
  it("writes a checkpoint and is interrupted, as by Ctrl-C", async () => {
    const running = startCool(["run", project.dir, "--name", "hung-up", "--epochs", "500"]);
    await running.stderrMatches(/^epoch +2\//m);
    running.child.kill("SIGHUP");
    // one for the shell, one for what runs in it
    running.child.kill("SIGHUP");
    expect((await running.ended).code).toBe(130);
    expect(await shown("hung-up")).toMatchObject({ state: "interrupted", error: null });
  });

  it("does so where its output has nowhere to go any more", { timeout: 60_000 }, async () => {
    // `script` gives it a terminal, which is gone when it is killed
    const command = `${process.execPath} ${entry} run ${project.dir} --name closed --epochs 2000`;
    const terminal = spawn("script", ["-qec", command, "/dev/null"], { stdio: ["ignore", "pipe", "ignore"] });
    const failed = once(terminal, "error").then(() => "no script here");
    let text = "";
    const training = new Promise<string>((resolve) => {
      terminal.stdout?.setEncoding("utf8").on("data", (more: string) => {
        text += more;
        if (/epoch +2\//.test(text)) resolve("training");
      });
    });
    if ((await Promise.race([training, failed])) !== "training") return;
    terminal.kill("SIGKILL");
    await expect.poll(() => shown("closed"), { timeout: 30_000 }).toMatchObject({ state: "interrupted" });
  });

  it.skipIf(!hasTerminals)("ends with its exit code, and no core file", { timeout: 60_000 }, async () => {
    const command = [process.execPath, entry, "run", project.dir, "--name", "pulled", "--epochs", "2000"];
    const { stdout } = await promisify(execFile)("python3", ["-c", PULLED, ...command]);
    expect(stdout).toBe("exit 130\n");
    expect(await shown("pulled")).toMatchObject({ state: "interrupted" });
  });
});

describe.skipIf(!hasTerminals)("on a terminal", () => {
  const script = fileURLToPath(new URL("../cli/tables/terminal.py", import.meta.url));

  /** What a command writes to a terminal of 60 columns, without our colours. */
  async function shownOn(...args: readonly string[]): Promise<string> {
    const command = [script, "[]", process.execPath, entry, ...args, "--project", project.dir];
    const env = { ...process.env, DEBUG: "", NO_COLOR: "1" };
    const { stdout } = await promisify(execFile)("python3", command, { env });
    return (JSON.parse(stdout) as { screens: string[] }).screens.join("");
  }

  it("nothing that a store holds is obeyed, and a table is as wide as it can be", async () => {
    await coolJson(["run", project.dir, "--name", "read", "--epochs", "1"]);
    const query = "select char(27) || ']0;x' || char(7) || 'y' as a, 'many words ' || hex(zeroblob(40)) as b";
    for (const args of [
      ["sql", query],
      ["sql", "--csv", query],
    ]) {
      const text = await shownOn(...args);
      expect(text).toContain("\\u001b]0;x\\u0007y");
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
      expect(text.replaceAll(/\r\n/g, "\n")).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
    }
    const lines = (await shownOn("sql", query)).split("\r\n").filter((line) => /^[│┌├└]/.test(line));
    expect([...new Set(lines.map((line) => line.length))]).toEqual([60]);
  });
});

/** Runs a command on a terminal, closes it in its second epoch, and says how the command ended. */
const PULLED = `
import os, pty, re, sys
pid, terminal = pty.fork()
if pid == 0: os.execv(sys.argv[1], sys.argv[1:])
text = b""
while not re.search(rb"epoch +2/", text): text += os.read(terminal, 65536)
os.close(terminal)
_, status = os.waitpid(pid, 0)
print("exit", os.WEXITSTATUS(status)) if os.WIFEXITED(status) else print("signal", os.WTERMSIG(status))
`;
