/** @file What the page of an export shows is what `cool explain` says. */
import { existsSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type LoadedRun, loadRun } from "../../../src/asking/load-run.js";
import { packageFile } from "../../../src/platform/package-file.js";
import { readExport } from "../../../src/predictor/index.js";
import { loadProject } from "../../../src/project/load-project.js";
import { shipRun } from "../../../src/shipping/export-run.js";
import { openRunStore } from "../../../src/storage/run-store.js";
import type { EvaluationRow } from "../../../src/tasks/evaluation.js";
import { allLogits, behaviourOf } from "../../../src/tasks/index.js";
import { trainRun } from "../../../src/training/train-run.js";
import { explained } from "../../../src/web/worker/explained.js";
import { type TinyProject, tinyProject } from "../../support/projects.js";

let project: TinyProject;
let run: LoadedRun;
let site = "";
let listed: readonly string[] = [];

beforeAll(async () => {
  if (!existsSync(packageFile("dist/web"))) execFileSync(process.execPath, [packageFile("scripts/web.mjs")]);
  project = await tinyProject();
  const { run: trained } = await trainRun(await loadProject(project.dir, ["train.epochs=3"]));
  run = await loadRun(join(project.dir, ".cool"), trained.id);
  const store = openRunStore(join(project.dir, ".cool"), { readonly: true });
  const { out, files } = await shipRun(store, trained.id, { format: "web", to: join(project.dir, "site") });
  store.close();
  [site, listed] = [out, files.map(({ path }) => path)];
});
afterAll(() => {
  run.close();
  project.remove();
});

describe("an export of the format web", () => {
  it("has a page with all that it loads, and the files of the format layers, each in the list of sums", async () => {
    for (const name of [
      "index.html",
      "app.js",
      "worker.js",
      "service-worker.js",
      "style.css",
      "model.json",
      "weights.bin",
    ]) {
      expect(listed).toContain(name);
    }
    const { files } = await readExport((name) => readFile(join(site, name)));
    expect([...files.keys(), "SHA256SUMS"]).toEqual(listed);
    const page = new TextDecoder().decode(files.get("index.html"));
    const loaded = [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, name]) => name);
    expect(loaded).toHaveLength(7);
    for (const name of loaded) expect(listed).toContain(name);
  });

  it("is at most 1.5 MB beside the weights", async () => {
    const { files } = await readExport((name) => readFile(join(site, name)));
    const own = [...files].filter(([name]) => name !== "weights.bin").reduce((sum, [, { length }]) => sum + length, 0);
    expect(own).toBeLessThan(1_500_000);
  });

  it("has of the metrics those alone that the card for people prints", async () => {
    const { files } = await readExport((name) => readFile(join(site, name)));
    const { metrics } = JSON.parse(new TextDecoder().decode(files.get("model-card.json")));
    expect(metrics.length).toBeGreaterThan(10);
    const isDetail = ({ split, gates, metric_name }: EvaluationRow): boolean =>
      split !== "test" || gates === "predicted" || metric_name.includes("/");
    expect(metrics.filter(isDetail)).toEqual([]);
  });
});

describe("what the page shows", () => {
  it("is the tree of cool explain, in its words, with what is not asked and the figures of what is", async () => {
    const { document } = await readExport((name) => readFile(join(site, name)));
    const names = project.rows.map((_, row) => project.image(row));
    const expected = await run.explain(names);
    const { scored } = await run.score(names);
    const figures = new Set<number>();
    for (const [row, theirs] of expected.entries()) {
      const logits = scored.tasks.map(({ task: { path, spec }, kept }) => {
        const width = behaviourOf(spec).logitWidth(spec);
        return [path, allLogits(kept).logits.slice(row * width, (row + 1) * width)] as const;
      });
      const sizes = { width: Float32Array.of(16), height: Float32Array.of(16) };
      const own = explained(document, { logits: Object.fromEntries(logits), facts: { sizes } }, theirs.input);
      expect(own.text).toBe(run.print(theirs));
      expect(own.tree).toEqual(theirs.tree);
      const asked = JSON.stringify(own.tree);
      for (const { path } of own.notAsked) expect(asked).not.toContain(`"path":"${path}"`);
      figures.add(own.figures.length);
      expect(own.notAsked.filter(({ path }) => path === "square.color")).toHaveLength(asked.includes("color") ? 0 : 1);
    }
    // x alone is no figure
    expect([...figures]).toEqual([0]);
  });
});
