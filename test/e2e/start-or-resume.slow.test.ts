/** @file Exit codes of what is stopped: 75 asks to be started again, and the same command line goes on. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createRandom } from "../../src/data/rng.js";
import type { StudyDocument } from "../../src/sweeping/study/study-document.js";
import { cool, coolJson, startCool } from "../support/cli.js";
import { type TinyProject, tinyProject } from "../support/projects.js";

const EPOCHS = "60";
// of a machine that does other things besides
const PATIENT = { timeoutMs: 240_000 };

interface Run {
  readonly run: { readonly id: string; readonly name: string; readonly state: string; readonly dir: string };
}

let project: TinyProject;
let whole: Run;
beforeAll(async () => {
  project = await tinyProject();
  whole = await coolJson<Run>(["run", project.dir, "--name", "whole", "--epochs", EPOCHS], PATIENT);
}, 300_000);
afterAll(() => project.remove());

const command = (key: string) => ["run", project.dir, "--epochs", EPOCHS, "--start-or-resume", key];
const weightsOf = ({ run }: Run) => readFileSync(join(run.dir, "checkpoints", "last", "weights.bin"));
const namesOf = async (name: string) => {
  const listed = await coolJson<{ runs: { readonly name: string }[] }>(["runs", "list", "--project", project.dir]);
  return listed.runs.map((run) => run.name).filter((one) => one.startsWith(name));
};

/** Starts a command and sends it signals while it trains. */
async function stoppedBy(args: readonly string[], ...signals: NodeJS.Signals[]) {
  const running = startCool(args, PATIENT);
  await running.stderrMatches(/^epoch /m);
  for (const signal of signals) running.child.kill(signal);
  return running.ended;
}

it("what a scheduler stops ends with 75, Ctrl-C with 130, and the next start goes on to the same weights", async () => {
  expect((await stoppedBy(command("codes"), "SIGTERM")).code).toBe(75);
  // a scheduler may warn, and then tell every process of the job
  expect((await stoppedBy(command("codes"), "SIGUSR1", "SIGTERM", "SIGTERM")).code).toBe(75);
  expect((await stoppedBy(command("codes"), "SIGINT")).code).toBe(130);
  const done = await coolJson<Run>(command("codes"), PATIENT);
  expect(done.run).toMatchObject({ name: "codes", state: "finished" });
  expect(weightsOf(done).equals(weightsOf(whole))).toBe(true);
  expect(await namesOf("codes")).toEqual(["codes"]);
  const again = await cool(command("codes"));
  expect([again.code, again.stderr]).toEqual([
    0,
    expect.stringMatching(/is finished after 60 of 60 epochs, and stays/),
  ]);
});

it("a new run that is not to be started again ends with 130, whatever stopped it", async () => {
  const args = ["run", project.dir, "--epochs", EPOCHS, "--name", "plain"];
  expect((await stoppedBy(args, "SIGTERM")).code).toBe(130);
  expect((await stoppedBy(["run", project.dir, "--resume", "plain"], "SIGTERM")).code).toBe(75);
});

it("a time limit stops a run as a signal does", async () => {
  const long = ["run", project.dir, "--epochs", "100000", "--start-or-resume", "limited", "--time-limit"];
  const { code, stderr } = await cool([...long, "5s"], PATIENT);
  expect(stderr).toMatch(/the time limit is reached: stopping after the current step/);
  expect(code).toBe(75);
  const wrong = await cool([...long, "soon"]);
  expect([wrong.code, wrong.stderr]).toEqual([
    2,
    "Error: --time-limit soon is no time of up to 24 days. Write it as 90s, 50m, 2h or 1.5d.\n",
  ]);
});

it("killed again and again at any moment, a key has one run, which ends with the same weights", async () => {
  const random = createRandom("keys");
  for (let kill = 0; kill < 5; kill++) {
    const running = startCool(command("killed"), PATIENT);
    const timer = setTimeout(() => running.child.kill("SIGKILL"), 300 + 2500 * random.next());
    await running.ended;
    clearTimeout(timer);
    expect((await namesOf("killed")).length).toBeLessThanOrEqual(1);
  }
  const done = await coolJson<Run>(command("killed"), PATIENT);
  expect(weightsOf(done).equals(weightsOf(whole))).toBe(true);
  expect(await namesOf("killed")).toEqual(["killed"]);
});

it("a sweep begins and goes on by one command line, and says what differs", async () => {
  const sweep = (...more: string[]) => [
    ...["sweep", project.dir, "--set", "train.batchSize=8,16", "--set", "train.epochs=12"],
    ...["--start-or-resume", "sizes", ...more],
  ];
  const running = startCool(sweep(), PATIENT);
  await running.stderrMatches(/study sizes/);
  const trials = async (): Promise<number> =>
    (await coolJson<StudyDocument>(["sweep", "show", "sizes", "--project", project.dir])).trials.length;
  while ((await trials()) === 0) await new Promise((resolve) => setTimeout(resolve, 200));
  running.child.kill("SIGTERM");
  expect((await running.ended).code).toBe(75);
  const done = await coolJson<StudyDocument>(sweep(), PATIENT);
  expect(done.study).toMatchObject({ name: "sizes", trials: { finished: 2 } });
  expect(await namesOf("sizes")).toEqual(["sizes-2", "sizes-1"]);
  const other = await cool(sweep("--objective", "train/_total/loss"));
  expect([other.code, other.stderr]).toEqual([
    1,
    expect.stringMatching(/^Error: The study sizes has begun with something else: objectives is .* and was /),
  ]);
});
