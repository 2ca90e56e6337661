/** @file A reliability diagram: the share of right answers over what the network said, and how many answers there are. */
import type { ReliabilityReport } from "../../../reporting/document.js";
import { Table } from "../../components/table.js";
import { score } from "../../text/figures.js";

const SIDE = 200;
const LEFT = 34;
const BOTTOM = 26;
const TOP = 8;

export function Reliability({ reliability }: { readonly reliability: ReliabilityReport }) {
  const { split, count, expected_calibration_error: error, bins } = reliability;
  const name = `Reliability on ${split}: calibration error ${error?.toFixed(3) ?? "–"} over ${count} answers`;
  return (
    <figure class="chart reliability">
      <figcaption class="small muted">{name}</figcaption>
      <svg
        viewBox={`0 0 ${LEFT + SIDE + 8} ${TOP + SIDE + BOTTOM}`}
        width={LEFT + SIDE + 8}
        height={TOP + SIDE + BOTTOM}
        role="img"
        aria-label={name}
      >
        {[0, 0.5, 1].map((tick) => (
          <g key={tick}>
            <line class="grid" x1={LEFT} x2={LEFT + SIDE} y1={y(tick)} y2={y(tick)} />
            <text class="tick" x={LEFT - 6} y={y(tick) + 4} text-anchor="end">
              {tick}
            </text>
            <text class="tick" x={x(tick)} y={TOP + SIDE + 15} text-anchor="middle">
              {tick}
            </text>
          </g>
        ))}
        {bins.map((bin) =>
          bin.share_of_yes === null ? null : (
            <rect
              key={bin.lower}
              class={bin.count * 50 < count ? "bar few" : "bar"}
              x={x(bin.lower) + 1}
              width={(bin.upper - bin.lower) * SIDE - 2}
              y={y(bin.share_of_yes)}
              height={bin.share_of_yes * SIDE}
            />
          ),
        )}
        <line class="ideal" x1={x(0)} y1={y(0)} x2={x(1)} y2={y(1)} />
        <text class="tick" x={LEFT + SIDE / 2} y={TOP + SIDE + 25} text-anchor="middle">
          said
        </text>
      </svg>
      <details>
        <summary class="muted">values</summary>
        <Table
          caption={name}
          captionHidden
          sortable={false}
          rows={bins.filter((bin) => bin.count > 0)}
          keyOf={({ lower }) => String(lower)}
          columns={[
            { key: "bin", label: "said", value: ({ lower, upper }) => `${score(lower)} to ${score(upper)}` },
            { key: "mean", label: "mean said", numeric: true, value: ({ mean_score }) => score(mean_score) },
            { key: "true", label: "came true", numeric: true, value: ({ share_of_yes }) => score(share_of_yes) },
            { key: "count", label: "answers", numeric: true, value: (bin) => bin.count },
          ]}
        />
      </details>
    </figure>
  );
}

function x(share: number): number {
  return LEFT + share * SIDE;
}

function y(share: number): number {
  return TOP + (1 - share) * SIDE;
}
