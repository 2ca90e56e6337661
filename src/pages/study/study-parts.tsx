/** @file A study: what makes the difference, its trials as lines and as points, and all of them in a table. */
import type { StudyReport } from "../../reporting/document.js";
import { counted, score } from "../text/figures.js";
import { Importance } from "./importance.js";
import { ParallelDrawing } from "./parallel-drawing.js";
import { Scatter } from "./scatter.js";
import { TrialsTable } from "./trials-table.js";

export interface StudyPartsProps {
  readonly study: StudyReport;
  /** Address of a run's page; null: there is none. */
  hrefOf(run: string): string | null;
}

export function StudyParts({ study, hrefOf }: StudyPartsProps) {
  return (
    <div class="card study">
      <p>{sentenceOf(study)}</p>
      <Importance study={study} />
      {study.fronts.length === 0 ? null : (
        <>
          <h3>Objectives beside each other</h3>
          <p class="small muted">Filled points are trials that no other is better than in everything.</p>
          <div class="charts">
            {study.fronts.map((front, i) => (
              <Scatter key={i} scatter={front} isFront />
            ))}
          </div>
        </>
      )}
      {study.parallel.lines.length < 2 ? null : (
        <>
          <h3>Trials across their settings</h3>
          <ParallelDrawing plot={study.parallel} />
          <h3>{study.study.objectives[0]?.name} along each setting</h3>
          <div class="charts">
            {study.slices.map((slice) => (
              <Scatter key={slice.x.name} scatter={slice} isFront={false} />
            ))}
          </div>
        </>
      )}
      <h3>Trials</h3>
      <div class="trials">
        <TrialsTable study={study} hrefOf={hrefOf} />
      </div>
    </div>
  );
}

const STATES = ["finished", "pruned", "failed", "running", "interrupted"] as const;

function sentenceOf({ study, best, trials }: StudyReport): string {
  const states = STATES.flatMap((state) => (study.trials[state] === 0 ? [] : [`${study.trials[state]} ${state}`]));
  const search = study.prune === null ? study.search : `${study.search} with ${study.prune.kind}`;
  const begun = STATES.reduce((sum, state) => sum + study.trials[state], 0);
  const counts = `${begun} of ${counted(study.planned, "trial")} (${states.join(", ") || "none yet"}) by ${search}, ${counted(study.epochs_done, "epoch")} in all.`;
  const first = trials.find(({ number }) => number === best[0]);
  if (first === undefined) return counts;
  if (best.length > 1) return `${counts} No other is better in everything than the trials ${best.join(", ")}.`;
  return `${counts} The best is trial ${first.number}: ${study.objectives[0]?.name} ${score(first.objectives[0])}.`;
}
