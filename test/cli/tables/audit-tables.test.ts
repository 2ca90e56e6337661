/** @file What an audit says on the terminal. */
import { expect, test } from "vitest";
import { auditDoubt, suspectsTable, suspectsWritten } from "../../../src/cli/tables/audit-tables.js";

const task = (task_path: string, error_rate: number | null) => {
  return { task_path, error_rate, labelled: 40, suspects: 3, contradictions: 0 };
};

test("tasks whose labels differ from the answers as much as is counted are said to be doubtful", () => {
  expect(auditDoubt([task("open", 0.08), task("name", null), task("height", 0.299)])).toBeNull();
  const rounded = (0.3 + 0.3 + 0.3) / 3;
  const doubt = auditDoubt([task("open", 0.08), task("shirt", 0.3), task("tags", rounded)]);
  expect(doubt).toMatch(/^30 % or more of the labels .* may know too little to judge them: shirt, tags$/);
});

test("suspicious labels fit 80 columns, however long their names are", () => {
  const line = (sample: string, task_path: string) => ({
    ...{ sample, task_path, kind: "unlikely" as const, suspicion: 0.98 },
    ...{ label: ["red", "green"], repaired: ["blue"] },
  });
  const paths = ["open", "person.face.facial_characteristics"];
  const short = suspectsTable([line("a.png", "open")], paths);
  expect(short).toContain("│ sample │ task │");
  const long = suspectsTable([line("images/2024/00001.png", "person.face.facial_characteristics")], paths);
  expect(long).toMatch(/│ images\/2024\/00001.png +│ red,green │ blue +│ unlikely │ +0.98 │/);
  for (const row of long.split("\n")) expect(row.length).toBeLessThanOrEqual(80);
});

test("a file without suspects asks for no correction", () => {
  expect(suspectsWritten([], "s.csv", "base").join()).toBe("no label is suspicious: s.csv has a header alone");
  const changed = { label: ["red"], repaired: ["blue"] };
  expect(suspectsWritten([changed, changed], "s.csv", "base").join("\n")).toMatch(
    /^2 labels written to s.csv; .*\n {2}cool audit base --apply s.csv$/,
  );
});

test("a file with labels that the repair leaves as they are says so", () => {
  const kept = { label: ["red"], repaired: ["red"] };
  const lines = suspectsWritten([{ label: true, repaired: null }, kept], "s.csv", "base");
  expect(lines.at(-1)).toMatch(/^of 1 no other answer is likelier than the label/);
});
