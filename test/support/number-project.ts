/** @file The smallest project: one question about two numbers, whose configuration may import whatever a test writes. */
import { mkdirSync } from "node:fs";
import { writeFiles } from "./folders.js";

/** What a test changes of the configuration. */
export interface NumberProject {
  /** Lines before the project, such as imports. */
  readonly head?: string;
  /** Units of the trunk's one layer, as code. */
  readonly units?: string;
  /** The whole trunk, as code. */
  readonly trunk?: string;
  /** `data.table`, as code. */
  readonly table?: string;
  /** More keys of `data`, as code. */
  readonly data?: string;
  /** More keys of the project, as code. */
  readonly more?: string;
}

export function numberConfig({
  head = "",
  units = "4",
  trunk = `({ at }, layers) => ({ f: layers.dense({ units: ${units} }).apply(at) })`,
  table = '"labels.csv"',
  data = "",
  more = "",
}: NumberProject = {}): string {
  return `import { binary, defineProject, defineTasks, numeric } from "dnn-cool";
${head}
const tasks = defineTasks({ features: ["f"], tasks: { right: binary() } }).flow("main", (flow, x, out) => {
  out.add(flow.right(x.f));
});

export default defineProject({
  name: "numbers",
  tasks,
  flow: "main",
  data: { table: ${table}, inputs: { at: numeric({ columns: ["x", "y"] }) }, split: { column: "split" }, ${data} },
  trunk: ${trunk},
  train: { epochs: 1, batchSize: 16 },${more === "" ? "" : `\n  ${more}`}
});
`;
}

const SPLITS = ["train", "train", "valid", "test"];
const ROWS = Array.from({ length: 32 }, (_, i) => {
  const angle = (i * 37 * Math.PI) / 180;
  return [Math.cos(angle).toFixed(3), Math.sin(angle).toFixed(3), Math.cos(angle) > 0 ? 1 : 0, SPLITS[i % 4]].join(",");
});

/** Columns x, y, right, split. */
export const NUMBERS = `x,y,right,split\n${ROWS.join("\n")}\n`;

/** Writes `cool.config.ts` and `labels.csv`. */
export function writeNumberProject(dir: string, options: NumberProject = {}): void {
  mkdirSync(dir, { recursive: true });
  writeFiles(dir, { "cool.config.ts": numberConfig(options), "labels.csv": NUMBERS });
}
