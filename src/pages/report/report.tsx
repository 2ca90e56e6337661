/** @file The page of a report: what it begins with, and its sections. */
import type { ReportDocument } from "../../reporting/document.js";
import { score } from "../text/figures.js";
import { Overview } from "./overview.js";
import { Section } from "../components/section.js";
import { FlowDrawing } from "../flow/flow-drawing.js";
import { ThemeSwitch } from "../theme/theme-switch.js";
import { CurveChart } from "../components/curve-chart.js";

export function Report({ report }: { readonly report: ReportDocument }) {
  return (
    <main id="main">
      <ThemeSwitch />
      <h1>{report.title}</h1>
      {report.runs.map(({ overview, flow, curves, evaluation }) => (
        <Section key={overview.id} id="run" title={overview.name}>
          <Overview run={overview} />
          {flow === null ? null : (
            <FlowDrawing
              flow={flow}
              hrefOf={() => "#run"}
              scoreOf={(path) => ({
                metric: "",
                weak: false,
                text: score(evaluation.find(({ task_path }) => task_path === path)?.metric_res),
              })}
            />
          )}
          {curves.map((curve) => (
            <CurveChart
              key={`${curve.split} ${curve.task_path} ${curve.metric_name}`}
              title={`${curve.task_path} ${curve.metric_name}`}
              curves={[{ name: curve.split, x: curve.x, y: curve.y, colour: 0 }]}
              unit={curve.unit}
              smoothing={0}
              logarithmic={false}
            />
          ))}
        </Section>
      ))}
    </main>
  );
}
