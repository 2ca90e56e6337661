/** @file Shows a small table on this process's terminal and prints how it was closed: `node interactive.mjs [broken]`. */
import { createJiti } from "jiti";

const { showInteractiveTable } = await createJiti(import.meta.url).import(
  "../../../src/cli/tables/interactive-table.ts",
);

const row = (name, value) => ({ cells: [name, String(value)], sortKeys: [name, value], differs: value !== 0 });
const rows = [row("camera", 2), row("door", 1)];
const table = { title: "two tasks", head: ["task", "value"], numeric: [1], rows };
if (process.argv[2] === "broken") {
  Object.defineProperty(rows[1], "sortKeys", {
    get() {
      throw new Error("no keys");
    },
  });
}

try {
  const { interrupted } = await showInteractiveTable(table);
  process.stdout.write(`closed, interrupted: ${interrupted}, raw: ${process.stdin.isRaw}\n`);
} catch (error) {
  process.stdout.write(`failed: ${error.message}, raw: ${process.stdin.isRaw}\n`);
}
