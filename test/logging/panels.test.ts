/** @file Pictures of samples and diagrams: the pixels are read back. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ScoredSplit, scoreSplit } from "../../src/analysis/score.js";
import { defineTasks } from "../../src/flow/define.js";
import type { FlowGraph } from "../../src/flow/graph.js";
import { traceFlow } from "../../src/flow/trace.js";
import { drawConfusionMatrix } from "../../src/logging/panels/confusion-panel.js";
import { drawContactSheet, legendOf, type Tile } from "../../src/logging/panels/contact-sheet.js";
import { figuresOf } from "../../src/logging/panels/figures.js";
import { tileSize } from "../../src/logging/panels/picture.js";
import { type SampleReference, type SampleSheet, sampleSheets } from "../../src/logging/panels/sample-sheets.js";
import { svgDocument, textElement } from "../../src/logging/panels/svg.js";
import { fitEnd, fitMiddle, fitStart, formatLoss, textWidth, wrapText } from "../../src/logging/panels/text.js";
import type { EncodedImage } from "../../src/logging/tensorboard/index.js";
import { binary, boundedRegression } from "../../src/tasks/index.js";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "cool-panels-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const bytesOf = (image: EncodedImage): Uint8Array => ("png" in image ? image.png : image.jpeg);

interface Pixels {
  readonly width: number;
  readonly height: number;
  at(x: number, y: number): number[];
}

async function decode(image: EncodedImage): Promise<Pixels> {
  const { data, info } = await sharp(bytesOf(image)).raw().toBuffer({ resolveWithObject: true });
  return {
    width: info.width,
    height: info.height,
    at: (x, y) => [...data.subarray((y * info.width + x) * info.channels).subarray(0, 3)],
  };
}

/** Places of the pictures of the first row: 144 pixels each, from (18, 98), every 166 pixels. */
const SIDE = 144;
const cornerOf = (tile: number): { x: number; y: number } => ({ x: 18 + tile * 166, y: 98 });
const middleOf = (tile: number): [number, number] => [cornerOf(tile).x + SIDE / 2, cornerOf(tile).y + SIDE / 2];

const gated: FlowGraph = traceFlow(
  defineTasks({ features: ["f"], tasks: { seen: binary(), locked: binary() } }).flow("flow", (flow, x, out) => {
    out.add(flow.seen(x.f));
    out.add(flow.locked(x.f).given(out.seen));
  }),
  "flow",
);

/** Rows in batches of 4; in the first and third batch nothing is seen, so that `locked` has no active row there. */
function gatedSplit(): ScoredSplit {
  const rows = 12;
  const seen = Float32Array.from({ length: rows }, (_, row) => (Math.floor(row / 4) === 1 ? 1 : 0));
  return scoreSplit(
    gated,
    {
      split: "valid",
      ids: Array.from({ length: rows }, (_, row) => `row ${row}`),
      outputs: [new Float32Array(rows), Float32Array.from({ length: rows }, (_, row) => row - 5.5)],
      labels: [
        { answers: seen, unitScale: null },
        { answers: new Float32Array(rows).fill(1), unitScale: null },
      ],
    },
    [[0.5], [0.5]],
  );
}

/** A picture of one colour, which tells the row. */
const colourOf = (row: number): [number, number, number] => [row * 20, 255 - row * 20, 90];

async function writePicture(row: number): Promise<string> {
  const path = join(folder, `${row}.png`);
  const [r, g, b] = colourOf(row);
  await sharp({ create: { width: 8, height: 8, channels: 3, background: { r, g, b } } })
    .png()
    .toFile(path);
  return path;
}

async function collect(sheets: AsyncGenerator<SampleSheet>): Promise<SampleSheet[]> {
  const all: SampleSheet[] = [];
  for await (const sheet of sheets) all.push(sheet);
  return all;
}

