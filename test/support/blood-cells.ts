/** @file A project over photographs of blood smears, where the data set is there. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Folder of the data set, beside the checkout or where COOL_TEST_BLOOD_CELLS says. */
export const BLOOD_CELLS =
  process.env.COOL_TEST_BLOOD_CELLS ?? fileURLToPath(new URL("../../../shared/data/bccd/", import.meta.url));

/** Its labels. */
export const BLOOD_CELL_TABLE = join(BLOOD_CELLS, "labels.csv");

/** Why the data set cannot be used; null: it is there. */
export const noBloodCells: string | null = existsSync(BLOOD_CELL_TABLE)
  ? null
  : `the data set is not at ${BLOOD_CELLS}`;

/** Presence, counts, kinds and boxes of cells, from pictures of 80 × 60. */
export const BLOOD_CELL_CONFIG: string = `import { binary, boundedRegression, defineProject, defineTasks, image, multilabel } from "dnn-cool";

const across = { scale: "image-width", lossWeight: 20 };
const down = { scale: "image-height", lossWeight: 20 };
const tasks = defineTasks({
  features: ["cells", "places"],
  tasks: {
    platelets_present: binary(),
    platelet_x1: boundedRegression({ ...across, measures: "x" }),
    platelet_y1: boundedRegression({ ...down, measures: "y" }),
    platelet_w: boundedRegression({ ...across, measures: "width" }),
    platelet_h: boundedRegression({ ...down, measures: "height" }),
    wbc_present: binary(),
    wbc_x1: boundedRegression({ ...across, measures: "x" }),
    wbc_y1: boundedRegression({ ...down, measures: "y" }),
    wbc_w: boundedRegression({ ...across, measures: "width" }),
    wbc_h: boundedRegression({ ...down, measures: "height" }),
    rbc_count: boundedRegression({ max: 40, lossWeight: 5 }),
    cell_types: multilabel({ labels: ["RBC", "WBC", "Platelets"] }),
  },
})
  .flow("platelet_box", (flow, x, out) => {
    out.add(flow.platelet_x1(x.places));
    out.add(flow.platelet_y1(x.places));
    out.add(flow.platelet_w(x.places));
    out.add(flow.platelet_h(x.places));
  })
  .flow("wbc_box", (flow, x, out) => {
    out.add(flow.wbc_x1(x.places));
    out.add(flow.wbc_y1(x.places));
    out.add(flow.wbc_w(x.places));
    out.add(flow.wbc_h(x.places));
  })
  .flow("smear", (flow, x, out) => {
    out.add(flow.platelets_present(x.cells));
    out.add(flow.platelet_box(x).given(out.platelets_present));
    out.add(flow.wbc_present(x.cells));
    out.add(flow.wbc_box(x).given(out.wbc_present));
    out.add(flow.rbc_count(x.cells));
    out.add(flow.cell_types(x.cells));
  });

export default defineProject({
  name: "blood-cells",
  tasks,
  flow: "smear",
  data: {
    table: ${JSON.stringify(BLOOD_CELL_TABLE)},
    inputs: { image: image({ column: "img", size: [60, 80] }) },
    split: { column: "split" },
  },
  trunk: ({ image }, layers) => {
    const conv = (input, filters) =>
      layers.conv2d({ filters, kernelSize: 3, strides: 2, padding: "same", activation: "relu" }).apply(input);
    const flat = layers.flatten().apply(conv(conv(conv(image, 16), 32), 32));
    return {
      cells: layers.dense({ units: 32, activation: "relu" }).apply(flat),
      places: layers.dense({ units: 64, activation: "relu" }).apply(flat),
    };
  },
  train: { epochs: 12, batchSize: 16, optimizer: { kind: "adamw", learningRate: 1e-3 } },
});
`;

/** Rows of the table; only its last column is quoted, and not read here. */
export function readBloodCells(): Record<string, string>[] {
  const [header = "", ...lines] = readFileSync(BLOOD_CELL_TABLE, "utf8").trim().split("\n");
  const names = header.split(",");
  return lines.map((line) => Object.fromEntries(line.split(",").map((cell, i) => [names[i] ?? "", cell])));
}
