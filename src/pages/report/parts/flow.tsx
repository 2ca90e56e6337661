/** @file The drawing of a run's flow with the first score of each task on it. */
import type { RunReport, TaskReport } from "../../../reporting/document.js";
import type { Split } from "../../../tasks/evaluation.js";
import { FlowDrawing, type NodeScore } from "../../flow/flow-drawing.js";
import { score } from "../../text/figures.js";
import { taskId } from "../charts.js";
import { headlineRow } from "../results.js";

interface ScoredFlowProps {
  readonly run: RunReport;
  /** As they are numbered on the page. */
  readonly tasks: readonly TaskReport[];
  readonly split: Split;
}

export function ScoredFlow({ run, tasks, split }: ScoredFlowProps) {
  if (run.flow === null) return null;
  const scoreOf = (path: string): NodeScore | null => {
    const row = headlineRow(run, path, split);
    if (row === undefined) return null;
    return { metric: row.metric_name, text: score(row.metric_res), weak: row.beats_baseline === false };
  };
  return (
    <FlowDrawing
      flow={run.flow}
      hrefOf={(path) => `#${taskId(tasks.findIndex((task) => task.path === path))}`}
      scoreOf={scoreOf}
    />
  );
}
