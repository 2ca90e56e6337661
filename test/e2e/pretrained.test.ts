/** @file A real backbone on real photographs: MobileNet, frozen, on blood smears, from a configuration of forty lines. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cool, coolJson } from "../support/cli.js";

const shared = fileURLToPath(new URL("../../../shared/data/", import.meta.url));
const needed = [join(shared, "bccd", "labels.csv"), join(shared, "mobilenet_v1_0.25_224", "model.json")];
const missing = needed.find((file) => !existsSync(file));

const CONFIG = `import { binary, box, defineProject, defineTasks, image, mapFeatures, multilabel, pretrained, regression } from "dnn-cool";

const shared = ${JSON.stringify(shared)};
const tasks = defineTasks({
  features: ["cells", "places"],
  tasks: {
    platelets_present: binary(),
    wbc_present: binary(),
    wbc_box: box({ columns: ["wbc_x1", "wbc_y1", "wbc_w", "wbc_h"], scale: "image" }),
    rbc_count: regression(),
    cell_types: multilabel({ labels: ["RBC", "WBC", "Platelets"] }),
  },
}).flow("smear", (flow, x, out) => {
  out.add(flow.platelets_present(x.cells));
  out.add(flow.wbc_present(x.cells));
  out.add(flow.wbc_box(x.places).given(out.wbc_present));
  out.add(flow.rbc_count(x.cells));
  out.add(flow.cell_types(x.cells));
});

export default defineProject({
  name: "blood-cells",
  tasks,
  flow: "smear",
  data: {
    table: shared + "bccd/labels.csv",
    inputs: { image: image({ column: "img", size: [224, 224] }) },
    split: { column: "split" },
  },
  trunk: ({ image }, layers) => {
    const backbone = { model: shared + "mobilenet_v1_0.25_224", output: "conv_pw_11_relu", input: { range: [-1, 1] } } as const;
    const map = pretrained(backbone)(image, layers);
    return {
      cells: mapFeatures({ pool: "max", units: 32, dropout: 0.3 })(map, layers),
      places: mapFeatures({ pool: "flatten", channels: 16, units: 32, dropout: 0.3 })(map, layers),
    };
  },
  train: { epochs: 40, batchSize: 16, optimizer: { kind: "adamw", learningRate: 1e-3, weightDecay: 0.05 } },
  tune: { metric: "accuracy" },
});
`;

interface Row {
  readonly split: string;
  readonly task_path: string;
  readonly metric_name: string;
  readonly metric_res: number | null;
  readonly gates: string;
  readonly baseline?: number | null;
}

describe.skipIf(missing !== undefined)(
  `MobileNet on photographs of blood smears${missing === undefined ? "" : ` (${missing} is not there)`}`,
  () => {
    let dir: string;
    let evaluation: readonly Row[];
    let runDir: string;
    beforeAll(async () => {
      dir = mkdtempSync(join(tmpdir(), "cool-pretrained-"));
      writeFileSync(join(dir, "cool.config.ts"), CONFIG);
      const result = await coolJson<{ run: { dir: string }; evaluation: Row[] }>(["run", dir], { timeoutMs: 290_000 });
      ({ evaluation } = result);
      runDir = result.run.dir;
    }, 300_000);
    afterAll(() => rmSync(dir, { recursive: true, force: true }));

    /** What was measured on test, and what a constant answer has there. */
    function against(path: string, name: string): readonly [found: number, constant: number] {
      const row = evaluation.find(
        ({ split, task_path, metric_name, gates }) =>
          split === "test" && gates === "truth" && task_path === path && metric_name === name,
      );
      return [row?.metric_res ?? Number.NaN, row?.baseline ?? Number.NaN];
    }

    it("is forty lines of configuration", () => {
      expect(CONFIG.trimEnd().split("\n").length).toBeLessThanOrEqual(40);
    });

    it("finds white cells more than half again as well as the best constant box", () => {
      const [found, constant] = against("wbc_box", "mean_iou");
      expect(found).toBeGreaterThan(1.5 * constant);
    });

    it("ranks smears with platelets, and kinds of cells, better than chance, where training from scratch did not", () => {
      for (const path of ["platelets_present", "cell_types"]) {
        const [found, chance] = against(path, "roc_auc");
        expect(chance).toBe(0.5);
        expect(found).toBeGreaterThan(0.6);
      }
    });

    it("says which tasks are no better than a constant answer: of 72 photographs 4 are without a white cell", () => {
      const log = readFileSync(join(runDir, "stdout.log"), "utf8");
      expect(log).toMatch(/no better on test than a constant answer learnt on train: .*wbc_present \(accuracy/);
    });

    it("runs the backbone once per photograph, and keeps it in the checkpoint", () => {
      const log = readFileSync(join(runDir, "stdout.log"), "utf8");
      expect(log).toMatch(/features of each of 292 pictures, 292 computed/);
      expect(log).toMatch(/features of each of 364 pictures, 72 computed/);
      expect(readFileSync(join(runDir, "checkpoints", "best", "model.json"), "utf8")).toContain("conv_pw_11_relu");
    });

    it("explains a photograph", async () => {
      const photograph = join(shared, "bccd", "images", "BloodImage_00001.jpg");
      const { code, stdout } = await cool(["explain", photograph, "--project", dir]);
      expect(code).toBe(0);
      expect(stdout).toMatch(/wbc_present \| decoded: \[True\]/);
    });
  },
);
