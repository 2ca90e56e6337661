/** @file The charts of a task. */
import { CurveChart } from "../../components/curve-chart.js";
import type { Chart } from "../charts.js";

/** How curves are looked at, everywhere on the page. */
export interface ChartLook {
  readonly smoothing: number;
  readonly logarithmic: boolean;
  /** Whether every metric is drawn, or the loss and the one that stands for the task. */
  readonly all: boolean;
}

export interface TaskChartsProps {
  readonly charts: readonly Chart[];
  readonly headline: string | null;
  readonly look: ChartLook;
}

const ALWAYS = 2;

export function TaskCharts({ charts, headline, look }: TaskChartsProps) {
  const first = charts.filter(({ metric }) => metric === "loss" || metric === headline);
  // what has neither shows its first ones
  const shown = look.all ? charts : first.length > 0 ? first : charts.slice(0, ALWAYS);
  return (
    <div class="charts">
      {shown.map(({ metric, unit, curves }) => (
        <CurveChart
          key={`${metric} ${unit}`}
          title={metric}
          curves={curves}
          unit={unit}
          smoothing={look.smoothing}
          logarithmic={look.logarithmic}
        />
      ))}
    </div>
  );
}

/** Smoothing, axis and which metrics. */
export function LookBar({ look, onChange }: { readonly look: ChartLook; onChange(look: ChartLook): void }) {
  return (
    <div class="toolbar needs-script">
      <label>
        Smoothing{" "}
        <input
          type="range"
          min={0}
          max={0.99}
          step={0.01}
          value={look.smoothing}
          onInput={(event) => onChange({ ...look, smoothing: Number(event.currentTarget.value) })}
        />
        <output class="mono">{look.smoothing.toFixed(2)}</output>
      </label>
      <label>
        <input
          type="checkbox"
          checked={look.logarithmic}
          onChange={(event) => onChange({ ...look, logarithmic: event.currentTarget.checked })}
        />{" "}
        logarithmic
      </label>
      <label>
        <input
          type="checkbox"
          checked={look.all}
          onChange={(event) => onChange({ ...look, all: event.currentTarget.checked })}
        />{" "}
        all metrics
      </label>
    </div>
  );
}
