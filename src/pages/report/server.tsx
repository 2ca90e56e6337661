/** @file A report as HTML, for browsers without scripts and before scripts run; bundled for Node. */
import { renderToString } from "preact-render-to-string";
import type { ReportDocument } from "../../reporting/document.js";
import { Report } from "./report.js";
import { type ReportSection, sectionsOf } from "./sections.js";

/** @returns what stands in the page's body, its texts escaped, and which sections that has */
export function renderReport(report: ReportDocument): { html: string; sections: readonly ReportSection[] } {
  return { html: renderToString(<Report report={report} />), sections: sectionsOf(report) };
}