describe("contact sheets of samples", () => {
  it("show each loss under its own picture, also where whole batches have no active row", async () => {
    const pictureOf = async ({ row }: SampleReference) => ({ kind: "file" as const, path: await writePicture(row) });
    const sheets = await collect(sampleSheets(gated, gatedSplit(), pictureOf, { top: 3 }));
    const locked = sheets.filter(({ task_path }) => task_path === "locked");
    // rows 4 to 7 are seen and locked; the loss of a yes is log(1 + e^−logit), the logits are −1.5, −0.5, 0.5, 1.5
    const loss = (row: number): number => Math.log1p(Math.exp(-(row - 5.5)));
    const expected = { best: [7, 6, 5], worst: [4, 5, 6] };
    expect(locked.map(({ side }) => side)).toEqual(["best", "worst"]);
    for (const { side, sheet } of locked) {
      expect(sheet.subtitle).toBe(`${side} 3 of 4 on valid`);
      expect(sheet.tiles.map(({ sample }) => sample)).toEqual(expected[side].map((row) => `row ${row}`));
      const drawn = await decode(await drawContactSheet(sheet, "png"));
      for (const [tile, row] of expected[side].entries()) {
        expect(sheet.tiles[tile]?.loss).toBeCloseTo(loss(row), 5);
        expect(drawn.at(...middleOf(tile))).toEqual(colourOf(row));
      }
    }
  });

  it("say what was labelled and answered, with the probability", async () => {
    const sheets = await collect(sampleSheets(gated, gatedSplit(), () => ({ kind: "text", text: "" }), { top: 1 }));
    const worst = sheets.find(({ task_path, side }) => task_path === "locked" && side === "worst")?.sheet.tiles[0];
    // σ(−1.5) = 0.18
    expect(worst).toMatchObject({ label: "true", prediction: "false .18" });
  });

  it("say what their colours and lines stand for, also where a repair stands in the place of a prediction", () => {
    const shown = (...of: Parameters<typeof legendOf>) =>
      legendOf(...of).map(({ text, stroke }) => `${stroke === null ? "" : "line "}${text}`);
    expect(shown(false)).toEqual(["label", "→ predicted"]);
    expect(shown(true)).toEqual(["line label", "line → predicted"]);
    expect(shown(false, "repaired")).toEqual(["label", "→ repaired"]);
    expect(shown(true, "repaired")).toEqual(["line label", "line predicted", "→ repaired"]);
  });

  it("say nothing of labels where there are none, and keep short distances whole", async () => {
    const tile = { sample: "a.png", loss: 0, label: "", prediction: "", figures: [] };
    const picture = { kind: "text", text: "" } as const;
    const sheet = { title: "drift", subtitle: "furthest" };
    const noted = { ...tile, picture, measure: { name: "d", value: 0.954321 }, note: "97.1 % nearer" };
    const [own, labelled] = await Promise.all(
      [[noted], [{ ...noted, note: undefined, label: "97.1 %", prediction: "nearer" }]].map(
        ([{ note, ...one } = noted]) =>
          drawContactSheet({ ...sheet, tiles: [note === undefined ? one : { ...one, note }] }, "png"),
      ),
    );
    // the legend stands at the right end of the second line
    const right = async (image: EncodedImage | undefined) => {
      const pixels = sharp(image !== undefined && "png" in image ? image.png : Buffer.alloc(0));
      const cut = await pixels.extract({ left: 600, top: 50, width: 240, height: 40 }).toBuffer();
      const { channels } = await sharp(cut).stats();
      return channels[0]?.stdev ?? 0;
    };
    expect(await right(own)).toBe(0);
    expect(await right(labelled)).toBeGreaterThan(0);
  });

  it("open the pictures of the shown samples only", async () => {
    const rows = 20_000;
    const split = scoreSplit(
      gated,
      {
        split: "valid",
        ids: Array.from({ length: rows }, (_, row) => String(row)),
        outputs: [0, 1].map(() => Float32Array.from({ length: rows }, (_, row) => Math.sin(row))),
        labels: [0, 1].map(() => ({ answers: new Float32Array(rows).fill(1), unitScale: null })),
      },
      [[0.5], [0.5]],
    );
    const opened: number[] = [];
    const pictureOf = ({ row }: SampleReference) => {
      opened.push(row);
      return { kind: "text" as const, text: "" };
    };
    const perSheet: number[] = [];
    for await (const _ of sampleSheets(gated, split, pictureOf, { top: 10 })) perSheet.push(opened.splice(0).length);
    expect(perSheet).toEqual([10, 10, 10, 10]);
  });

  it("leave out tasks without rows", async () => {
    const split = gatedSplit();
    const nothing = { ...split, tasks: split.tasks.map((task) => ({ ...task, lossMask: new Uint8Array(12) })) };
    expect(await collect(sampleSheets(gated, nothing, () => ({ kind: "text", text: "" }), { top: 3 }))).toEqual([]);
  });
});

