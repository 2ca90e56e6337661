/** @file What a run's folder names is never run: modules, native packages, queries and repositories. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadRun } from "../../src/asking/load-run.js";
import { diffRuns } from "../../src/comparing/diff-runs.js";
import { installedPackages } from "../../src/engine/backends/tensorflow/package.js";
import { findWebgpuPackages } from "../../src/engine/backends/webgpu/packages.js";
import { enclosingStore, findProjectDir, runningProject } from "../../src/project/project-dir.js";
import { loadProject } from "../../src/project/load-project.js";
import { openRunStore } from "../../src/storage/run-store.js";
import type { RunResult } from "../../src/training/run-result.js";
import { trainRun } from "../../src/training/train-run.js";
import { temporaryDir } from "../storage/support.js";
import { git, writeFiles } from "../support/folders.js";
import { writeNumberProject } from "../support/number-project.js";

const SLOW = { timeout: 120_000 };

let dir = "";
let canary = "";
let run: RunResult;
beforeAll(async () => {
  const place = mkdtempSync(join(tmpdir(), "trust-"));
  dir = join(place, "project");
  canary = join(place, "canary");
  writeNumberProject(dir);
  run = await trainRun(await loadProject(dir), { backend: "cpu", name: "first" });
}, 120_000);
afterAll(() => rmSync(join(dir, ".."), { recursive: true, force: true }));

/** Code that leaves a trace. */
const touch = () => `require("node:fs").writeFileSync(${JSON.stringify(canary)}, "executed");`;

/** Rewrites a document of the run for the time of `work`. */
async function tampered(name: string, edit: (document: Document) => void, work: () => Promise<void>): Promise<void> {
  const file = join(run.run.dir, name);
  const before = readFileSync(file, "utf8");
  const document = JSON.parse(before);
  edit(document);
  writeFileSync(file, JSON.stringify(document));
  try {
    await work();
  } finally {
    writeFileSync(file, before);
  }
  expect(existsSync(canary)).toBe(false);
}

type Document = Record<string, unknown> & { settings: { data: Record<string, unknown> }; tasks: { spec: unknown }[] };

const OWN = {
  ...{
    kind: "custom",
    type: "evil",
    digest: "ab",
    parts: {},
    logitWidth: 1,
    answerWidth: 1,
    gate: "none",
    head: "dense",
  },
  ...{ likelihood: "gaussian", higherIsBetter: {}, described: false },
};

