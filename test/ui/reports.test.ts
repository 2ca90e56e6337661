/** @file The report of a run as its page asks for it. */
import { expect, it } from "vitest";
import type { ReportDocument } from "../../src/reporting/document.js";
import { addRun, openUi } from "./ui-app.js";

it("is that of cool report, made anew when the run has changed", async () => {
  let id = "";
  const { ask, read, store } = openUi((filled) => {
    id = addRun(filled, "base", 0.5);
  });
  const path = `/api/runs/${id}/report`;
  const [first, again] = [await read<ReportDocument>(path), await read<ReportDocument>(path)];
  expect(first).toMatchObject({
    format_version: 1,
    kind: "run",
    runs: [{ overview: { id, name: "base", note: null } }],
  });
  expect(first.runs[0]?.evaluation).toHaveLength(1);
  expect(again).toEqual(first);
  store.updateRun(id, { note: "wider" });
  expect((await read<ReportDocument>(`${path}?pictures=true`)).runs[0]?.overview.note).toBe("wider");
  expect((await ask("/api/runs/nothing/report")).status).toBe(404);
});
