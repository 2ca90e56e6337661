/** @file Photographs of blood smears: an ONNX export, run as anyone would run it, answers as `cool predict` does. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Prediction } from "../../src/asking/load-run.js";
import { decodeImage } from "../../src/data/inputs/images.js";
import type { ImageInputSpec } from "../../src/data/dataset.js";
import type { OnnxRuntime, OnnxTensor } from "../../src/engine/model/pretrained/onnx-runtime.js";
import { readExport } from "../../src/predictor/index.js";
import { BLOOD_CELL_CONFIG, BLOOD_CELLS, noBloodCells, readBloodCells } from "../support/blood-cells.js";
import { cool, coolJson } from "../support/cli.js";
import { needs } from "../support/needs.js";
import { ensureOnnxRuntime, linkOnnxRuntime } from "../support/onnx-runtime.js";

/** Scores nearer to a threshold than this may be decided either way. */
const TOLERANCE = 1e-4;
const SIZE = [60, 80] as const;

const missing = noBloodCells ?? (await ensureOnnxRuntime());

describe("an ONNX export of a project over photographs", () => {
  needs(missing);
  let dir = "";
  let predictions: readonly Prediction[];
  let results: Record<string, OnnxTensor>;
  let thresholds: ReadonlyMap<string, readonly number[]>;
  beforeAll(async () => {
    if (missing !== null) return;
    dir = mkdtempSync(join(tmpdir(), "cool-blood-cells-onnx-"));
    writeFileSync(join(dir, "cool.config.ts"), BLOOD_CELL_CONFIG);
    linkOnnxRuntime(dir);
    await coolJson(["run", dir, "--epochs", "4"], { timeoutMs: 280_000 });
    const files = readBloodCells()
      .filter(({ split }) => split === "test")
      .map(({ img = "" }) => join(BLOOD_CELLS, img));
    ({ predictions } = await coolJson<{ predictions: Prediction[] }>(["predict", ...files, "--project", dir]));
    const to = join(dir, "shipped");
    expect((await cool(["export", "latest", "--to", to, "--project", dir])).code).toBe(0);
    const { document } = await readExport((name) => readFile(join(to, name)));
    thresholds = new Map(document.graph.tasks.map(({ path }, i) => [path, [document.thresholds[i] ?? []].flat()]));
    results = await ask(dir, join(to, "model.onnx"), await pixelsOf(files, document.inputs.image as ImageInputSpec));
  });
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  it("gives every question that is asked of a photograph of test the same scores", () => {
    let compared = 0;
    for (const [row, { answers }] of predictions.entries()) {
      for (const [path, { activated }] of Object.entries(answers)) {
        for (const [i, score] of activated.entries()) {
          const own = Number(results[`${path}/activated`]?.data[row * activated.length + i]);
          expect(Math.abs(own - score), `${path} of row ${row}`).toBeLessThanOrEqual(TOLERANCE);
          compared++;
        }
      }
    }
    expect(compared).toBeGreaterThan(4 * predictions.length);
  });

  it("asks and decides the same, except of scores within the tolerance of their thresholds", () => {
    expect(predictions.length).toBeGreaterThan(50);
    let decided = 0;
    for (const [row, { answers }] of predictions.entries()) {
      for (const path of ["platelets_present", "wbc_present"]) {
        const score = answers[path]?.activated[0] ?? Number.NaN;
        if (Math.abs(score - (thresholds.get(path)?.[0] ?? Number.NaN)) <= TOLERANCE) continue;
        expect(results[`${path}/decoded`]?.data[row], `${path} of row ${row}`).toBe(Number(answers[path]?.decoded));
        const box = path.replace("s_present", "_box").replace("_present", "_box");
        const side = `${box}.${box.replace("_box", "_x1")}`;
        expect(Boolean(results[`${side}/active`]?.data[row]), `${side} of row ${row}`).toBe(side in answers);
        decided++;
      }
      const types = answers.cell_types;
      for (const [i, label] of ["RBC", "WBC", "Platelets"].entries()) {
        const distance = Math.abs((types?.activated[i] ?? 0) - (thresholds.get("cell_types")?.[i] ?? Number.NaN));
        if (distance <= TOLERANCE) continue;
        const holds = Array.isArray(types?.decoded) && types.decoded.includes(label);
        expect(results["cell_types/decoded"]?.data[3 * row + i], `${label} of row ${row}`).toBe(Number(holds));
        decided++;
      }
    }
    // of five a row, hardly any lies so near
    expect(decided).toBeGreaterThan(4.5 * predictions.length);
  });
});

/** Pixels of all files, [files, height, width, 3]. */
async function pixelsOf(files: readonly string[], spec: ImageInputSpec): Promise<Uint8Array> {
  const all = new Uint8Array(files.length * SIZE[0] * SIZE[1] * 3);
  for (const [row, file] of files.entries()) {
    const decoded = await decodeImage(await readFile(file), spec);
    if (!decoded.ok) throw new Error(`${file} ${decoded.reason}`);
    all.set(decoded.value.pixels, row * SIZE[0] * SIZE[1] * 3);
  }
  return all;
}

/** What onnxruntime-node makes of a model, by nothing but its documented signature. */
async function ask(dir: string, model: string, pixels: Uint8Array): Promise<Record<string, OnnxTensor>> {
  const ort = createRequire(join(dir, "_"))("onnxruntime-node") as OnnxRuntime;
  const session = await ort.InferenceSession.create(model, { logSeverityLevel: 4 });
  const rows = pixels.length / (SIZE[0] * SIZE[1] * 3);
  const image = new ort.Tensor("uint8", pixels, [rows, ...SIZE, 3]);
  const size = new ort.Tensor(
    "float32",
    Float32Array.from({ length: 2 * rows }, (_, i) => (i % 2 === 0 ? 640 : 480)),
    [rows, 2],
  );
  const names = session.inputMetadata.map(({ name }) => name);
  const feeds = names.includes("image/size") ? { image, "image/size": size } : { image };
  try {
    return await session.run(
      feeds,
      session.outputMetadata.map(({ name }) => name),
    );
  } finally {
    await session.release();
  }
}
