/** @file The README's snippets, run as they stand. */
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { generateDataset } from "../../examples/home-security/generate.js";
import { loadProject } from "../../src/project/load-project.js";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../..", import.meta.url));
const readme = readFileSync(join(root, "README.md"), "utf8");

interface Snippet {
  readonly language: string;
  readonly title: string | undefined;
  readonly text: string;
}

const snippets = [...readme.matchAll(/^```(\w*)(?: title="([^"]+)")?\n([\s\S]*?)^```$/gm)].map(
  ([, language = "", title, text = ""]): Snippet => ({ language, title, text }),
);

/** The `cool …` lines of all shell snippets, in the order of the page. */
const commands = snippets
  .filter(({ language }) => language === "sh")
  .flatMap(({ text }) => text.split("\n"))
  .map((line) => line.replace(/\s+#.*$/, "").trim())
  .filter((line) => line.startsWith("cool "));

let dir = "";

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "cool-readme-"));
  // the pictures of the example, fewer of them
  await generateDataset(dir, { count: 240 });
  for (const { title, text } of snippets) if (title !== undefined) writeFileSync(join(dir, title), text);
  mkdirSync(join(dir, "node_modules"));
  symlinkSync(root, join(dir, "node_modules", "dnn-cool"), "dir");
  writeFileSync(join(dir, "package.json"), JSON.stringify({ type: "module" }));
});

afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Runs a line of the page in a shell where `cool` is the built one. */
async function cool(command: string): Promise<string> {
  const shell = `cool() { "${process.execPath}" "${join(root, "bin", "run.js")}" "$@"; }; ${command}`;
  const { stdout } = await run("bash", ["-c", shell], { cwd: dir });
  return stdout;
}

describe("README", () => {
  it("shows the columns that the example's table has", () => {
    const shown =
      snippets
        .find(({ language }) => language === "csv")
        ?.text.split("\n")[0]
        ?.split(",") ?? [];
    const columns = readFileSync(join(dir, "labels.csv"), "utf8").split("\n")[0]?.split(",");
    expect(shown.length).toBeGreaterThan(3);
    expect(columns).toEqual(expect.arrayContaining(shown));
  });

  it("names commands that all work, in the order of the page", async () => {
    expect(commands.length).toBeGreaterThan(10);
    for (const command of commands) {
      const stdout = await cool(command).catch((error: Error & { stderr?: string }) => {
        throw new Error(`${command}: ${error.stderr ?? error.message}`);
      });
      expect(stdout, command).not.toBe("");
    }
  });

  it("prints an explanation tree of the form that the page shows", async () => {
    const shown = snippets.find(({ text }) => text.startsWith("├── images/00001.png"))?.text ?? "";
    const printed = await cool("cool explain images/00001.png");
    const paths = (tree: string) =>
      tree
        .trim()
        .split("\n")
        .map((line) => line.split(" | ")[0]);
    // a short training may answer otherwise further down
    expect(paths(printed).slice(0, 2)).toEqual(paths(shown).slice(0, 2));
    expect(printed).toMatch(/decoded: \[(True|False)\], activated: \[[\d.e-]+\], logits: \[-?[\d.e-]+\]/);
  });

  it("has programs that run", async () => {
    const jiti = join(root, "node_modules", "jiti", "lib", "jiti-cli.mjs");
    for (const { title } of snippets.filter(({ title }) => title?.endsWith(".ts") && !title.endsWith("config.ts"))) {
      await run(process.execPath, [jiti, title ?? ""], { cwd: dir });
    }
  });

  it("has configurations that load", async () => {
    for (const { title } of snippets.filter(({ title }) => title?.endsWith("config.ts"))) {
      const project = await loadProject(join(dir, title ?? ""));
      expect(project.graph.tasks.length).toBeGreaterThan(0);
    }
  });

  it("lists every command that there is", () => {
    const manifest = JSON.parse(readFileSync(join(root, "oclif.manifest.json"), "utf8")) as {
      commands: Record<string, unknown>;
    };
    for (const id of Object.keys(manifest.commands)) {
      expect(readme, `the README does not mention cool ${id}`).toContain(`cool ${id.replaceAll(":", " ")}`);
    }
  });
});
