/** @file Curves of one run, or of several over each other: those of the whole first, the rest by choice. */
import { useMemo, useState } from "preact/hooks";
import type { CurveName, CurveNames, Series, SeriesAnswer } from "../../../ui/api/types.js";
import { type ChartCurve, CurveChart } from "../../components/curve-chart.js";
import { Section } from "../../components/section.js";
import { useAnswer } from "../shared/answer.js";
import { lineOf } from "../shared/text.js";

export interface CurveRun {
  readonly id: string;
  readonly name: string;
}

interface CurvesProps {
  readonly runs: readonly CurveRun[];
  readonly isLive: boolean;
}

/** Charts at once; more are shown when asked for. */
const CHARTS = 8;
const MORE = 12;
/** Points of a curve; of many runs fewer. */
const POINTS = 600;

export function CurvesSection({ runs, isLive }: CurvesProps) {
  const query = new URLSearchParams(runs.map(({ id }) => ["run", id]));
  const { value } = useAnswer<CurveNames>(`/api/curves?${query}`, { isLive, restMs: 3000 });
  const [wanted, setWanted] = useState("");
  const [count, setCount] = useState(CHARTS);
  const [smoothing, setSmoothing] = useState(0);
  const [isLogarithmic, setLogarithmic] = useState(false);
  const [isByStep, setByStep] = useState(false);
  if (value === null || value.curves.length === 0) return null;
  const charts = chartsOf(value.curves).filter(({ title }) =>
    title.toLowerCase().includes(wanted.toLowerCase().trim()),
  );
  return (
    <Section id="curves" title="Curves">
      <div class="toolbar">
        <input
          type="search"
          aria-label="curves with this in their name"
          placeholder="filter curves"
          value={wanted}
          onInput={({ currentTarget }) => setWanted(currentTarget.value)}
        />
        <label>
          smoothing{" "}
          <input
            type="range"
            min={0}
            max={0.99}
            step={0.01}
            value={smoothing}
            onInput={({ currentTarget }) => setSmoothing(Number(currentTarget.value))}
          />
        </label>
        <label>
          <input type="checkbox" checked={isLogarithmic} onChange={() => setLogarithmic(!isLogarithmic)} /> logarithmic
        </label>
        <label>
          <input type="checkbox" checked={isByStep} onChange={() => setByStep(!isByStep)} /> by step
        </label>
      </div>
      <div class="charts">
        {charts.slice(0, count).map((chart) => (
          <LiveChart key={chart.title} {...{ chart, runs, isLive, smoothing, isLogarithmic, isByStep }} />
        ))}
      </div>
      {charts.length === 0 ? <p class="muted">No curve has that in its name.</p> : null}
      {charts.length > count ? (
        <button type="button" onClick={() => setCount(count + MORE)}>
          {charts.length - count} more
        </button>
      ) : null}
    </Section>
  );
}

/** One metric of a task, on all of its splits. */
interface Chart {
  readonly title: string;
  readonly curves: readonly CurveName[];
}

function chartsOf(curves: readonly CurveName[]): Chart[] {
  const charts = new Map<string, CurveName[]>();
  for (const curve of curves) {
    const title = `${curve.task_path}/${curve.metric_name}`;
    charts.set(title, [...(charts.get(title) ?? []), curve]);
  }
  return [...charts].map(([title, own]) => ({ title, curves: own })).sort((a, b) => rankOf(a.title) - rankOf(b.title));
}

/** The losses of the whole, then the tasks in the order of the flow, last the load of the machine and single labels. */
function rankOf(title: string): number {
  if (title === "_total/loss") return 0;
  if (title.startsWith("_system/")) return 4;
  if (title.split("/").length > 2) return 3;
  return title.startsWith("_total/") ? 2 : 1;
}

interface LiveChartProps extends CurvesProps {
  readonly chart: Chart;
  readonly smoothing: number;
  readonly isLogarithmic: boolean;
  readonly isByStep: boolean;
}

function LiveChart({ chart, runs, isLive, smoothing, isLogarithmic, isByStep }: LiveChartProps) {
  const query = new URLSearchParams(runs.map(({ id }) => ["run", id]));
  for (const curve of chart.curves) query.append("curve", `${curve.split}/${curve.task_path}/${curve.metric_name}`);
  query.set("points", String(Math.max(50, Math.round(POINTS / Math.sqrt(runs.length)))));
  const { value, problem } = useAnswer<SeriesAnswer>(`/api/series?${query}`, { isLive, restMs: 1500 });
  const hasEpochs = value?.series.every(({ epochs }) => epochs.every((epoch) => epoch !== null)) ?? false;
  const unit = isByStep || !hasEpochs ? "step" : "epoch";
  const curves = useMemo(
    () => (value?.series ?? []).map((series) => chartCurve(series, runs, unit)),
    [value, unit, runs.map(({ name }) => name).join("\n")],
  );
  if (problem !== null) return <p class="notice error">{problem}</p>;
  return (
    <div class="card">
      <CurveChart
        title={lineOf(chart.title, 120)}
        curves={curves}
        unit={unit}
        smoothing={smoothing}
        logarithmic={isLogarithmic}
        height={240}
      />
    </div>
  );
}

const COLOURS = 10;
const SPLIT_COLOURS = { train: 0, valid: 1, test: 2 } as const;

/** Of one run splits have colours, of several runs the runs, and train is dashed. */
function chartCurve(series: Series, runs: readonly CurveRun[], unit: "step" | "epoch"): ChartCurve {
  const place = runs.findIndex(({ id }) => id === series.run);
  const x = unit === "step" ? series.steps : series.epochs.map((epoch) => epoch ?? Number.NaN);
  const isAlone = runs.length === 1;
  const name = isAlone ? series.split : `${lineOf(runs[place]?.name ?? series.run, 60)} ${series.split}`;
  const colour = isAlone ? SPLIT_COLOURS[series.split] : place % COLOURS;
  return { name, x, y: series.values, colour, dashed: !isAlone && series.split === "train" };
}
