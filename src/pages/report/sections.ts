/** @file Which sections a report has: what there is nothing to say of has none. */
import type { ReportDocument } from "../../reporting/document.js";
import { isOfWholeRun, tasksOf } from "./charts.js";

export interface ReportSection {
  readonly id: string;
  readonly title: string;
}

export function sectionsOf(report: ReportDocument): readonly ReportSection[] {
  const some = (has: (run: ReportDocument["runs"][number]) => boolean): boolean => report.runs.some(has);
  const tasks = tasksOf(report);
  const sections: readonly (readonly [boolean, string, string])[] = [
    [true, "overview", "Overview"],
    [report.group?.study != null, "study", "Study"],
    [some(({ evaluation }) => evaluation.length > 0), "results", "Evaluation"],
    [some(({ flow }) => flow !== null), "flow", "Flow"],
    [report.differences !== null, "differences", "Differences"],
    [tasks.some((task) => !isOfWholeRun(task)), "tasks", "Tasks"],
    [tasks.some(isOfWholeRun), "whole", "Whole run"],
    [some(({ contracts }) => contracts.length > 0), "contracts", "Contracts"],
    [some(({ calibration }) => calibration !== null), "calibration", "Calibration"],
    [some(({ settings }) => settings.length > 0), "settings", "Settings"],
    [some(({ environment }) => environment.length > 0), "environment", "Environment"],
    [some(({ log }) => log !== null), "log", "Output"],
  ];
  return sections.flatMap(([isThere, id, title]) => (isThere ? [{ id, title }] : []));
}
