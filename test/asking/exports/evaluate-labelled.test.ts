/** @file An export is evaluated on a labelled table as its run is: the same rows, metrics, baselines and intervals. */
import { copyFileSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { evaluateExport, evaluateRunOn, type LabelledResult } from "../../../src/asking/exports/evaluate-labelled.js";
import { findExport, type FoundExport } from "../../../src/asking/exports/open-export.js";
import { loadOnnxRuntime } from "../../../src/engine/model/pretrained/onnx-runtime.js";
import { BackendError } from "../../../src/errors.js";
import { loadProject } from "../../../src/project/load-project.js";
import { readOnnxFacts } from "../../../src/protobuf/onnx-facts.js";
import { shipRun } from "../../../src/shipping/export-run.js";
import { openRunStore } from "../../../src/storage/run-store.js";
import { trainRun } from "../../../src/training/train-run.js";
import { writeFiles } from "../../support/folders.js";
import { ensureOnnxRuntime, linkOnnxRuntime } from "../../support/onnx-runtime.js";
import { type TinyProject, tinyProject } from "../../support/projects.js";

const noOnnx = await ensureOnnxRuntime();
const FORMATS = noOnnx === null ? (["layers", "onnx"] as const) : (["layers"] as const);

async function found(path: string): Promise<FoundExport> {
  const result = await findExport(path);
  if (result === null) throw new Error(`${path} is no export`);
  return result;
}

/** Trains, and exports in every format that can be asked here. */
async function shipped(dir: string): Promise<Record<string, string>> {
  const { run } = await trainRun(await loadProject(dir));
  const store = openRunStore(join(dir, ".cool"), { readonly: true });
  try {
    const places: Record<string, string> = {};
    for (const format of FORMATS) {
      places[format] = join(dir, "shipped", format);
      await shipRun(store, run.id, { format, to: places[format], project: dir });
    }
    return places;
  } finally {
    store.close();
  }
}

function expectSame(own: LabelledResult, expected: LabelledResult): void {
  expect(own.rows).toBe(expected.rows);
  expect(own.evaluation.length).toBe(expected.evaluation.length);
  own.evaluation.forEach((row, i) => {
    const other = expected.evaluation[i];
    const { metric_res, baseline, interval, ...facts } = row;
    expect(other).toMatchObject(facts);
    // undefined in both, or close
    expect(metric_res ?? -1).toBeCloseTo(other?.metric_res ?? -1, 5);
    expect(baseline ?? -1).toBeCloseTo(other?.baseline ?? -1, 5);
    expect(interval === undefined).toBe(other?.interval === undefined);
  });
}

const MIXED = `import { binary, categorical, classification, defineProject, defineTasks, known, numeric } from "dnn-cool";
const tasks = defineTasks({
  features: ["f"],
  tasks: { asked: known(), high: binary(), kind: classification({ classes: ["a", "b", "c"] }) },
}).flow("main", (flow, x, out) => {
  out.add(flow.asked());
  out.add(flow.high(x.f).given(out.asked));
  out.add(flow.kind(x.f).given(out.high));
});
export default defineProject({
  name: "mixed",
  tasks,
  flow: "main",
  data: {
    table: "labels.csv",
    inputs: {
      at: numeric({ columns: ["x", "y"] }, { missing: "mean" }),
      place: categorical({ column: "place", categories: ["north", "south"], missing: "category" }),
      month: categorical({ column: "month", categories: ["jan", "feb", "mar"], encoding: "index" }),
    },
    split: { column: "split" },
  },
  trunk: ({ at, place, month }, layers) => ({
    f: layers.concatenate().apply([at, place, layers.flatten().apply(layers.embedding({ inputDim: 4, outputDim: 2 }).apply(month))]),
  }),
  train: { epochs: 1, batchSize: 16 },
});
`;

const mixedRow = (i: number): string => {
  const x = 1000 + 40 * Math.sin(i * 1.7);
  const asked = i % 4 === 0 ? 0 : 1;
  const high = asked === 1 ? Number(x > 1000) : "";
  const kind = high === 1 ? ["a", "b", "c"][i % 3] : "";
  const split = ["train", "train", "valid", "test"][Math.floor(i / 4) % 4];
  return [
    i % 7 === 3 ? "" : x,
    (0.01 * i).toFixed(2),
    ["north", "south", ""][i % 3],
    ["jan", "feb", "mar"][i % 3],
    asked,
    high,
    kind,
    split,
  ].join(",");
};

describe("numbers, categories and known answers", () => {
  const dir = mkdtempSync(join(tmpdir(), "cool-mixed-"));
  let places: Record<string, string> = {};
  beforeAll(async () => {
    const rows = Array.from({ length: 96 }, (_, i) => mixedRow(i));
    writeFiles(dir, {
      "cool.config.ts": MIXED,
      "labels.csv": `x,y,place,month,asked,high,kind,split\n${rows.join("\n")}\n`,
    });
    if (noOnnx === null) linkOnnxRuntime(dir);
    places = await shipped(dir);
  });
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  it.each(FORMATS)("are fed to %s as to the run", async (format) => {
    const table = join(dir, "labels.csv");
    const own = await evaluateExport(await found(places[format] ?? ""), table, { project: dir });
    expectSame(own, await evaluateRunOn(join(dir, ".cool"), "latest", table, { project: dir }));
    expect(own.export).toMatchObject({ format, run: { name: "mixed-1" } });
  });
});

describe("an export of pictures", () => {
  let project: TinyProject;
  let places: Record<string, string> = {};
  beforeAll(async () => {
    project = await tinyProject();
    if (noOnnx === null) linkOnnxRuntime(project.dir);
    places = await shipped(project.dir);
  });
  afterAll(() => project.remove());

  it.each(FORMATS)("has the metrics of the run in %s", async (format) => {
    const own = await evaluateExport(await found(places[format] ?? ""), project.tableFile, { project: project.dir });
    expectSame(own, await evaluateRunOn(join(project.dir, ".cool"), "latest", project.tableFile));
    expect(own.evaluation.some(({ baseline }) => baseline !== undefined)).toBe(true);
  });

  it("is cut into slices by the columns of the table", async () => {
    const options = { project: project.dir, by: [["color"]], worst: 2 };
    const { slices } = await evaluateExport(await found(places.layers ?? ""), project.tableFile, options);
    expect(new Set(slices?.slices.map(({ slice }) => JSON.stringify(slice))).size).toBe(3);
    expect(slices?.worst?.slices).toHaveLength(2);
  });

  it("is also evaluated by a document of version 1, which has no baselines", async () => {
    const old = join(project.dir, "old");
    cpSync(places.layers ?? "", old, { recursive: true });
    const { evaluation, ...document } = JSON.parse(readFileSync(join(old, "predictor.json"), "utf8"));
    expect(evaluation).toMatchObject({ tolerance: 0.05, groupBy: null, metrics: [] });
    writeFileSync(join(old, "predictor.json"), JSON.stringify({ ...document, version: 1 }));
    const { createHash } = await import("node:crypto");
    const sums = readFileSync(join(old, "SHA256SUMS"), "utf8");
    const digest = createHash("sha256")
      .update(readFileSync(join(old, "predictor.json")))
      .digest("hex");
    writeFileSync(join(old, "SHA256SUMS"), sums.replace(/\w{64}(?= {2}predictor\.json)/, digest));
    const result = await evaluateExport(await found(old), project.tableFile, { project: project.dir });
    const expected = await evaluateRunOn(join(project.dir, ".cool"), "latest", project.tableFile);
    expect(result.evaluation.map(({ metric_res }) => metric_res)).toEqual(
      expected.evaluation.map(({ metric_res }) => metric_res),
    );
    expect(result.evaluation.every(({ baseline }) => baseline === undefined)).toBe(true);
  });

  it("is refused where a file has been changed, and a run's name is none", async () => {
    const bad = join(project.dir, "bad");
    cpSync(places.layers ?? "", bad, { recursive: true });
    writeFileSync(join(bad, "weights.bin"), "other");
    await expect(findExport(bad)).rejects.toThrow(
      /weights\.bin of this export has been changed.*Copy the export again/,
    );
    expect(await findExport("latest")).toBeNull();
    expect(await findExport(project.dir)).toBeNull();
    await expect(findExport("nowhere/model.onnx")).rejects.toThrow("There is no export nowhere/model.onnx");
  });

  /** A copy of an export with another document, which its sums know. */
  async function withDocument(name: string, edit: (document: Record<string, unknown>) => string): Promise<string> {
    const { createHash } = await import("node:crypto");
    const [copy, document] = [join(project.dir, name), join(project.dir, name, "predictor.json")];
    cpSync(places.layers ?? "", copy, { recursive: true });
    writeFileSync(document, edit(JSON.parse(readFileSync(document, "utf8"))));
    const digest = createHash("sha256").update(readFileSync(document)).digest("hex");
    const sums = readFileSync(join(copy, "SHA256SUMS"), "utf8");
    writeFileSync(join(copy, "SHA256SUMS"), sums.replace(/\w{64}(?= {2}predictor\.json)/, digest));
    return copy;
  }

  it("with branches has no true gates, and says so", async () => {
    const branched = await found(await withDocument("branched", (own) => JSON.stringify({ ...own, gates: "if" })));
    const options = { project: project.dir };
    const result = await evaluateExport(branched, project.tableFile, options);
    const whole = await evaluateExport(await found(places.layers ?? ""), project.tableFile, options);
    expect(result.evaluation).toEqual(whole.evaluation.filter(({ gates }) => gates !== "truth"));
    expect(whole.evaluation.some(({ gates }) => gates === "truth")).toBe(true);
    expect(result.export?.gates).toBe("if");
    expect(result.notes).toEqual([expect.stringMatching(/--gates if.*true gates are left out/)]);
    const { slices } = await evaluateExport(branched, project.tableFile, { ...options, by: [["color"]] });
    expect(slices?.gates).toBe("predicted");
    await expect(evaluateExport(branched, project.tableFile, { ...options, gates: "truth" })).rejects.toThrow(
      /exported with --gates if.*Use --gates predicted or end_to_end/,
    );
  });

  it("names a document that is broken, of a later release, or not there", async () => {
    await expect(findExport(await withDocument("broken", () => "{"))).rejects.toThrow(
      /broken: The predictor\.json of this export is no JSON: .*Export the run again/,
    );
    const later = await withDocument("later", (own) =>
      JSON.stringify({ ...own, graph: { ...(own.graph as object), formatVersion: 2 } }),
    );
    await expect(findExport(later)).rejects.toThrow(/format version 2.*Install a newer dnn-cool/);
    rmSync(join(later, "predictor.json"));
    await expect(findExport(later)).rejects.toThrow(/later: This export has no predictor\.json/);
  });

  it("needs onnxruntime-node, and says how it is installed", async () => {
    const [dir, to] = [mkdtempSync(join(tmpdir(), "cool-no-peer-")), join(project.dir, "alone")];
    const store = openRunStore(join(project.dir, ".cool"), { readonly: true });
    await shipRun(store, "latest", { format: "onnx", to, gates: "if" });
    store.close();
    const { document, model } = await found(to);
    expect(document.gates).toBe("if");
    expect(readOnnxFacts(readFileSync(model))?.metadata.get("gates")).toBe("if");
    expect(() => loadOnnxRuntime(dir)).toThrow(BackendError);
    await expect(evaluateExport(await found(to), project.tableFile)).rejects.toThrow(
      /onnxruntime-node, which is not installed for .*Install it there: ONNXRUNTIME_NODE_INSTALL=skip npm install/,
    );
    rmSync(dir, { recursive: true });
  });

  it("names the column of labels that the table lacks", async () => {
    const table = join(project.dir, "less.csv");
    const lines = readFileSync(project.tableFile, "utf8").split("\n");
    writeFileSync(table, lines.join("\n").replace("present", "presence"));
    const asked = evaluateExport(await found(places.layers ?? ""), table, { project: project.dir });
    await expect(asked).rejects.toThrow(/no label column for the task "present".*"presence"/);
  });

  it.skipIf(noOnnx !== null)("is told from a model of another program", async () => {
    const backbone = join(import.meta.dirname, "../../../fixtures/torch/backbone.onnx");
    await expect(findExport(backbone)).rejects.toThrow(/no export of dnn-cool.*cool runs adopt/);
    const alone = join(mkdtempSync(join(project.dir, "alone-")), "model.onnx");
    copyFileSync((await found(places.onnx ?? "")).model, alone);
    await expect(findExport(alone)).rejects.toThrow(/other files are missing.*Copy predictor\.json and SHA256SUMS/);
  });
});
