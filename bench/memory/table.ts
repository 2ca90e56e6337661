/** @file A table of any length for measuring memory: eight numbers, and twenty yes-or-no labels in four small trees. */
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";

export const NUMBERS = 8;
export const LABELS = 20;

/** Writes a project with its table, the same for the same number of rows. @returns its folder */
export async function writeProject(folder: string, rows: number, format: "parquet" | "csv"): Promise<string> {
  const project = path.join(folder, `${format}-${rows}`);
  mkdirSync(project, { recursive: true });
  const numbers = Array.from({ length: NUMBERS }, (_, i) => `round(random() * 2 - 1, 6) AS x${i}`);
  const labels = Array.from({ length: LABELS }, (_, i) => {
    const yes = `x${i % NUMBERS} + x${(i + 3) % NUMBERS} + random() / 2 > 0.2`;
    return `(CASE WHEN ${i} > 1 AND random() < 0.02 THEN NULL WHEN ${yes} THEN 1 ELSE 0 END)::INTEGER AS t${i}`;
  });
  const instance = await DuckDBInstance.create(":memory:", { threads: "1" });
  const connection = await instance.connect();
  await connection.run("SELECT setseed(0.5)");
  await connection.run(`CREATE TABLE numbers AS SELECT ${numbers.join(", ")} FROM range(${rows})`);
  const options = format === "csv" ? "FORMAT csv, HEADER" : "FORMAT parquet";
  await connection.run(
    `COPY (SELECT *, ${labels.join(", ")} FROM numbers) TO '${path.join(project, `rows.${format}`)}' (${options})`,
  );
  connection.closeSync();
  instance.closeSync();
  writeFileSync(path.join(project, "cool.config.mjs"), configOf(format));
  return project;
}

function configOf(format: string): string {
  return `import { binary, defineProject, defineTasks, numeric } from "dnn-cool";

const names = Array.from({ length: ${LABELS} }, (_, i) => "t" + i);
const tasks = defineTasks({
  features: ["features"],
  tasks: Object.fromEntries(names.map((name) => [name, binary()])),
}).flow("main", (flow, x, out) => {
  names.forEach((name, i) => {
    const asked = flow[name](x.features);
    out.add(i % 5 === 0 ? asked : asked.given(out[names[i - (i % 5)]]));
  });
});

export default defineProject({
  name: "memory",
  tasks,
  flow: "main",
  data: {
    table: "rows.${format}",
    inputs: { x: numeric({ columns: Array.from({ length: ${NUMBERS} }, (_, i) => "x" + i) }) },
    split: { train: 0.8, valid: 0.1, test: 0.1, seed: 7 },
  },
  trunk: ({ x }, layers) => ({ features: layers.dense({ units: 32, activation: "relu" }).apply(x) }),
  train: { epochs: 1, batchSize: 512 },
});
`;
}
