/** @file A report as HTML, for browsers without scripts and before scripts run; bundled for Node. */
import { renderToString } from "preact-render-to-string";
import type { ReportDocument } from "../../reporting/document.js";
import { Report } from "./report.js";

/** @returns what stands in the page's body; texts of the document are escaped */
export function renderReport(report: ReportDocument): string {
  return renderToString(<Report report={report} />);
}