const tile = (changes: Partial<Tile>): Tile => ({
  sample: "a.png",
  loss: 1,
  label: "true",
  prediction: "false",
  picture: { kind: "text", text: "words of a sample" },
  figures: [],
  ...changes,
});
const sheetOf = (...tiles: Tile[]) => ({ title: "flow.task", subtitle: "worst 1 of 1 on valid", tiles });

describe("a drawn sheet", () => {
  it("shows a small picture's pixels as squares of one size, in the middle of its place", async () => {
    const path = join(folder, "two.png");
    await sharp(Buffer.from([255, 0, 0, 0, 0, 255]), { raw: { width: 2, height: 1, channels: 3 } })
      .png()
      .toFile(path);
    const drawn = await decode(await drawContactSheet(sheetOf(tile({ picture: { kind: "file", path } })), "png"));
    // 2 × 1 pixels become 144 × 72, below 36 free rows
    const { x, y } = cornerOf(0);
    expect([drawn.at(x, y + 36), drawn.at(x + 71, y + 107)]).toEqual([
      [255, 0, 0],
      [255, 0, 0],
    ]);
    expect([drawn.at(x + 72, y + 36), drawn.at(x + 143, y + 107)]).toEqual([
      [0, 0, 255],
      [0, 0, 255],
    ]);
    expect(drawn.at(x + 72, y + 35)).not.toEqual([0, 0, 255]);
  });

  it("draws labelled and predicted boxes over the picture in two colours, cut off at its edges", async () => {
    const shapes = {
      truth: { kind: "box", x: 0.25, y: 0.25, width: 0.5, height: 0.5 },
      prediction: { kind: "box", x: 0.5, y: 0.5, width: 2, height: 2 },
    } as const;
    const figures = [
      { source: "prediction", shape: shapes.prediction } as const,
      { source: "truth", shape: shapes.truth } as const,
    ];
    const picture = { kind: "pixels", pixels: new Uint8Array(3).fill(255), width: 1, height: 1, channels: 3 } as const;
    const drawn = await decode(await drawContactSheet(sheetOf(tile({ picture, figures })), "png"));
    const { x, y } = cornerOf(0);
    // the upper left box's left edge lies at a quarter, the other one's top edge at a half; #12e2a3 and #ff7a29
    expect(drawn.at(x + 36, y + 50)).toEqual([0x12, 0xe2, 0xa3]);
    expect(drawn.at(x + 116, y + 72)).toEqual([0xff, 0x7a, 0x29]);
    expect(drawn.at(x + 20, y + 20)).toEqual([255, 255, 255]);
    expect(drawn.at(x + SIDE + 3, y + 72)).toEqual([0xf3, 0xf5, 0xf8]);
  });

  it("stands in for pictures that are missing or damaged", async () => {
    const damaged = join(folder, "damaged.png");
    writeFileSync(damaged, "no picture");
    const tiles = [join(folder, "nowhere.png"), damaged].map((path) => tile({ picture: { kind: "file", path } }));
    const image = await drawContactSheet(sheetOf(...tiles), "png");
    const { at } = await decode(image);
    for (const i of [0, 1]) expect(at(cornerOf(i).x + 4, cornerOf(i).y + 4)).toEqual([0xe6, 0xea, 0xf0]);
  });

  it("is as high as its rows need, whatever its texts are", async () => {
    const size = async (...tiles: Tile[]) => {
      const { width, height } = await drawContactSheet(sheetOf(...tiles), "png");
      return [width, height];
    };
    const long = 'a very long answer <with> & "quotes" \u0007 and 漢字 '.repeat(5);
    expect(await size(tile({}))).toEqual([848, 384]);
    expect(await size(...Array.from({ length: 10 }, () => tile({})))).toEqual([848, 674]);
    expect(await size(tile({ label: long, prediction: long, sample: long, loss: Number.NaN }))).toEqual([848, 444]);
  });

  it("is a PNG or a JPEG of the size it says", async () => {
    for (const format of ["png", "jpeg"] as const) {
      const image = await drawContactSheet(sheetOf(tile({})), format);
      expect(format in image).toBe(true);
      expect(await sharp(bytesOf(image)).metadata()).toMatchObject({
        format,
        width: image.width,
        height: image.height,
      });
    }
  });

  it("is the same on a machine without fonts", async () => {
    const script = `
      import { createHash } from "node:crypto";
      import { drawContactSheet } from ${JSON.stringify(fileURLToPath(new URL("../../src/logging/panels/contact-sheet.ts", import.meta.url)))};
      const sheet = ${JSON.stringify(sheetOf(tile({})))};
      const { png } = await drawContactSheet(sheet, "png");
      process.stdout.write(createHash("sha256").update(png).digest("hex"));`;
    const [file, fonts] = [join(folder, "draw.mts"), join(folder, "fonts.conf")];
    writeFileSync(file, script);
    writeFileSync(fonts, `<?xml version="1.0"?><fontconfig><cachedir>${folder}/fonts</cachedir></fontconfig>`);
    const jiti = fileURLToPath(new URL("../../node_modules/jiti/lib/jiti-cli.mjs", import.meta.url));
    const drawn = execFileSync(process.execPath, [jiti, file], {
      env: { ...process.env, FONTCONFIG_FILE: fonts },
      encoding: "utf8",
    });
    const here = await drawContactSheet(sheetOf(tile({})), "png");
    expect(drawn).toBe(createHash("sha256").update(bytesOf(here)).digest("hex"));
  });
});

