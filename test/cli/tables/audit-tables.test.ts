/** @file What an audit says on the terminal. */
import { expect, test } from "vitest";
import { auditDoubt } from "../../../src/cli/tables/audit-tables.js";

const task = (task_path: string, error_rate: number | null) => {
  return { task_path, error_rate, labelled: 40, suspects: 3, contradictions: 0 };
};

test("tasks whose labels differ from the answers as much as is counted are said to be doubtful", () => {
  expect(auditDoubt([task("open", 0.08), task("name", null), task("height", 0.299)])).toBeNull();
  const rounded = (0.3 + 0.3 + 0.3) / 3;
  const doubt = auditDoubt([task("open", 0.08), task("shirt", 0.3), task("tags", rounded)]);
  expect(doubt).toMatch(/^30 % or more of the labels .* may know too little to judge them: shirt, tags$/);
});
