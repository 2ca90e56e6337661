/** @file A task's thresholds: what those on record come to, and a slider that tries others. */
import { useState } from "preact/hooks";
import type { ThresholdReport } from "../../../reporting/document.js";
import { Table } from "../../components/table.js";
import { score } from "../../text/figures.js";
import { type Decided, decidedAt, recordedCandidate } from "../decisions.js";

export function Thresholds({ task, thresholds }: { task: string; thresholds: readonly ThresholdReport[] }) {
  const [chosen, setChosen] = useState(0);
  const report = thresholds[chosen] ?? thresholds[0];
  if (report === undefined) return null;
  return (
    <div class="thresholds">
      <h4>Thresholds</h4>
      <Table
        caption={`Thresholds of ${task} on record`}
        captionHidden
        rows={thresholds.map((one) => ({ one, decided: decidedAt(one, recordedCandidate(one)) }))}
        keyOf={({ one }) => `${one.split} ${one.label}`}
        columns={[
          { key: "question", label: "question", value: ({ one }) => nameOf(one) },
          { key: "threshold", label: "threshold", numeric: true, value: ({ decided }) => score(decided.threshold) },
          { key: "precision", label: "precision", numeric: true, value: ({ decided }) => score(decided.precision) },
          { key: "recall", label: "recall", numeric: true, value: ({ decided }) => score(decided.recall) },
          { key: "f1", label: "F1", numeric: true, value: ({ decided }) => score(decided.f1) },
          { key: "tp", label: "right yes", numeric: true, value: ({ decided }) => decided.truePositives },
          { key: "fp", label: "wrong yes", numeric: true, value: ({ decided }) => decided.falsePositives },
          { key: "fn", label: "missed", numeric: true, value: ({ decided }) => decided.falseNegatives },
          { key: "tn", label: "right no", numeric: true, value: ({ decided }) => decided.trueNegatives },
        ]}
      />
      <div class="needs-script no-print">
        {thresholds.length > 1 ? (
          <label class="small">
            Try{" "}
            <select value={String(chosen)} onChange={(event) => setChosen(Number(event.currentTarget.value))}>
              {thresholds.map((one, i) => (
                <option key={`${one.split} ${one.label}`} value={String(i)}>
                  {nameOf(one)}
                </option>
              ))}
            </select>
          </label>
        ) : null}
        <Trial key={chosen} task={task} report={report} />
      </div>
    </div>
  );
}

function nameOf({ label, split }: ThresholdReport): string {
  return label === null ? split : `${label}, ${split}`;
}

/** The slider of one question. */
function Trial({ task, report }: { readonly task: string; readonly report: ThresholdReport }) {
  const recorded = recordedCandidate(report);
  const [candidate, setCandidate] = useState(recorded);
  const decided = decidedAt(report, candidate);
  const moved = candidate !== recorded;
  return (
    <div class="trial">
      <DecisionCurves report={report} threshold={decided.threshold} />
      <div>
        <label class="small">
          Threshold of {task} ({nameOf(report)})
          <input
            type="range"
            class="wide"
            min={0}
            max={report.candidates.length - 1}
            step={1}
            value={candidate}
            aria-valuetext={`${score(decided.threshold)}: ${sentence(decided)}`}
            onInput={(event) => setCandidate(Number(event.currentTarget.value))}
          />
        </label>
        <output class="decided" aria-live="polite">
          <strong>at {score(decided.threshold)}</strong> {sentence(decided)}
        </output>
        <dl class="facts">
          {countsOf(decided).map(([name, count]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{count}</dd>
            </div>
          ))}
        </dl>
        <button type="button" disabled={!moved} onClick={() => setCandidate(recorded)}>
          back to {score(report.threshold)}
        </button>
      </div>
    </div>
  );
}

function sentence({ precision, recall, f1, accuracy }: Decided): string {
  return `precision ${score(precision)}, recall ${score(recall)}, F1 ${score(f1)}, accuracy ${score(accuracy)}`;
}

function countsOf(decided: Decided): readonly (readonly [string, number])[] {
  return [
    ["right yes", decided.truePositives],
    ["wrong yes", decided.falsePositives],
    ["missed", decided.falseNegatives],
    ["right no", decided.trueNegatives],
  ];
}

const WIDTH = 320;
const HEIGHT = 150;
const PAD = 8;
const CURVES = [
  ["precision", "curve-0"],
  ["recall", "curve-1"],
  ["f1", "curve-2"],
] as const;

/** Precision, recall and F1 over the threshold. */
function DecisionCurves({ report, threshold }: { readonly report: ThresholdReport; readonly threshold: number }) {
  const all = report.candidates.map((_, i) => decidedAt(report, i));
  const x = (at: number): number => PAD + Math.min(1, at) * (WIDTH - 2 * PAD);
  const y = (value: number): number => HEIGHT - PAD - value * (HEIGHT - 2 * PAD);
  return (
    <figure class="chart decision">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label="Precision, recall and F1 over the threshold">
        {[0, 0.5, 1].map((tick) => (
          <line key={tick} class="grid" x1={PAD} x2={WIDTH - PAD} y1={y(tick)} y2={y(tick)} />
        ))}
        {CURVES.map(([metric, look]) => (
          <polyline
            key={metric}
            class={look}
            points={all.map((one) => `${x(one.threshold).toFixed(1)},${y(one[metric]).toFixed(1)}`).join(" ")}
          />
        ))}
        <line class="here" x1={x(threshold)} x2={x(threshold)} y1={PAD} y2={HEIGHT - PAD} />
      </svg>
      <figcaption class="small muted legend">
        {CURVES.map(([metric, look]) => (
          <span key={metric} class={look}>
            {metric === "f1" ? "F1" : metric}
          </span>
        ))}
      </figcaption>
    </figure>
  );
}
