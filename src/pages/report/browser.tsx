/** @file A report comes to life: what the file holds as HTML is taken over with the same document. */
import { hydrate } from "preact";
import type { ReportDocument } from "../../reporting/document.js";
import { Report } from "./report.js";

const root = document.getElementById("report");
const data = document.getElementById("report-data")?.textContent;
if (root !== null && data !== undefined && data !== null) {
  document.documentElement.classList.add("js");
  // written by the same version of dnn-cool as this script
  hydrate(<Report report={JSON.parse(data) as ReportDocument} />, root);
}
