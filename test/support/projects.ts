/** @file A small user project on disk: drawn pictures, a table, and a flow of every kind of task. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";

const SIZE = 16;
const COLORS = { red: [220, 30, 30], green: [30, 200, 30], blue: [30, 30, 220] } as const;
type Color = keyof typeof COLORS;

/** One row of the table: what its picture shows. */
export interface TinyRow {
  readonly img: string;
  readonly blocked: boolean;
  readonly color: Color | null;
  /** Left edge of the square in pixels. */
  readonly x: number;
  readonly stripe: boolean;
  readonly dot: boolean;
}

export interface TinyProject {
  readonly dir: string;
  readonly configFile: string;
  readonly tableFile: string;
  readonly rows: readonly TinyRow[];
  /** Absolute path of a row's picture. */
  image(row: number): string;
  /** Rewrites the configuration; each pair replaces a text that must occur. */
  editConfig(...replacements: readonly (readonly [from: string, to: string])[]): void;
  /** Rewrites the table from its lines, the header first. */
  editTable(edit: (lines: string[]) => readonly string[]): void;
  remove(): void;
}

/** The configuration of every tiny project; training takes well under a second per epoch. */
export const TINY_CONFIG = `import { binary, boundedRegression, classification, defineProject, defineTasks, image, multilabel } from "dnn-cool";

const tasks = defineTasks({
  features: ["features", "place"],
  tasks: {
    blocked: binary(),
    present: binary(),
    color: classification({ classes: ["red", "green", "blue"] }),
    marks: multilabel({ labels: ["stripe", "dot"] }),
    x: boundedRegression({ max: 16, measures: "x", lossWeight: 5 }),
  },
})
  .flow("position", (flow, x, out) => {
    out.add(flow.x(x.place));
  })
  .flow("square", (flow, x, out) => {
    out.add(flow.color(x.features));
    out.add(flow.marks(x.features));
    out.add(flow.position(x).given(out.color.is("blue").not()));
  })
  .flow("full", (flow, x, out) => {
    out.add(flow.blocked(x.features));
    out.add(flow.present(x.features).given(out.blocked.not()));
    out.add(flow.square(x).given(out.present));
  });

export default defineProject({
  name: "tiny",
  tasks,
  flow: "full",
  data: {
    table: "labels.csv",
    inputs: { image: image({ column: "img", size: [16, 16] }) },
    split: { train: 0.6, valid: 0.2, test: 0.2, seed: 3 },
  },
  trunk: ({ image }, layers) => {
    const shapes = layers.conv2d({ filters: 8, kernelSize: 3, strides: 2, padding: "same", activation: "relu" }).apply(image);
    const flat = layers.flatten().apply(shapes);
    return {
      features: layers.dense({ units: 16, activation: "relu" }).apply(flat),
      place: layers.dense({ units: 16, activation: "relu" }).apply(flat),
    };
  },
  train: { epochs: 2, batchSize: 8, optimizer: { kind: "adamw", learningRate: 5e-3 } },
});
`;

/** Writes a project into a folder of its own below the system's temporary one. */
export async function tinyProject(rowCount = 60): Promise<TinyProject> {
  const dir = mkdtempSync(join(tmpdir(), "cool-project-"));
  const rows = Array.from({ length: rowCount }, (_, i) => tinyRow(i));
  const [configFile, tableFile] = [join(dir, "cool.config.ts"), join(dir, "labels.csv")];
  mkdirSync(join(dir, "images"));
  await Promise.all(rows.map((row) => draw(row).toFile(join(dir, row.img))));
  let config = TINY_CONFIG;
  let lines = ["img,blocked,present,color,marks,x", ...rows.map(labelLine)];
  const writeTable = (): void => writeFileSync(tableFile, `${lines.join("\n")}\n`);
  writeFileSync(configFile, config);
  writeTable();
  return {
    dir,
    configFile,
    tableFile,
    rows,
    image: (row) => join(dir, tinyRow(row).img),
    editConfig(...replacements) {
      for (const [from, to] of replacements) {
        if (!config.includes(from)) throw new Error(`the configuration has no ${from}`);
        config = config.replace(from, to);
      }
      writeFileSync(configFile, config);
    },
    editTable(edit) {
      lines = [...edit([...lines])];
      writeTable();
    },
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
}

/** A blocked view, an empty one, and three squares take turns; marks and places differ from turn to turn. */
function tinyRow(i: number): TinyRow {
  const turn = Math.floor(i / 5);
  const color = ([null, null, "red", "green", "blue"] as const)[i % 5] ?? null;
  return {
    img: `images/${String(i).padStart(3, "0")}.png`,
    blocked: i % 5 === 0,
    color,
    x: (turn * 3) % 10,
    stripe: turn % 2 === 1,
    dot: turn % 4 >= 2,
  };
}

function draw({ blocked, color, x, stripe, dot }: TinyRow): ReturnType<typeof sharp> {
  const pixels = new Uint8Array(SIZE * SIZE * 3).fill(blocked ? 10 : 240);
  const fill = (x1: number, y1: number, width: number, height: number, rgb: readonly number[]): void => {
    for (let y = y1; y < y1 + height; y++) {
      for (let column = x1; column < x1 + width; column++) pixels.set(rgb, (y * SIZE + column) * 3);
    }
  };
  if (color !== null) {
    fill(x, 5, 6, 6, COLORS[color]);
    if (stripe) fill(0, 14, SIZE, 2, [0, 0, 0]);
    if (dot) fill(12, 0, 4, 4, [0, 0, 0]);
  }
  return sharp(pixels, { raw: { width: SIZE, height: SIZE, channels: 3 } }).png();
}

/** Labels are empty wherever a precondition fails. */
function labelLine({ img, blocked, color, x, stripe, dot }: TinyRow): string {
  const marks = [...(stripe ? ["stripe"] : []), ...(dot ? ["dot"] : [])].join(",") || "none";
  const cells = [
    img,
    Number(blocked),
    blocked ? "" : Number(color !== null),
    color ?? "",
    color === null ? "" : `"${marks}"`,
    color === null || color === "blue" ? "" : x,
  ];
  return cells.join(",");
}
