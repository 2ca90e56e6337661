/** @file Uncommitted work as a patch that rebuilds it on top of the commit. */
import { mkdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { sourceFiles } from "../../src/provenance/source-files.js";
import { gitState, ignoreStore, sourcePatch } from "../../src/provenance/git.js";
import { temporaryDir } from "../storage/support.js";
import { git, repository, writeFiles } from "../support/folders.js";

const BINARY = Uint8Array.from({ length: 300 }, (_, i) => (i * 31) % 256);

function dirtyRepository(): string {
  const dir = temporaryDir();
  repository(dir, { "kept.ts": "1\n", "changed.ts": "old\n", "gone.ts": "bye\n", ".gitignore": "ignored/\n.cool/\n" });
  writeFiles(dir, {
    "changed.ts": "new\n",
    "new file 'quoted' ü.ts": "brand new\n",
    "deep/er/added.ts": "added\n",
    "bytes.dat": BINARY,
    "ignored/secret.ts": "ignored\n",
    "picture.png": "untracked data",
  });
  rmSync(join(dir, "gone.ts"));
  return dir;
}

test("the patch holds changed, deleted and untracked files, and applies to the commit", () => {
  const dir = dirtyRepository();
  const patch = sourcePatch(dir);
  expect(patch?.untracked.toSorted()).toEqual(["bytes.dat", "deep/er/added.ts", "new file 'quoted' ü.ts"]);
  expect(patch?.leftOut).toEqual([{ path: "picture.png", bytes: 14, reason: "data, not source" }]);

  const clone = join(temporaryDir(), "clone");
  git(dir, "clone", "--quiet", dir, clone);
  writeFileSync(join(clone, "..", "work.patch"), patch?.text ?? "");
  git(clone, "apply", join(clone, "..", "work.patch"));
  for (const path of ["changed.ts", "new file 'quoted' ü.ts", "deep/er/added.ts", "bytes.dat"]) {
    expect(readFileSync(join(clone, path))).toEqual(readFileSync(join(dir, path)));
  }
  expect(git(clone, "status", "--porcelain")).toContain(" D gone.ts");
});

test("taking the patch leaves the repository as it was, with staged work of its own", () => {
  const dir = dirtyRepository();
  git(dir, "add", "changed.ts");
  const before = [git(dir, "status", "--porcelain"), git(dir, "diff", "--cached"), git(dir, "count-objects")];
  expect(sourcePatch(dir)?.text).toContain("+brand new");
  expect([git(dir, "status", "--porcelain"), git(dir, "diff", "--cached"), git(dir, "count-objects")]).toEqual(before);
});

test("a file edited to the same size right after the commit is in the patch", () => {
  const dir = temporaryDir();
  repository(dir, { "a.ts": "old\n" });
  writeFiles(dir, { "a.ts": "new\n" });
  // as a quick hand leaves them: file and index within one tick of the clock
  const tick = new Date(Math.floor(Date.now() / 1000) * 1000);
  for (const file of ["a.ts", join(".git", "index")]) utimesSync(join(dir, file), tick, tick);
  expect(sourcePatch(dir)?.text).toContain("+new");
});

test("files beyond the limits are listed instead; the project's own come first", () => {
  const dir = temporaryDir();
  repository(dir, { "project/a.ts": "", "other/a.ts": "" });
  writeFiles(dir, { "project/z.ts": "12345\n", "other/b.ts": "12345\n", "project/long.ts": "x".repeat(50) });
  const limits = { fileBytes: 20, totalBytes: 10, files: 9 };
  const patch = sourcePatch(join(dir, "project"), { limits });
  expect(patch?.untracked).toEqual(["project/z.ts"]);
  expect(patch?.leftOut).toEqual([
    { path: "project/long.ts", bytes: 50, reason: "larger than 20 bytes" },
    { path: "other/b.ts", bytes: 6, reason: "all files together are larger than 10 bytes" },
  ]);
  expect(patch?.text).not.toContain("other/b.ts");
});

test("the run store is no source, even where git does not ignore it", () => {
  const dir = temporaryDir();
  repository(dir, { "a.ts": "" });
  writeFiles(dir, { ".cool/cool.json": "{}", "b.ts": "" });
  expect(sourcePatch(dir, { exclude: join(dir, ".cool") })?.untracked).toEqual(["b.ts"]);
});

test("other run stores and exported runs in the repository are no source", () => {
  const dir = temporaryDir();
  repository(dir, { "a.ts": "" });
  writeFiles(dir, { "kept/run/cool.db": "", "kept/run/runs/1/config.json": "{}", "kept/c.ts": "", "b.ts": "" });
  expect(sourcePatch(dir)?.untracked.toSorted()).toEqual(["b.ts", "kept/c.ts"]);
  expect(sourceFiles(dir, join(dir, ".cool")).map(({ path }) => path)).toEqual(["a.ts", "b.ts", "kept/c.ts"]);
});

test("a run store ignores itself, so that a run does not make the tree dirty", () => {
  const dir = temporaryDir();
  repository(dir, { "a.ts": "" });
  writeFiles(dir, { ".cool/cool.db": "" });
  expect(gitState(dir).dirty).toBe(true);
  ignoreStore(join(dir, ".cool"));
  expect(gitState(dir).dirty).toBe(false);
  writeFiles(dir, { ".cool/.gitignore": "mine\n" });
  ignoreStore(join(dir, ".cool"));
  expect(readFileSync(join(dir, ".cool", ".gitignore"), "utf8")).toBe("mine\n");
});

test("before the first commit everything is in the patch", () => {
  const dir = temporaryDir();
  git(dir, "init", "--quiet");
  writeFiles(dir, { "a.ts": "one\n" });
  expect(gitState(dir)).toEqual({ commit: null, branch: null, dirty: null });
  expect(sourcePatch(dir)?.text).toContain("+one");
});

test("a clean tree has an empty patch, and a folder outside of git none", () => {
  const dir = temporaryDir();
  repository(dir, { "a.ts": "1" });
  expect(gitState(dir)).toEqual({ commit: git(dir, "rev-parse", "HEAD").trim(), branch: "main", dirty: false });
  expect(sourcePatch(dir)).toEqual({ text: "", untracked: [], leftOut: [], leftOutCount: 0 });
  const outside = join(temporaryDir(), "outside");
  mkdirSync(outside);
  expect(sourcePatch(outside)).toBeNull();
  expect(gitState(outside).commit).toBeNull();
});
