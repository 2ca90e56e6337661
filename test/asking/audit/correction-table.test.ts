/** @file Corrections of single cells: read, checked against the table and the flow, applied beside it. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { applyCorrections, readCorrections } from "../../../src/asking/audit/correction-table.js";
import type { LabelTable } from "../../../src/asking/audit/label-table.js";
import { readTables } from "../../../src/data/tables/tables.js";
import { defineTasks } from "../../../src/flow/define.js";
import { traceFlow } from "../../../src/flow/trace.js";
import { binary, classification } from "../../../src/tasks/index.js";

const graph = traceFlow(
  defineTasks({
    features: ["f"],
    tasks: { open: binary(), color: classification({ classes: ["red", "blue"], column: "paint" }) },
  }).flow("all", (flow, x, out) => {
    out.add(flow.open(x.f));
    out.add(flow.color(x.f).given(out.open));
  }),
  "all",
);

const dir = mkdtempSync(join(tmpdir(), "cool-apply-"));
afterAll(() => rmSync(dir, { recursive: true }));
let table: LabelTable;
let round = 0;

beforeEach(async () => {
  round++;
  writeFileSync(join(dir, `a${round}.csv`), "img,open,paint\n1.png,1,red\n2.png,0,\n");
  writeFileSync(join(dir, `b${round}.csv`), "img,offen,paint\n3.png,1,blue\n");
  const sources = [{ table: `a${round}.csv` }, { table: `b${round}.csv`, columns: { open: "offen" } }];
  const joined = await readTables(sources, dir);
  table = { joined, sources, projectDir: dir, labels: [], ids: [], rowOf: new Map() };
});

async function apply(lines: readonly string[]) {
  const file = join(dir, "corrections.csv");
  writeFileSync(file, `${["table,row,column,label,corrected", ...lines].join("\n")}\n`);
  return applyCorrections(graph, table, await readCorrections(file, table));
}

const read = (name: string): string => readFileSync(join(dir, name), "utf8");

describe("corrections", () => {
  it("are written beside each table, under the names that its columns have there", async () => {
    const [a, b] = [`a${round}`, `b${round}`];
    const { tables, refused } = await apply([
      `${a}.csv,1,paint,red,blue`,
      `${a}.csv,2,open,0,0`,
      `${b}.csv,1,offen,1,0`,
    ]);
    expect(refused).toEqual([]);
    expect(tables.map(({ table: name, cells }) => [name, cells])).toEqual([
      [`${a}.csv`, 1],
      [`${b}.csv`, 1],
    ]);
    expect(read(`${a}.corrected.csv`)).toBe("img,open,paint\n1.png,1,blue\n2.png,0,\n");
    expect(read(`${b}.corrected.csv`)).toBe("img,offen,paint\n3.png,0,blue\n");
    expect(read(`${a}.csv`)).toBe("img,open,paint\n1.png,1,red\n2.png,0,\n");
  });

  it("that cannot be made are named by row and column, and the others are made", async () => {
    const a = `a${round}.csv`;
    const { tables, refused } = await apply([
      `${a},1,paint,blue,red`,
      `${a},2,paint,,grene`,
      `${a},3,open,1,0`,
      `${a},1,pain,red,blue`,
      `${a},1,img,1.png,2.png`,
      `${a},1,open,1,`,
    ]);
    expect(refused.map(({ row, column, reason }) => [row, column, reason])).toEqual([
      [1, "paint", 'it says "red" now, and said "blue" when it was audited'],
      [2, "paint", expect.stringContaining('"grene"')],
      [3, "open", "the table has 2 rows"],
      [1, "pain", 'it holds no labels; did you mean "paint"?'],
      [1, "img", "it holds no labels"],
    ]);
    expect(tables.map(({ cells }) => cells)).toEqual([1]);
    expect(read(`a${round}.corrected.csv`)).toBe("img,open,paint\n1.png,,red\n2.png,0,\n");
  });

  it("one error says why nothing was applied, and where the file is wrong", async () => {
    await expect(apply([`a${round}.csv,1,open,1,maybe`])).rejects.toThrow(
      /Nothing was applied: .*row 1, column "open".*"maybe"/,
    );
    await expect(apply([`a${round}.csv,1,open,1,1`])).rejects.toThrow("no cell is to be changed");
    await expect(apply([`c${round}.csv,1,open,1,0`])).rejects.toThrow(
      /is no table of the run; did you mean "a\d+.csv"/,
    );
    await expect(apply([`a${round}.csv,zero,open,1,0`])).rejects.toThrow(/row 1, column "row": "zero" is no row/);
  });
});
