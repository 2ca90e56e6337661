/** @file The snippets of README and docs, run as they stand. */
import { execFile } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { generateDataset } from "../../examples/home-security/generate.js";
import { loadProject } from "../../src/project/load-project.js";
import { commandFiles } from "../../scripts/docs/generated.js";
import { GUIDES, root, snippetsOf } from "../support/pages.js";

const run = promisify(execFile);
const snippets = GUIDES.flatMap(snippetsOf);
const files = snippets.filter(({ title, language }) => title !== undefined && language !== "sh");

/** The `cool …` lines of a page's shell snippets; those with a title have a test of their own. */
function commandsOf(page: string): string[] {
  return snippets
    .filter((snippet) => snippet.page === page && snippet.language === "sh" && snippet.title === undefined)
    .flatMap(({ text }) => text.split("\n"))
    .map((line) => line.replace(/\s+#.*$/, "").trim())
    .filter((line) => line !== "");
}

let dir = "";

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "cool-docs-"));
  // the pictures of the example, fewer of them
  await generateDataset(dir, { count: 240 });
  for (const { title = "", text } of files) {
    mkdirSync(dirname(join(dir, title)), { recursive: true });
    writeFileSync(join(dir, title), text);
  }
  // as if a model had been fetched
  for (const project of ["letters", "words"]) {
    mkdirSync(join(dir, project, "minilm"));
    const own = join(dir, project, "minilm", "tokenizer.json");
    copyFileSync(join(root, "fixtures", "tokenizers", "wordpiece.json"), own);
  }
  mkdirSync(join(dir, "node_modules"));
  symlinkSync(root, join(dir, "node_modules", "dnn-cool"), "dir");
  writeFileSync(join(dir, "package.json"), JSON.stringify({ type: "module" }));
});

afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Runs a line of a page in a shell where `cool` is the built one. */
async function shell(command: string): Promise<string> {
  const script = `cool() { "${process.execPath}" "${join(root, "bin", "run.js")}" "$@"; }; ${command}`;
  const { stdout } = await run("bash", ["-c", script], { cwd: dir }).catch(
    (error: Error & { readonly stderr?: string }) => {
      throw new Error(`${command}: ${error.stderr ?? error.message}`);
    },
  );
  return stdout;
}

describe("README and docs", () => {
  it("show the columns that the example's table has", () => {
    const shown = snippets.find(({ language }) => language === "csv")?.text.split("\n")[0] ?? "";
    const columns = readFileSync(join(dir, "labels.csv"), "utf8").split("\n")[0]?.split(",");
    expect(shown.split(",").length).toBeGreaterThan(3);
    expect(columns).toEqual(expect.arrayContaining(shown.split(",")));
  });

  // in the order of the pages: a later command asks the runs of earlier ones
  it.each(GUIDES.filter((page) => commandsOf(page).length > 0))("%s names commands that all work", async (page) => {
    for (const command of commandsOf(page)) {
      expect(command).toMatch(/^cool /);
      expect(await shell(command), command).not.toBe("");
    }
  });

  it("show an explanation tree of the form that is printed", async () => {
    const shown = snippets.find(({ text }) => text.startsWith("├── images/00001.png"))?.text ?? "";
    const printed = await shell("cool explain images/00001.png");
    const paths = (tree: string) =>
      tree
        .trim()
        .split("\n")
        .map((line) => line.split(" | ")[0]);
    // a short training may answer otherwise further down
    expect(paths(printed).slice(0, 2)).toEqual(paths(shown).slice(0, 2));
    const line = /decoded: \[(True|False)\], activated: \[[\d.e-]+\]( [<≥] [\d.e-]+)/;
    expect(printed).toMatch(line);
    expect(shown).toMatch(line);
  });

  it.each(files.filter(({ title }) => title?.endsWith(".ts") && !title.endsWith("config.ts")))(
    "$page has a program that runs: $title",
    async ({ title = "" }) => {
      const jiti = join(root, "node_modules", "jiti", "lib", "jiti-cli.mjs");
      await run(process.execPath, [jiti, title], { cwd: dir });
    },
  );

  it.each(files.filter(({ title }) => /config\.[jt]s$/.test(title ?? "")))(
    "$page has a configuration that loads: $title",
    async ({ title = "" }) => {
      const project = await loadProject(join(dir, title));
      expect(project.graph.tasks.length).toBeGreaterThan(0);
    },
  );

  it("have a logger that a run tells its epochs and its end", async () => {
    const config = readFileSync(join(dir, "cool.config.ts"), "utf8");
    const logged = config.replace("defineProject({", "defineProject({ log: { loggers: [epochsLog] },");
    try {
      writeFileSync(join(dir, "cool.config.ts"), `import { epochsLog } from "./epochs-log.ts";\n${logged}`);
      const { run: trained } = JSON.parse(await shell("cool run --epochs 1 --name told --store told --json"));
      const lines = readFileSync(join(trained.dir, "epochs.jsonl"), "utf8").trim().split("\n");
      const [epoch, evaluated, end] = lines.map((line) => JSON.parse(line));
      expect(epoch).toMatchObject({ epoch: 1, trainLoss: expect.any(Number) });
      expect(evaluated).toMatchObject({ evaluated: trained.best_epoch });
      expect(end).toEqual({ end: "finished" });
      expect(lines).toHaveLength(3);
    } finally {
      writeFileSync(join(dir, "cool.config.ts"), config);
    }
  });

  it.each(commandFiles())("hold the commands' own help: $file", ({ file, text }) => {
    expect(readFileSync(join(root, file), "utf8"), "run `npm run docs`").toBe(text);
  });

  it("have a workflow whose commands work", async () => {
    const steps = [...(files.find(({ title }) => title === "ci.yml")?.text ?? "").matchAll(/- run: (?:npx )?(.*)/g)];
    const commands = steps.map(([, command = ""]) => command).filter((command) => command.startsWith("cool "));
    expect(commands.length).toBeGreaterThan(0);
    for (const command of commands) await shell(command);
  });
});
