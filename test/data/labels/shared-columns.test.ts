/** @file Label columns that two tasks would share by accident. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readLabels } from "../../../src/data/labels/labels.js";
import { readTables } from "../../../src/data/tables/tables.js";
import { defineTasks } from "../../../src/flow/define.js";
import { traceFlow } from "../../../src/flow/trace.js";
import { binary } from "../../../src/tasks/index.js";
import { temporaryDir } from "../../storage/support.js";

/** Labels of a flow that asks `worn` of the left and of the right hand, from one row of a table. */
async function labelsOf(header: string, cells: string, column?: string): Promise<number[]> {
  const dir = temporaryDir();
  writeFileSync(join(dir, "labels.csv"), `${header}\n${cells}\n`);
  const definitions = defineTasks({ features: ["f"], tasks: { worn: binary(column === undefined ? {} : { column }) } })
    .flow("hand", (flow, { f }, out) => {
      out.add(flow.worn(f));
    })
    .flow("main", (flow, x, out) => {
      out.add(flow.hand(x).as("left"));
      out.add(flow.hand(x).as("right"));
    });
  const tables = await readTables([{ table: "labels.csv" }], dir);
  return readLabels(traceFlow(definitions, "main"), tables, null).map(({ answers }) => answers[0] as number);
}

test("two flows with a task of the same name read columns of their paths", async () => {
  expect(await labelsOf("left.worn,right.worn", "1,0")).toEqual([1, 0]);
  expect(await labelsOf("worn,right.worn", "1,0")).toEqual([1, 0]);
});

test("the one column that both would find by that name is refused, with the way out", async () => {
  await expect(labelsOf("worn", "1")).rejects.toThrow(
    /The tasks "left\.worn" and "right\.worn", which "left" and "right" both call "worn", would read the same column "worn" of .*labels\.csv\. Give each a column of its own, named "left\.worn" and "right\.worn"; or, if one column labels both, say so in the task's options: column: "worn"\./,
  );
});

test("a column that the tasks name themselves is shared", async () => {
  expect(await labelsOf("worn", "1", "worn")).toEqual([1, 1]);
  expect(await labelsOf("glove", "1", "glove")).toEqual([1, 1]);
});
