/** @file The samples that a task answers worst and best: pictures with boxes and points, or words. */
import type { RunReport, SampleMark, SamplePicture, SampleReport } from "../../../reporting/document.js";
import { figure } from "../../text/figures.js";

interface SamplesProps {
  readonly samples: readonly SampleReport[];
  readonly pictures: RunReport["pictures"];
}

export function Samples({ samples, pictures }: SamplesProps) {
  const split = samples[0]?.split;
  if (split === undefined) return null;
  return (
    <div class="samples">
      {(["worst", "best"] as const).map((side) => (
        <div key={side}>
          <h4>
            {side === "worst" ? "Worst" : "Best"} samples <span class="muted small">on {split}</span>
          </h4>
          <ul class="tiles">
            {samples
              .filter((sample) => sample.side === side)
              .map((sample) => (
                <Tile key={sample.rank} sample={sample} picture={pictures[sample.sample]} />
              ))}
          </ul>
        </div>
      ))}
    </div>
  );
}

function Tile({ sample, picture }: { readonly sample: SampleReport; readonly picture: SamplePicture | undefined }) {
  return (
    <li class="tile">
      <Shown sample={sample} picture={picture} />
      <dl>
        <div>
          <dt>label</dt>
          <dd class="truth">{sample.label}</dd>
        </div>
        <div>
          <dt>answer</dt>
          <dd class="answer">{sample.prediction}</dd>
        </div>
        <div>
          <dt>loss</dt>
          <dd>{figure(sample.loss, 3)}</dd>
        </div>
      </dl>
      <p class="small muted name">{sample.sample}</p>
    </li>
  );
}

function Shown({ sample, picture }: { readonly sample: SampleReport; readonly picture: SamplePicture | undefined }) {
  if (picture === undefined) return null;
  switch (picture.kind) {
    case "text":
      return <p class="words">{picture.text}</p>;
    case "missing":
      return <p class="words muted">The picture {picture.reason}.</p>;
    case "picture":
      return (
        <div class="picture">
          <img
            class={picture.width <= 96 ? "pixels" : undefined}
            src={picture.uri}
            width={picture.width}
            height={picture.height}
            alt={`${sample.sample}: label ${sample.label}, answer ${sample.prediction}`}
          />
          {sample.marks.length === 0 ? null : (
            <svg viewBox={`0 0 ${picture.width} ${picture.height}`} aria-hidden="true">
              {sample.marks.map((mark) => (
                <Mark key={`${mark.of} ${mark.x} ${mark.y}`} mark={mark} picture={picture} />
              ))}
            </svg>
          )}
        </div>
      );
    default:
      return picture satisfies never;
  }
}

function Mark({ mark, picture }: { mark: SampleMark; picture: { readonly width: number; readonly height: number } }) {
  const [x, y] = [mark.x * picture.width, mark.y * picture.height];
  const [width, height] = [mark.width * picture.width, mark.height * picture.height];
  const look = mark.of === "label" ? "mark truth" : "mark answer";
  if (width <= 0 || height <= 0) return <circle class={look} cx={x} cy={y} r="4" />;
  return <rect class={look} x={x} y={y} width={width} height={height} />;
}
