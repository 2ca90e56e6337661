/** @file The first minutes of a newcomer: a fresh clone, a fresh project, and what the pages tell to type there. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { generateDataset } from "../../examples/home-security/generate.js";
import { missingProgram, needs } from "../support/needs.js";
import { root, snippetsOf } from "../support/pages.js";

const SLOW = { timeout: 1_200_000 };
let dir = "";

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "cool-from-nothing-"));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** A snippet of a page by its title. */
function snippet(page: string, title: string): string {
  const found = snippetsOf(page).find((each) => each.title === title);
  if (found === undefined) throw new Error(`${page} has no snippet "${title}"`);
  return found.text;
}

/** Runs lines as a shell does that stops at the first failure. */
function shell(script: string, cwd: string): string {
  const { status, stdout, stderr } = spawnSync("bash", ["-ec", script], {
    cwd,
    encoding: "utf8",
    // as a user's shell, not as a test runner's
    env: { ...process.env, NODE_ENV: "", VITEST: "", NO_COLOR: "1" },
  });
  expect(status, `${script}\n${stderr}`).toBe(0);
  return stdout;
}

describe("a fresh clone", () => {
  needs(missingProgram("git"));

  it("trains the example and explains a picture with the README's two commands", SLOW, () => {
    const lines = snippet("README.md", "fresh clone")
      .replace("<this repository>", root)
      .replace("npm start", "npm start -- --epochs 1");
    const printed = shell(lines, dir);
    expect(printed).toContain("├── ");
    expect(printed).toContain("cool tensorboard");
  });
});

describe("the package, as it is published", () => {
  let tarball = "";
  beforeAll(() => {
    const packed = shell(`npm pack --silent --ignore-scripts --pack-destination "${dir}"`, root);
    tarball = join(dir, packed.trim().split("\n").at(-1) ?? "");
  });

  it("is installed as the README says, and trains the README's project", SLOW, async () => {
    const project = join(dir, "door");
    mkdirSync(project);
    shell("npm init --yes", project);
    shell(snippet("README.md", "install").replace("install dnn-cool", `install ${tarball}`), project);
    await generateDataset(project, { count: 120 });
    writeFileSync(join(project, "cool.config.ts"), snippet("README.md", "cool.config.ts"));
    expect(shell("npx cool run --epochs 1 --json", project)).toContain('"finished"');
    const shipped = shell("ls node_modules/dnn-cool/docs", project).split("\n");
    expect(shipped).toEqual(expect.arrayContaining(["guide.md", "settings.md", "commands.md", "architecture.md"]));
  });

  it("is used by a TypeScript project from `npm init`, whose names the compiler checks", SLOW, () => {
    const project = join(dir, "typed");
    mkdirSync(project);
    shell(snippet("docs/recipes.md", "from npm init").replace("install dnn-cool", `install ${tarball}`), project);
    writeFileSync(join(project, "cool.config.ts"), snippet("README.md", "cool.config.ts"));
    shell("npx tsc --noEmit", project);
    writeFileSync(
      join(project, "cool.config.ts"),
      snippet("README.md", "cool.config.ts").replace("flow.door_locked(", "flow.door_lockd("),
    );
    expect(() => shell("npx tsc --noEmit", project)).toThrow();
  });
});
