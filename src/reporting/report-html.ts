/**
 * @file A report document as one page that needs nothing else: it opens from disk and without a network. The document is
 * inert data in the page, and only the page's own script and style sheet, known by their digests, are let run.
 */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { CoolError } from "../errors.js";
import { packageFile } from "../platform/package-file.js";
import type { ReportDocument } from "./document.js";

export interface ReportSection {
  readonly id: string;
  readonly title: string;
}

export interface ReportPage {
  readonly html: string;
  readonly sections: readonly ReportSection[];
}

/** How a file is known again as a report, which may be written over. */
export const REPORT_MARK = '<meta name="generator" content="dnn-cool report">';

type Render = (document: ReportDocument) => ReportPage;

/** @throws CoolError where the pages have not been built */
export async function reportPage(document: ReportDocument): Promise<ReportPage> {
  const server: { readonly renderReport: Render } = await import(pathToFileURL(built("report-server.js")).href);
  const { html, sections } = server.renderReport(document);
  const style = readFileSync(built("report.css"), "utf8");
  const script = readFileSync(built("report.js"), "utf8");
  return { html: page(document, { html, style, script }), sections };
}

function built(name: string): string {
  const file = packageFile(`dist/pages/${name}`);
  if (existsSync(file)) return file;
  throw new CoolError(`${file} is not there: the pages have not been built. Run npm run build, or install again.`, {
    file,
  });
}

interface Parts {
  readonly html: string;
  readonly style: string;
  readonly script: string;
}

/** Line by line, so that the mark stands near the beginning. */
export function page(document: ReportDocument, { html, style, script }: Parts): string {
  const policy = [
    "default-src 'none'",
    `script-src '${digest(script)}'`,
    `style-src '${digest(style)}'`,
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
${REPORT_MARK}
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${escaped(document.title)} – dnn-cool</title>
<style>${style}</style>
</head>
<body>
<div id="report">${html}</div>
<script type="application/json" id="report-data">${inert(document)}</script>
<script>${script}</script>
</body>
</html>
`;
}

/** As browsers compare it: of the text between the tags. */
function digest(text: string): string {
  return `sha256-${createHash("sha256").update(text).digest("base64")}`;
}

/** JSON in which no tag can begin or end, whatever its texts say. */
export function inert(value: unknown): string {
  return JSON.stringify(value)
    .replaceAll("<", "\\u003c")
    .replaceAll("\u2028", "\\u2028")
    .replaceAll("\u2029", "\\u2029");
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
