/** @file What an answer looks at in a picture, drawn: the image, its heat, and what can change the answer at all. */
import { at, f32At, u8At } from "../../arrays.js";
import { heatColour, UNREACHABLE } from "./heat.js";
import { textElement } from "./svg.js";
import { fitEnd, fitStart } from "./text.js";

/** What moves one answer about one image. */
export interface PixelField {
  readonly task: string;
  /** The class or label asked about: the one with the largest logit; null where the task has a single logit. */
  readonly logit: string | null;
  readonly height: number;
  readonly width: number;
  /** |∂logit/∂pixel| relative to the largest, in [0, 1]; [height × width]. */
  readonly influence: Float32Array;
  /** 1 where a change of the pixel can change the answer; [height × width]. */
  readonly reachable: Uint8Array;
  /** The image, [height, width, channels], 0 to 255. */
  readonly pixels: Uint8Array;
  readonly channels: 1 | 3;
}

/** Fraction of the image, or of the tokens, that can change the answer. */
export function reachableFraction({ reachable }: Pick<PixelField, "reachable">): number {
  return reachable.reduce((sum, pixel) => sum + pixel, 0) / reachable.length;
}

const PANEL = 384;
const GAP = 16;
const CAPTION = 44;
const TITLE = { size: 14, weight: 600 } as const;
const NOTE = { size: 12, weight: 400 } as const;

/**
 * The image, beside it the image under its heat, and, where not every pixel can change the answer, the mask of those
 * that can. Heat grows with the square root of the influence, or only the few strongest pixels would be seen.
 * @returns PNG
 */
export async function drawReceptiveField(field: PixelField): Promise<Buffer> {
  const { loadSharp, svgDocument } = await import("./svg.js");
  const { default: open } = await loadSharp();
  const factor = Math.max(1, Math.floor(PANEL / Math.max(field.height, field.width)));
  const [width, height] = [field.width * factor, field.height * factor];
  const panels = panelsOf(field);
  const raw = { width: field.width, height: field.height, channels: 3 } as const;
  const pictures = panels.map(({ pixels }) =>
    open(pixels, { raw }).resize(width, height, { kernel: "nearest", fit: "fill" }).png().toBuffer(),
  );
  const total = { width: GAP + panels.length * (width + GAP), height: height + CAPTION + GAP };
  const texts = panels.flatMap(({ title, note }, i) => {
    const left = GAP + i * (width + GAP);
    return [
      textElement(fitStart(title, width, TITLE), left, 20, TITLE),
      textElement(fitEnd(note, width, NOTE), left, 37, NOTE),
    ];
  });
  const layers = (await Promise.all(pictures)).map((picture, i) => ({
    input: picture,
    left: GAP + i * (width + GAP),
    top: CAPTION,
  }));
  const canvas = open({ create: { ...total, channels: 3, background: "#ffffff" } });
  return canvas
    .composite([...layers, { input: svgDocument(total.width, total.height, texts), left: 0, top: 0 }])
    .removeAlpha()
    .png()
    .toBuffer();
}

interface Panel {
  readonly title: string;
  readonly note: string;
  /** [height, width, 3] */
  readonly pixels: Uint8Array;
}

function panelsOf(field: PixelField): Panel[] {
  const { task, logit, height, width, influence, reachable } = field;
  const share = reachableFraction(field);
  // grey and dark, so that all colour is heat
  const dimmed = (pixel: number): number => 0.4 * grey(field, pixel);
  const answer = logit === null ? task : `${task}: ${logit}`;
  const drawn = (colour: (pixel: number, channel: number) => number): Uint8Array =>
    Uint8Array.from({ length: height * width * 3 }, (_, i) => Math.round(colour(Math.floor(i / 3), i % 3)));
  const panels: Panel[] = [
    {
      title: "input",
      note: `${width} × ${height}`,
      pixels: drawn((pixel, channel) => colourOf(field, pixel, channel)),
    },
    {
      title: answer,
      note: "what moves the logit: |gradient|",
      pixels: drawn((pixel, channel) => {
        const heat = Math.sqrt(f32At(influence, pixel));
        return (1 - heat) * dimmed(pixel) + heat * at(heatColour(heat), channel);
      }),
    },
  ];
  if (share === 1) return panels;
  const percent = share > 0.99 ? ">99" : String(Math.round(100 * share));
  const mask = drawn((pixel, channel) =>
    reachable[pixel] === 1 ? colourOf(field, pixel, channel) : at(UNREACHABLE, channel),
  );
  return [...panels, { title: "receptive field", note: `${percent} % of the pixels can change it`, pixels: mask }];
}

function colourOf({ pixels, channels }: PixelField, pixel: number, channel: number): number {
  return u8At(pixels, channels === 3 ? pixel * 3 + channel : pixel);
}

/** Luma of ITU-R BT.601. */
function grey(field: PixelField, pixel: number): number {
  return 0.299 * colourOf(field, pixel, 0) + 0.587 * colourOf(field, pixel, 1) + 0.114 * colourOf(field, pixel, 2);
}