describe("figures of a flow", () => {
  const measures = (measured: "x" | "y" | "width" | "height", max = 64) =>
    boundedRegression({ max, measures: measured });
  const graph = traceFlow(
    defineTasks({
      features: ["f"],
      tasks: {
        present: binary(),
        left: measures("x"),
        top: measures("y", 32),
        wide: measures("width"),
        high: measures("height", 32),
        eye_x: boundedRegression({ min: -1, max: 1, measures: "x" }),
        eye_y: boundedRegression({ min: -1, max: 1, measures: "y" }),
        smiles: binary(),
      },
    })
      .flow("face", (flow, x, out) => {
        out.add(flow.left(x.f));
        out.add(flow.top(x.f));
        out.add(flow.wide(x.f));
        out.add(flow.high(x.f));
        out.add(flow.eye_x(x.f));
        out.add(flow.eye_y(x.f));
        out.add(flow.smiles(x.f));
      })
      .flow("flow", (flow, x, out) => {
        out.add(flow.present(x.f));
        out.add(flow.face(x).given(out.present));
      }),
    "flow",
  );
  const answers = (...values: number[]) => ({ answers: Float32Array.from(values), unitScale: null });
  const scored = scoreSplit(
    graph,
    {
      split: "valid",
      ids: ["a", "b", "c"],
      // σ(0) = 0.5: every number is predicted in the middle of its range
      outputs: graph.tasks.map(() => new Float32Array(3)),
      labels: [
        answers(1, 1, 0),
        answers(16, 16, 16),
        answers(8, Number.NaN, 8),
        answers(32, 32, 32),
        answers(16, 16, 16),
        answers(0.5, 0.5, 0.5),
        answers(-0.5, -0.5, -0.5),
        answers(1, 1, 1),
      ],
    },
    graph.tasks.map(({ spec }) => (spec.kind === "binary" ? [0.5] : [])),
  );
  const predictedBox = { source: "prediction", shape: { kind: "box", x: 0.5, y: 0.5, width: 0.5, height: 0.5 } };
  const eye = [
    { source: "prediction", shape: { kind: "point", x: 0.5, y: 0.5 } },
    { source: "truth", shape: { kind: "point", x: 0.75, y: 0.25 } },
  ];

  it("are boxes and points in fractions of the picture, for every task of the flow", () => {
    const figures = figuresOf(graph, scored, "face.smiles");
    expect(figures(0)).toEqual([
      predictedBox,
      { source: "truth", shape: { kind: "box", x: 0.25, y: 0.25, width: 0.5, height: 0.5 } },
      ...eye,
    ]);
  });

  it("leave out a labelled shape with an unknown number, and rows that are not asked", () => {
    const figures = figuresOf(graph, scored, "face.left");
    expect(figures(1)).toEqual([predictedBox, ...eye]);
    expect(figures(2)).toEqual([]);
  });

  it("are not those of other flows", () => {
    expect(figuresOf(graph, scored, "present")(0)).toEqual([]);
  });
});