describe("a run that names code of its own", () => {
  test("with a custom task is not opened with the module that it names", SLOW, async () => {
    const evil = join(temporaryDir(), "cool.config.cjs");
    writeFileSync(evil, touch());
    const own = (graph: Document) => {
      for (const task of graph.tasks) task.spec = OWN;
    };
    const named = (config: Document) => {
      config.configFile = evil;
    };
    await tampered("graph.json", own, () =>
      tampered("config.json", named, async () => {
        const opening = loadRun(join(dir, ".cool"), "first", { backend: "cpu" });
        await expect(opening).rejects.toThrow('of the type "evil", whose code is in its project, and there is no');
        // the user's own project is asked, and does not define it
        await expect(loadRun(join(dir, ".cool"), "first", { project: dir, backend: "cpu" })).rejects.toThrow(
          `which ${join(dir, "cool.config.ts")} does not define`,
        );
      }),
    );
  });

  test("is computed without the native packages of the folder that it names", SLOW, async () => {
    const place = temporaryDir();
    const name = join(place, "node_modules", "@tensorflow", "tfjs-node");
    writeFiles(name, {
      "package.json": '{"version":"4.22.0"}',
      "lib/napi-v8/tfjs_binding.node": "not an addon",
      "dist/register_all_kernels.js": touch(),
      "dist/nodejs_kernel_backend.js": touch(),
    });
    writeFiles(join(place, "node_modules"), {
      "webgpu/package.json": '{"version":"1.0.0","main":"index.js"}',
      "webgpu/index.js": touch(),
      "@tensorflow/tfjs-backend-webgpu/package.json": '{"version":"1.0.0","main":"index.js"}',
      "@tensorflow/tfjs-backend-webgpu/index.js": touch(),
    });
    const found = (projectDir?: string) => installedPackages(projectDir, {}).map((one) => one.dir);
    expect(found(place)).toContain(name);
    expect(found()).not.toContain(name);
    expect(findWebgpuPackages(place)?.dawn.entry).toContain(place);
    expect(findWebgpuPackages()?.dawn.entry ?? "").not.toContain(place);
    const named = (config: Document) => {
      config.projectDir = place;
    };
    await tampered("config.json", named, async () => {
      const loaded = await loadRun(join(dir, ".cool"), "first");
      await loaded.predict([join(dir, "labels.csv")]);
      loaded.close();
    });
  });

  test("is asked without reading the file that it names as its vocabulary", SLOW, async () => {
    const tokens = { kind: "tokens", column: "x", maxLength: 4, unknown: "error", split: "whitespace" };
    const named = (config: Document) => {
      config.inputs = { at: { ...tokens, vocabulary: "/etc/hostname" } };
    };
    await tampered("config.json", named, async () => {
      const opening = loadRun(join(dir, ".cool"), "first", { backend: "cpu" });
      await expect(opening).rejects.toThrow('config.json is not as a run writes it: "inputs.at.vocabulary" is wrong');
    });
  });

  test("is neither repeated nor gone on with where its SQL is not the project's", SLOW, async () => {
    const query = `select * from read_csv('labels.csv') where 1 = 1`;
    const ownQuery = ({ settings }: Document) => {
      settings.data.table = query;
    };
    await tampered("config.json", ownQuery, async () => {
      const project = await loadProject(dir);
      await expect(trainRun(project, { again: "first" })).rejects.toThrow("its SQL query is not the project's");
      await expect(trainRun(project, { resume: "first", epochs: 2 })).rejects.toThrow(
        "a run's own SQL is never executed",
      );
      // by force the project's own table is taken
      const forced = await trainRun(project, { again: "first", force: true, backend: "cpu" });
      expect(JSON.parse(readFileSync(join(forced.run.dir, "config.json"), "utf8")).settings.data.table).toBe(
        "labels.csv",
      );
      const withQuery = await loadProject(dir, [`data.table=${query}`]);
      const again = await trainRun(withQuery, { again: "first", force: true, backend: "cpu" });
      expect(again.run.state).toBe("finished");
    });
  });

  test("is compared with another one without running git in the folder that it names", SLOW, async () => {
    const place = temporaryDir();
    git(place, "init", "--quiet");
    writeFileSync(join(place, "monitor.sh"), `#!/bin/sh\ntouch ${canary}\n`, { mode: 0o755 });
    git(place, "config", "core.fsmonitor", join(place, "monitor.sh"));
    const store = openRunStore(join(dir, ".cool"));
    const { id } = store.createRun({
      project: "numbers",
      name: "other",
      git: { commit: `--index-output=${canary}`, branch: null, dirty: null },
    });
    writeFiles(store.runDir(id), { "config.json": JSON.stringify({ projectDir: place }), "source.patch": "x" });
    try {
      expect(diffRuns(store, ["first", "other"]).source?.kind).toBe("patches");
      // a commit is no option for git
      git(dir, "init", "--quiet");
      expect(diffRuns(store, ["first", "other"], { projectDir: dir }).source?.kind).toBe("patches");
      expect(existsSync(canary)).toBe(false);
    } finally {
      store.close();
    }
  });
});

describe("a path in a run store", () => {
  const inner = () => join(run.run.dir, "project");

  test("is no project, whichever way leads there", async () => {
    writeNumberProject(inner(), {
      head: `import { writeFileSync } from "node:fs"; ${touch().replace('require("node:fs").', "")}`,
    });
    const refusal = "lies in the run store";
    expect(findProjectDir(inner())).toBe(dir);
    await expect(loadProject(inner())).rejects.toThrow(refusal);
    await expect(loadProject(join(inner(), "cool.config.ts"))).rejects.toThrow(refusal);
    expect(() => runningProject(inner())).toThrow(refusal);
    const link = join(temporaryDir(), "link");
    symlinkSync(inner(), link);
    await expect(loadProject(link)).rejects.toThrow(refusal);
    expect(findProjectDir(link)).toBe(dir);
    expect(existsSync(canary)).toBe(false);
  });

  test("is told from the folders above the store", () => {
    expect(enclosingStore(inner())).toBe(join(dir, ".cool"));
    expect(enclosingStore(dir)).toBeUndefined();
    const exported = temporaryDir();
    writeFiles(exported, { "cool.db": "", "deep/cool.config.ts": "" });
    mkdirSync(join(exported, "deep", "er"));
    expect(() => findProjectDir(join(exported, "deep", "er"))).toThrow("No cool.config.ts");
  });
});
