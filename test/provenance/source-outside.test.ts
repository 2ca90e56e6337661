/** @file Every module of a configuration belongs to a run's source, wherever it lies. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { diffRuns } from "../../src/comparing/diff-runs.js";
import { loadProject } from "../../src/project/load-project.js";
import { openRunStore } from "../../src/storage/run-store.js";
import { type TrainRunOptions, trainRun } from "../../src/training/train-run.js";
import { git, repository, writeFiles } from "../support/folders.js";
import { NUMBERS, numberConfig, writeNumberProject } from "../support/number-project.js";
import { temporaryDir } from "../storage/support.js";

const SLOW = { timeout: 120_000 };

const HEAD = `import { units } from "../out.ts";
import { k } from "./nested/k.ts";
import { s } from "./sub/s.js";
import { g } from "./ign/g.ts";
import { later } from "pkg";
const deep = () => import("../lazy.mjs");
`;

/** A repository with a module outside of it, in a repository within it, in a submodule, and under .gitignore. */
function project(): { readonly outer: string; readonly dir: string } {
  const outer = temporaryDir();
  const dir = join(outer, "repo");
  writeFiles(outer, { "out.ts": "export const units = 16;\n", "lazy.mjs": "export const lazy = 1;\n" });
  repository(join(outer, "library"), { "s.ts": "export const s = 1;\n" });
  repository(dir, {
    "cool.config.ts": numberConfig({ head: HEAD, units: "units + k + s + g + later" }),
    "labels.csv": NUMBERS,
    ".gitignore": "ign/\n.cool/\nnested/\nnode_modules/\n",
  });
  repository(join(dir, "nested"), { "k.ts": "export const k = 1;\n" });
  git(dir, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", join(outer, "library"), "sub");
  git(dir, "commit", "--quiet", "--message", "submodule");
  writeFiles(dir, {
    "ign/g.ts": 'export { g } from "./g2.js";\n',
    "ign/g2.ts": "export const g = 1;\n",
    "ign/unused.txt": "no module",
    "node_modules/pkg/package.json": '{"name":"pkg","version":"1.0.0","main":"index.js"}',
    "node_modules/pkg/index.js": "exports.later = 1;",
  });
  return { outer, dir };
}

async function run(dir: string, options: TrainRunOptions) {
  return trainRun(await loadProject(dir), { backend: "cpu", ...options });
}

test(
  "modules outside of the folder, ignored, in a nested repository and a submodule are source, with their text",
  SLOW,
  async () => {
    const { outer, dir } = project();
    const first = await run(dir, { name: "first" });
    const record = JSON.parse(readFileSync(join(first.run.dir, "source.json"), "utf8"));
    const paths = record.files.map(({ path }: { path: string }) => path);
    expect(paths).toEqual([
      "../lazy.mjs",
      "../out.ts",
      "cool.config.ts",
      "ign/g.ts",
      "ign/g2.ts",
      "nested/k.ts",
      "node_modules/pkg/package.json",
      "sub/s.ts",
    ]);
    expect(record.kept).toEqual(paths.filter((path: string) => path !== "cool.config.ts" && !path.includes("pkg")));

    const changes = [
      [join(outer, "out.ts"), "export const units = 5;\n", "../out.ts"],
      [join(outer, "lazy.mjs"), "export const lazy = 2;\n", "../lazy.mjs"],
      [join(dir, "nested", "k.ts"), "export const k = 5;\n", "nested/k.ts"],
      [join(dir, "sub", "s.ts"), "export const s = 5;\n", "sub/s.ts"],
      [join(dir, "ign", "g2.ts"), "export const g = 5;\n", "ign/g2.ts"],
      [join(dir, "node_modules/pkg/package.json"), '{"name":"pkg","version":"2.0.0"}', "node_modules/pkg/package.json"],
    ] as const;
    const store = openRunStore(join(dir, ".cool"), { readonly: true });
    for (const [file, text, path] of changes) {
      const before = readFileSync(file, "utf8");
      writeFiles("/", { [file]: text });
      await expect(run(dir, { again: "first" })).rejects.toThrow(`cannot be repeated exactly: ${path} has changed.`);
      await run(dir, { name: path });
      const diff = diffRuns(store, ["first", path], { projectDir: dir });
      expect(diff.files).toEqual([{ path, change: "changed" }]);
      expect(diff.code.map(({ key }) => key)).toContain("source_digest");
      if (!path.includes("pkg")) {
        const [old, now] = [before.trim(), text.trim()];
        expect(diff.source?.text).toBe(`--- a/${path}\n+++ b/${path}\n@@ -1 +1 @@\n-${old}\n+${now}\n`);
      }
      writeFiles("/", { [file]: before });
    }
    store.close();
  },
);

test("a development dependency, a lock file and a tsconfig are no change of the source", SLOW, async () => {
  const dir = temporaryDir();
  writeNumberProject(dir);
  writeFiles(dir, { "package.json": '{"name":"p","version":"1.0.0"}', "lib.json": "1" });
  const first = await run(dir, { name: "first" });
  writeFiles(dir, {
    "package.json": '{"name":"p","version":"1.0.0","devDependencies":{"x":"1"}}',
    "package-lock.json": "{}",
    "tsconfig.json": "{}",
    "tsconfig.build.json": "{}",
  });
  const again = await run(dir, { again: "first" });
  const store = openRunStore(join(dir, ".cool"), { readonly: true });
  expect(store.getRun(again.run.id).sourceDigest).toBe(store.getRun(first.run.id).sourceDigest);
  store.close();
  writeFiles(dir, { "lib.json": "2" });
  await expect(run(dir, { again: "first" })).rejects.toThrow("lib.json has changed");
});

test("a run of an earlier version is compared by the files that it names", SLOW, async () => {
  const { dir } = project();
  const first = await run(dir, { name: "first" });
  const file = join(first.run.dir, "source.json");
  const { formatVersion: _, kept: __, ...record } = JSON.parse(readFileSync(file, "utf8"));
  const files = record.files.filter(({ path }: { path: string }) => !/^\.\.|node_modules/.test(path));
  const lock = { path: "package-lock.json", bytes: 1, sha256: "ab" };
  writeFiles("/", { [file]: JSON.stringify({ ...record, files: [...files, lock] }) });
  await run(dir, { again: "first" });
  writeFiles(dir, { "ign/g2.ts": "export const g = 2;\n" });
  await expect(run(dir, { again: "first" })).rejects.toThrow("cannot be repeated exactly: ign/g2.ts has changed.");
});
