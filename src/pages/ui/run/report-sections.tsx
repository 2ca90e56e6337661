/** @file What the report of a run says besides: flow, answers of tasks, contracts, calibration; pictures when they are near. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { ShownRun } from "../../../records/list-runs.js";
import type { ReportDocument, RunReport } from "../../../reporting/document.js";
import { Section } from "../../components/section.js";
import { CalibrationTable, Contracts } from "../../report/parts/facts.js";
import { ScoredFlow } from "../../report/parts/flow.js";
import { TaskParts } from "../../report/parts/task.js";
import { openWhenTold } from "../../report/print.js";
import { evaluatedSplits } from "../../report/results.js";
import { useAnswer } from "../shared/answer.js";

const NO_CHARTS = { smoothing: 0, logarithmic: false, all: false } as const;
// they stand in a section of their own, which grows
const NO_CURVES = new Map<string, never>();

export function ReportSections({ run: { id, state, best_epoch } }: { readonly run: ShownRun }) {
  const address = `/api/runs/${encodeURIComponent(id)}/report`;
  // asked again when the run has come further than the last report
  const asked = new URLSearchParams({ state, best_epoch: String(best_epoch) });
  const { value, problem } = useAnswer<ReportDocument>(`${address}?${asked}`, { isLive: false });
  const place = useRef<HTMLDivElement>(null);
  const isNear = useNear(place, value !== null);
  const pictured = useAnswer<ReportDocument>(isNear ? `${address}?${asked}&pictures=true` : null, { isLive: false });
  useEffect(openWhenTold, []);
  if (problem !== null) return <p class="notice error">{problem}</p>;
  const report = value?.runs[0];
  if (value === null || report === undefined) return <p class="muted">The answers are being read …</p>;
  const pictures = pictured.value?.runs[0]?.pictures ?? {};
  return (
    <>
      <Flow document={value} report={report} />
      <div ref={place}>
        <Tasks report={{ ...report, pictures }} />
      </div>
      {report.contracts.length === 0 ? null : (
        <Section id="contracts" title="Contracts">
          <Contracts contracts={report.contracts} />
        </Section>
      )}
      {report.calibration === null ? null : (
        <Section id="calibration" title="Calibration">
          <CalibrationTable calibration={report.calibration} />
        </Section>
      )}
      {[...report.missing, ...value.left_out].map((sentence) => (
        <p key={sentence} class="notice">
          {sentence}
        </p>
      ))}
    </>
  );
}

function Flow({ document, report }: { readonly document: ReportDocument; readonly report: RunReport }) {
  const [split = "test"] = evaluatedSplits(document);
  if (report.flow === null) return null;
  return (
    <Section id="flow" title="Flow">
      <ScoredFlow run={report} tasks={report.tasks} split={split} />
    </Section>
  );
}

/** Tasks of which there is more to see than curves. */
function Tasks({ report }: { readonly report: RunReport }) {
  const { tasks } = report;
  const hasMore = tasks.some(
    (task) => task.confusion.length + task.reliability.length + task.thresholds.length + task.samples.length > 0,
  );
  if (!hasMore) return null;
  return (
    <Section id="tasks" title="Tasks">
      <TaskParts tasks={tasks} charts={NO_CURVES} look={NO_CHARTS} run={report} />
    </Section>
  );
}

/** Whether an element is, or has been, about to be seen. */
function useNear(place: { readonly current: HTMLElement | null }, isThere: boolean): boolean {
  const [isNear, setNear] = useState(false);
  useEffect(() => {
    const element = place.current;
    if (!isThere || element === null) return undefined;
    const observer = new IntersectionObserver(
      (entries) => entries.some((entry) => entry.isIntersecting) && setNear(true),
      {
        rootMargin: "400px",
      },
    );
    observer.observe(element);
    return () => observer.disconnect();
  }, [place, isThere]);
  return isNear;
}
