/** @file The page around a report: nothing that a run says can become a tag, and only its own script may run. */
import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import type { ReportDocument } from "../../src/reporting/document.js";
import { inert, page, REPORT_MARK } from "../../src/reporting/report-html.js";
import { fileName } from "../../src/reporting/write-report.js";

const HOSTILE = "</script><script>alert(1)</script><!--\u2028<img src=x onerror=alert(1)>";

const document: ReportDocument = {
  ...{ format_version: 1, kind: "run", title: HOSTILE, created_at: "2026-01-02T03:04:05Z", version: "0" },
  ...{ runs: [], group: null, differences: null, left_out: [HOSTILE] },
};

test("data within the page has no tag, and is read back as it was", () => {
  const text = inert(document);
  expect(text).not.toContain("<");
  expect(text).not.toContain("\u2028");
  expect(JSON.parse(text)).toEqual(document);
});

test("the policy lets the page's own script and style run, by their digests, and nothing else", () => {
  const html = page(document, { html: "", style: "b{}", script: "let a = 1;" });
  const sha256 = (text: string) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
  const policy = /Content-Security-Policy" content="([^"]*)"/.exec(html)?.[1] ?? "";
  expect(policy.split("; ")).toEqual([
    ...["default-src 'none'", `script-src ${sha256("let a = 1;")}`, `style-src ${sha256("b{}")}`, "img-src data:"],
    ...["base-uri 'none'", "form-action 'none'"],
  ]);
  expect(html.match(/<script/g)).toHaveLength(2);
  expect(html).not.toContain("<img");
  expect(Buffer.from(html).subarray(0, 512).toString()).toContain(REPORT_MARK);
});

test("a run's name as a file's name is never a path", () => {
  expect(fileName("../../etc/passwd")).toBe("etc-passwd");
  expect(fileName("a/b\\c:d")).toBe("a-b-c-d");
  expect(fileName("…")).toBe("run");
  expect(fileName("Läufe 2")).toBe("Läufe-2");
  expect(fileName("x".repeat(300))).toHaveLength(80);
});
