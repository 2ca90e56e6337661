/** @file `cool track` as a user has it: a shell script as a run, its exit code, signals, and what it says. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ListedRun, ShownRun } from "../../src/records/list-runs.js";
import { cool, coolJson, startCool } from "../support/cli.js";
import { snippetsOf } from "../support/pages.js";

let cwd = "";

beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), "cool-track-"));
});
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

const show = async (name: string): Promise<ShownRun> =>
  (await coolJson<{ readonly run: ShownRun }>(["runs", "show", name], { cwd })).run;

const curvesOf = ({ last_values = [] }: ShownRun) =>
  Object.fromEntries(
    last_values.map(({ split, task_path, metric_name, step, value }) => [
      `${split}/${task_path}/${metric_name}`,
      [step, value],
    ]),
  );

/** Two processes append to one file, which gets a line that is broken as well. */
const SCRIPT = `#!/bin/sh
for epoch in 1 2 3; do
  echo "Epoch $epoch/3"
  echo "loss: 0.$((5 - epoch)) val_acc: 0.$((6 + epoch))"
  printf '{"log": {"f1": 0.%s}, "step": %s, "split": "valid"}\\n' "$epoch" "$epoch" >> "$COOL_TRACK_FILE"
done
(i=0; while [ $i -lt 50 ]; do i=$((i+1)); echo "{\\"log\\": {\\"other\\": $i}, \\"step\\": $i}" >> "$COOL_TRACK_FILE"; done) &
i=0; while [ $i -lt 50 ]; do i=$((i+1)); echo "{\\"log\\": {\\"own\\": $i}, \\"step\\": $i}" >> "$COOL_TRACK_FILE"; done
wait
echo '{"log": {"f1": broken}}' >> "$COOL_TRACK_FILE"
echo '{"config": {"found": true}}' >> "$COOL_TRACK_FILE"
echo "trained at $2" >&2
exit 3
`;

describe("cool track", () => {
  it("keeps a script's scalars, lines, arguments, output and exit code, in a folder without a project", async () => {
    writeFileSync(join(cwd, "train.sh"), SCRIPT);
    const patterns = [String.raw`Epoch (?<epoch>\d+)`, String.raw`loss: (?<loss>\S+) val_acc: (?<val_acc>\S+)`];
    const flags = patterns.flatMap((pattern) => ["--scalar", pattern]);
    const result = await cool(["track", "--name", "shell", ...flags, "--", "sh", "train.sh", "--lr", "0.1"], { cwd });
    expect(result.code).toBe(3);
    expect(result.stdout).toContain("loss: 0.4 val_acc: 0.7\nEpoch 2/3\n");
    expect(result.stderr).toContain("trained at 0.1");
    expect(result.stderr).toMatch(/COOL_TRACK_FILE: line 104 is left out: it is no JSON/);
    const run = await show("shell");
    expect(run).toMatchObject({ state: "failed", error: "sh ended with exit code 3.", epochs_done: 3 });
    expect(run).toMatchObject({ command_line: "sh train.sh --lr 0.1", config: { lr: 0.1, found: true } });
    expect(curvesOf(run)).toEqual({
      "train/_total/loss": [3, 0.2],
      "valid/_total/acc": [3, 0.9],
      "valid/_total/f1": [3, 0.3],
      "train/_total/other": [50, 50],
      "train/_total/own": [50, 50],
    });
    expect(readFileSync(join(run.dir, "stdout.log"), "utf8")).toContain("loss: 0.2 val_acc: 0.9");
  });

  it("is 127 for a command that does not exist, whose run has failed", async () => {
    const result = await cool(["track", "--name", "none", "--json", "--", "there-is-no-such-command"], { cwd });
    expect(result.code).toBe(127);
    expect(result.json).toMatchObject({ exit_code: 127, error: "There is no command there-is-no-such-command." });
    expect(await show("none")).toMatchObject({
      state: "failed",
      error: "There is no command there-is-no-such-command.",
    });
  });

  it("passes a signal on, and the exit code that the command answers with", async () => {
    const script = 'trap "echo saved; exit 7" TERM; echo ready >&2; while :; do sleep 0.1; done';
    const { child, stderrMatches, ended } = startCool(["track", "--name", "polite", "--", "sh", "-c", script], { cwd });
    await stderrMatches(/ready/);
    child.kill("SIGTERM");
    const { code, stdout } = await ended;
    expect([code, stdout]).toEqual([7, "saved\n"]);
    expect(await show("polite")).toMatchObject({ state: "interrupted", error: null });
  });

  it("kills a command that ignores SIGTERM", async () => {
    const script = "trap '' TERM; echo ready >&2; i=0; while [ $i -lt 600 ]; do i=$((i+1)); sleep 0.1; done";
    const started = startCool(["track", "--name", "stubborn", "--kill-after", "1", "--", "sh", "-c", script], { cwd });
    await started.stderrMatches(/ready/);
    started.child.kill("SIGTERM");
    const { code, stderr } = await started.ended;
    expect(code).toBe(137);
    expect(stderr).toContain("It has not ended 1 seconds after SIGTERM, and is killed.");
    expect(await show("stubborn")).toMatchObject({ state: "interrupted" });
  });

  it("is usage where there is no command, or a pattern that is none", async () => {
    for (const [args, message] of [
      [[], "There is no command to run. Write it after --"],
      [["python", "train.py"], "There is no command to run. Write it after --"],
      [["--", ""], "There is no command to run. Write it after --"],
      [["--scalar", "(", "--", "ls"], 'The pattern --scalar "(" is no regular expression'],
      [["--scalar", "loss", "--", "ls"], "has no named group for a value"],
      [["--name", "x".repeat(10_000), "--", "ls"], "has 10000 characters; shorten it to 200"],
    ] as const) {
      const { code, stderr } = await cool(["track", ...args], { cwd });
      expect(code, message).toBe(2);
      expect(stderr).toContain(message);
    }
    const { runs } = await coolJson<{ readonly runs: readonly ListedRun[] }>(["runs", "list"], { cwd });
    expect(runs.map(({ name }) => name)).toEqual(["stubborn", "polite", "none", "shell"]);
  });

  const python = spawnSync("python3", ["--version"]).status === 0;
  it.skipIf(!python)("takes what the documented lines of Python say (needs python3)", async () => {
    const [snippet] = snippetsOf("docs/track.md").filter(({ language }) => language === "python");
    writeFileSync(join(cwd, "train.py"), snippet?.text ?? "");
    const { code, stderr } = await cool(["track", "--name", "python", "--", "python3", "train.py", "--lr", "0.5"], {
      cwd,
    });
    expect(stderr).not.toContain("left out");
    expect(code).toBe(0);
    expect(curvesOf(await show("python"))).toMatchObject({ "train/_total/loss": [3, expect.any(Number)] });
  });
});
