/** @file A project of a user, compiled against the published declarations, which are checked as well. */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { root, snippetsOf } from "../support/pages.js";

const DEPENDENCIES = ["zod", "jiti", "typescript", "@typescript", "@types/node", "undici-types"];
let dir = "";

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "cool-declarations-"));
  const installed = join(dir, "node_modules", "dnn-cool");
  mkdirSync(join(dir, "node_modules", "@types"), { recursive: true });
  mkdirSync(installed);
  // what npm would install: the package as it is published, and of its dependencies those whose types it shows
  for (const part of ["dist", "package.json"]) cpSync(join(root, part), join(installed, part), { recursive: true });
  for (const name of DEPENDENCIES) symlinkSync(join(root, "node_modules", name), join(dir, "node_modules", name));
  for (const { title, text } of [
    "README.md",
    "docs/guide.md",
    "docs/tasks.md",
    "docs/runs.md",
    "docs/track.md",
  ].flatMap(snippetsOf)) {
    if (title?.endsWith(".ts") !== true) continue;
    mkdirSync(dirname(join(dir, title)), { recursive: true });
    writeFileSync(join(dir, title), text);
  }
  writeFileSync(join(dir, "package.json"), JSON.stringify({ type: "module" }));
});

afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** What the compiler says; empty where all is well. */
function compile(options: Readonly<Record<string, unknown>>): string {
  const compilerOptions = {
    strict: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: false,
    noEmit: true,
    target: "es2023",
    lib: ["es2023"],
    types: ["node"],
    ...options,
  };
  writeFileSync(
    join(dir, "tsconfig.json"),
    JSON.stringify({ compilerOptions, include: ["**/*.ts"], exclude: ["node_modules"] }),
  );
  const { stdout } = spawnSync(process.execPath, [join(root, "node_modules", "typescript", "bin", "tsc")], {
    cwd: dir,
    encoding: "utf8",
  });
  return stdout;
}

describe("the published declarations compile with skipLibCheck: false", () => {
  it("under NodeNext", () => {
    expect(compile({ module: "nodenext", moduleResolution: "nodenext" })).toBe("");
  });

  it("with a bundler's resolution", () => {
    expect(compile({ module: "esnext", moduleResolution: "bundler" })).toBe("");
  });

  it("beside the types of browsers", () => {
    expect(compile({ module: "nodenext", moduleResolution: "nodenext", lib: ["es2023", "dom"] })).toBe("");
  });

  it("know names: a feature that does not exist is an error", () => {
    const file = join(dir, "wrong.ts");
    writeFileSync(
      file,
      'import { binary, defineTasks } from "dnn-cool";\n' +
        'defineTasks({ features: ["f"], tasks: { a: binary() } }).flow("m", (flow, x, out) => out.add(flow.a(x.g)));\n',
    );
    expect(compile({ module: "nodenext" })).toContain("Property 'g' does not exist");
    rmSync(file);
  });
});
