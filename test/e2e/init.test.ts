/** @file `cool init`, and what a newcomer types next. */
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, mkdirSync, writeFileSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cool, coolJson } from "../support/cli.js";
import { root } from "../support/pages.js";

interface Initialized {
  readonly project: string;
  readonly files: readonly { readonly path: string; readonly action: string }[];
  readonly tasks: readonly { readonly name: string; readonly kind: string; readonly given: string | null }[];
}

const bccd = fileURLToPath(new URL("../../../shared/data/bccd/", import.meta.url));

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "cool-init-e2e-"));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** What follows in a project that was made: types, check, and an epoch. */
async function goesOn(project: string): Promise<void> {
  mkdirSync(join(project, "node_modules"), { recursive: true });
  symlinkSync(root, join(project, "node_modules", "dnn-cool"), "dir");
  execFileSync(process.execPath, [join(root, "node_modules", "typescript", "bin", "tsc"), "--noEmit", "-p", project]);
  const check = await coolJson<{ labels: { rows: { contradictory: number }[] }; unasked: string[] }>(["check"], {
    cwd: project,
  });
  expect(check.labels.rows.every(({ contradictory }) => contradictory === 0)).toBe(true);
  expect(check.unasked).toEqual([]);
  const { run } = await coolJson<{ run: { state: string } }>(["run", "--epochs", "1"], {
    cwd: project,
    timeoutMs: 240_000,
  });
  expect(run.state).toBe("finished");
}

describe("a template", () => {
  it.each([
    ["images", { shape: "present = 1", colour: "present = 1", box: "present = 1" }],
    ["tokens", { topic: "request = 1", urgent: "request = 1" }],
    ["table", { fault: "faulty = 1", repair_hours: "faulty = 1" }],
  ])("of %s becomes a project that compiles, checks and trains", async (template, expected) => {
    const project = join(dir, template);
    const { tasks, files } = await coolJson<Initialized>([
      "init",
      "--template",
      template,
      "--project",
      project,
      "--yes",
    ]);
    const given = Object.fromEntries(tasks.map((task) => [task.name, task.given]));
    expect(given).toMatchObject(expected);
    expect(files.every(({ action }) => action === "written")).toBe(true);
    expect(JSON.parse(readFileSync(join(project, "package.json"), "utf8"))).toMatchObject({ type: "module" });
    await goesOn(project);
    const again = await cool(["init", "--template", template, "--project", project, "--yes"]);
    expect(again.code).toBe(2);
    expect(again.stderr).toContain("cool.config.ts is there already. Replace with --force");
  });
});

describe.skipIf(!existsSync(bccd))(
  `photographs of blood cells${existsSync(bccd) ? "" : ` (no data at ${bccd})`}`,
  () => {
    it("become a project that compiles, checks and trains", async () => {
      const project = join(dir, "cells");
      mkdirSync(project);
      const { code, stdout, stderr } = await cool(["init", bccd, "--yes"], { cwd: project });
      expect(code, stderr).toBe(0);
      expect(stdout).toContain("which rows train, validate and test");
      expect(
        stdout.split("\n").every((line) => line.length <= 80 || line.startsWith("In ") || line.startsWith("/")),
      ).toBe(true);
      await goesOn(project);
    });
  },
);

describe("bad input", () => {
  const init = async (...args: string[]) => {
    const { code, stderr, stdout } = await cool(["init", ...args], { cwd: dir });
    expect(stdout).toBe("");
    return { code, stderr: stderr.trim() };
  };

  it.each([
    ["labels.csvv", 1, /There is no table .*labels\.csvv/],
    ["nowhere/", 1, /There is no/],
    ["select 1 as x", 2, /cool init reads a file or a folder/],
  ])("%s: one error, and the exit code", async (path, code, message) => {
    const result = await init(path, "--yes", "--project", join(dir, "none"));
    expect(result.stderr).toMatch(message);
    expect(result.stderr.split("\n")).toHaveLength(1);
    expect(result.code).toBe(code);
    expect(existsSync(join(dir, "none"))).toBe(false);
  });

  it("a column or a kind that there is none of is named with the nearest, and so is a template", async () => {
    const lines = Array.from({ length: 30 }, (_, row) => `${row * 3},${row % 2}`);
    writeFileSync(join(dir, "smoke.csv"), `age,smoker\n${lines.join("\n")}\n`);
    expect(await init("smoke.csv", "--task", "smokre=binary")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('Did you mean "smoker"?'),
    });
    expect(await init("smoke.csv", "--task", "smoker=binari")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('Did you mean "binary"?'),
    });
    expect(await init("smoke.csv", "--task", "smoker")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("Write COLUMN=KIND"),
    });
    expect(await init("--template", "image")).toMatchObject({ code: 2 });
    expect(await init("smoke.csv")).toMatchObject({ code: 2, stderr: expect.stringContaining("--task smoker=binary") });
    const { tasks } = await coolJson<Initialized>(
      ["init", "smoke.csv", "--task", "smoker=binary", "--project", "smoke"],
      { cwd: dir },
    );
    expect(tasks).toMatchObject([{ name: "smoker", kind: "binary", given: null }]);
  });
});
