/** @file A run exported as a SavedModel answers in Python's TensorFlow as cool predict does. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { loadRun } from "../../../src/asking/load-run.js";
import { loadProject } from "../../../src/project/load-project.js";
import { shipRun } from "../../../src/shipping/export-run.js";
import { openRunStore } from "../../../src/storage/run-store.js";
import { trainRun } from "../../../src/training/train-run.js";
import { needs } from "../../support/needs.js";
import { tinyProject } from "../../support/projects.js";
import { ensurePython, runPython } from "../../support/python.js";

const python = await ensurePython(["tensorflow-cpu"]);
const script = fileURLToPath(new URL("./ask.py", import.meta.url));

type Outputs = Readonly<Record<string, { readonly data: readonly (number | null)[] }>>;

describe("the format savedmodel", () => {
  needs("skip" in python ? python.skip : null);

  it("has the signature of the format onnx, and the answers of the run", async () => {
    const project = await tinyProject();
    const store = join(project.dir, ".cool");
    const { run: trained } = await trainRun(await loadProject(project.dir, ["train.epochs=3"]));
    const opened = openRunStore(store, { readonly: true });
    const dir = join(project.dir, "saved");
    const { files, inputs } = await shipRun(opened, trained.id, { format: "savedmodel", to: dir });
    opened.close();
    expect(files.map(({ path }) => path)).toContain("saved_model.pb");
    expect(inputs).toEqual([{ name: "image", type: "uint8", shape: ["batch", 16, 16, 3] }]);
    const images = project.rows.slice(0, 16).map((_, row) => project.image(row));
    const run = await loadRun(store, trained.id);
    const expected = await run.predict(images);
    const { tasks } = run.graph;
    run.close();
    const pixels = await Promise.all(images.map(async (file) => [...(await sharp(file).raw().toBuffer())]));
    const fed = { image: { type: "uint8", data: pixels.flat(), dims: [images.length, 16, 16, 3] } };
    const [answers] =
      "python" in python ? await runPython<Outputs[]>(python.python, script, [{ dir, inputs: fed }]) : [];
    expect(answers?.error).toBeUndefined();
    expected.forEach(({ answers: own }, row) => {
      for (const { path } of tasks) {
        const answer = own[path];
        expect([path, answers?.[`${path}/active`]?.data[row] === 1]).toEqual([path, answer !== undefined]);
        answer?.activated.forEach((score, i) => {
          const got = answers?.[`${path}/activated`]?.data[row * answer.activated.length + i];
          expect(Math.abs((got ?? Number.NaN) - score)).toBeLessThan(1e-4);
        });
      }
    });
    rmSync(dir, { recursive: true });
    project.remove();
  });
});