describe("text", () => {
  const style = { size: 26, weight: 600 } as const;

  it("is as wide as it is drawn", async () => {
    for (const text of ["loss 0.1964", "person_regression.face_x1", "Ärger → Öfen …", "WWWWWW iiiiii"]) {
      for (const weight of [400, 600] as const) {
        const wanted = textWidth(text, { size: 26, weight });
        // a letter's own margins are not drawn
        const svg = svgDocument(900, 60, [textElement(`${text}`, 20, 40, { size: 26, weight })]);
        const { info } = await sharp(svg).trim().toBuffer({ resolveWithObject: true });
        expect(info.width, text).toBeLessThanOrEqual(wanted + 2);
        expect(info.width, text).toBeGreaterThan(wanted * 0.8);
      }
    }
  });

  it("is shortened where it does not fit, at the end, in the middle or at the start", () => {
    expect([fitEnd, fitMiddle, fitStart].map((shorten) => shorten("abcdefghijklmnopqrst", 150, style))).toEqual([
      "abcdefghij…",
      "abcd…pqrst",
      "…lmnopqrst",
    ]);
    expect(fitEnd("short", 150, style)).toBe("short");
  });

  it("is wrapped between words, and inside of words that are too long", () => {
    expect(wrapText("red, green, blue and black", 3, 125, style)).toEqual(["red, green,", "blue and", "black"]);
    expect(wrapText("abcdefghijklmnopqrstuvwxyz", 2, 120, style)).toEqual(["abcdefghij", "klmnop…"]);
    expect(wrapText("  ", 2, 120, style)).toEqual([]);
    expect(wrapText("0.74112 -1.19444 2.5", 3, 125, style)).toEqual(["0.74112", "-1.19444", "2.5"]);
    expect(wrapText("→ yellow 1.00", 2, 110, style)).toEqual(["→ yellow", "1.00"]);
  });

  it("shows losses of all sizes", () => {
    const losses = [0, 0.01234, 1.2345, 123.45, 12_345, 1.2e-8, Number.NaN, Number.POSITIVE_INFINITY];
    expect(losses.map(formatLoss)).toEqual([
      "0.0000",
      "0.0123",
      "1.23",
      "123.5",
      "1.2e+4",
      "1.2e-8",
      "NaN",
      "Infinity",
    ]);
  });
});

describe("pictures on tiles", () => {
  it("are enlarged by whole factors, or reduced to fit", () => {
    expect(tileSize(64, 64, 144)).toEqual({ width: 128, height: 128, enlarged: true });
    expect(tileSize(28, 14, 144)).toEqual({ width: 140, height: 70, enlarged: true });
    expect(tileSize(144, 100, 144)).toEqual({ width: 144, height: 100, enlarged: true });
    expect(tileSize(1440, 720, 144)).toEqual({ width: 144, height: 72, enlarged: false });
    expect(tileSize(100_000, 1, 144)).toEqual({ width: 144, height: 1, enlarged: false });
  });
});

describe("a confusion matrix", () => {
  it("is darkest where all rows of a label have the same answer", async () => {
    const counts = [
      [4, 0],
      [2, 2],
    ];
    const { at, width } = await decode(
      await drawConfusionMatrix("color", "8 on valid", { classes: ["a", "b"], counts, total: 8 }, "png"),
    );
    expect(width).toBe(848);
    // cells of 110 × 60 from (124, 166); their numbers stand in the middle
    const corner = (label: number, answer: number) => at(124 + answer * 110 + 8, 166 + label * 60 + 8);
    expect(corner(0, 0)).toEqual([36, 87, 167]);
    expect(corner(0, 1)).toEqual([255, 255, 255]);
    expect(corner(1, 0)).not.toEqual([255, 255, 255]);
  });

  it("can be drawn for a thousand classes", async () => {
    const classes = Array.from({ length: 1000 }, (_, i) => `class ${i}`);
    const counts = classes.map((_, i) => classes.map((__, j) => (i === j ? 1 : 0)));
    const image = await drawConfusionMatrix("many", "1000 on valid", { classes, counts, total: 1000 }, "png");
    expect([image.width, image.height > 300 && image.height < 1200]).toEqual([848, true]);
  });
});
