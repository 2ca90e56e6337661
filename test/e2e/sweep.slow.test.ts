/** @file `cool sweep` as a program: its document, Ctrl-C and kill -9. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { StudyDocument } from "../../src/sweeping/study/study-document.js";
import { cool, coolJson, startCool } from "../support/cli.js";
import { writeNumberProject } from "../support/number-project.js";

const SLOW = { timeout: 600_000 };
// of a machine that does other things besides
const PATIENT = { timeoutMs: 400_000 };
const SETS = [
  "--set",
  "train.optimizer.kind=adam",
  "--set",
  "train.optimizer.learningRate=1e-3..1:log",
  "--backend",
  "cpu",
];

let dir = "";
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "sweep-"));
  writeNumberProject(dir);
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const shown = (study: string) => coolJson<StudyDocument>(["sweep", "show", study, "--project", dir]);

/** How the trials of a long study are left behind by what stops it. */
async function stopped(name: string, signal: NodeJS.Signals): Promise<number | null> {
  const long = ["--set", "train.epochs=400", "--trials", "2", "--parallel", "2", "--search", "random"];
  const running = startCool(["sweep", dir, ...SETS, ...long, "--name", name], PATIENT);
  await running.stderrMatches(/study/);
  const begun = async (): Promise<number> => {
    const { runs } = await coolJson<{ runs: { readonly name: string; readonly epochs_done: number }[] }>([
      "runs",
      "list",
      "--project",
      dir,
    ]).catch(() => ({ runs: [] }));
    return runs.filter((run) => run.name.startsWith(`${name}-`) && run.epochs_done > 2).length;
  };
  while ((await begun()) < 2) await new Promise((resolve) => setTimeout(resolve, 500));
  running.child.kill(signal);
  const { code } = await running.ended;
  const isOpen = async (): Promise<boolean> => (await shown(name)).trials.some(({ state }) => state === "running");
  // workers whose parent is gone end after their current step
  while (await isOpen()) await new Promise((resolve) => setTimeout(resolve, 500));
  return code;
}

it("prints one document, and a picture where one is asked for", SLOW, async () => {
  const document = await coolJson<StudyDocument>([
    "sweep",
    dir,
    ...SETS,
    "--trials",
    "3",
    "--parallel",
    "2",
    "--name",
    "doc",
  ]);
  expect(document.study).toMatchObject({ name: "doc", search: "tpe", planned: 3, trials: { finished: 3 } });
  expect(document.trials.map(({ number }) => number)).toEqual([1, 2, 3]);
  expect(document.best).toHaveLength(1);
  const svg = join(dir, "doc.svg");
  await cool(["sweep", "show", "doc", "--project", dir, "--svg", svg]);
  expect(readFileSync(svg, "utf8")).toMatch(/^<svg .*learningRate.*<\/svg>\n$/s);
});

it(
  "names the best settings with what all trials have in common: without it the line would train something else",
  SLOW,
  async () => {
    const { stdout } = await cool(["sweep", dir, ...SETS, "--trials", "1", "--name", "line"]);
    expect(stdout).toMatch(/--set\s+train\.optimizer\.kind=adam\s+--set\s+train\.optimizer\.learningRate=/);
  },
);

it("Ctrl-C ends with 130 and leaves interrupted trials", SLOW, async () => {
  expect(await stopped("asked", "SIGINT")).toBe(130);
  const before = await shown("asked");
  expect(before.trials.map(({ state }) => state)).toEqual(["interrupted", "interrupted"]);
});

it("after kill -9 of the command its trials end by themselves, with their runs", SLOW, async () => {
  expect(await stopped("killed", "SIGKILL")).not.toBe(0);
  const { trials } = await shown("killed");
  expect(trials.map(({ run, state }) => [run !== null, state])).toEqual([
    [true, "interrupted"],
    [true, "interrupted"],
  ]);
});

it("two studies of one name are one clear error", SLOW, async () => {
  const again = await cool(["sweep", dir, ...SETS, "--name", "doc"]);
  expect(again.code).toBe(2);
  expect(again.stderr).toContain("There is a study named doc. Go on with it (cool sweep --resume doc)");
});
