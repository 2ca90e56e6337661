/** @file Augmented pictures and the labels that move with them: what the pixels show is what the labels say. */
import { describe, expect, test } from "vitest";
import {
  type Augmentation,
  type AugmentSettings,
  drawAugmentation,
  movePlace,
  moveThrough,
} from "../../src/data/augment.js";
import { mapPlace, type Place, rotation, toQuadrangle } from "../../src/data/augmentation/homography.js";
import { createPictureAugmenter } from "../../src/data/augmentation/pictures.js";
import { figuresOf, moveLabels, movingFigures } from "../../src/data/labels/augment-labels.js";
import { createRandom } from "../../src/data/rng.js";
import type { FlowGraph, TaskSpec } from "../../src/flow/graph.js";
import { boundedRegression, type Labels } from "../../src/tasks/index.js";
import { graphOf } from "./files.js";

const NOTHING: AugmentSettings = {
  flipHorizontal: 0,
  flipVertical: 0,
  shift: 0,
  scale: [1, 1],
  brightness: 0,
  contrast: 0,
  saturation: 0,
  rotate: 0,
  crop: [1, 1],
  perspective: 0,
  blur: 0,
  noise: 0,
  erase: 0,
};
const STILL = { flip: false, scale: 1, shift: 0 };
const IDENTITY: Augmentation = {
  warp: null,
  horizontal: STILL,
  vertical: STILL,
  brightness: 1,
  contrast: 1,
  saturation: 1,
  blur: 0,
  noise: null,
  erased: null,
};

/** The draw for a row of a picture of some aspect. */
const draw = (settings: AugmentSettings, row: number, { seed = 7, epoch = 1, aspect = 1 } = {}) =>
  drawAugmentation(settings, { seed, epoch, row }, aspect);

function augmented(pixels: readonly number[], shape: readonly [number, number, number], change: Partial<Augmentation>) {
  const [height, width, channels] = shape;
  const out = Uint8Array.from(pixels);
  createPictureAugmenter({ height, width, channels })(out, { ...IDENTITY, ...change });
  return [...out];
}

describe("pixels", () => {
  test("are mirrored exactly", () => {
    const flip = { flip: true, scale: 1, shift: 0 };
    expect(augmented([1, 2, 3, 4, 5, 6], [2, 3, 1], { horizontal: flip })).toEqual([3, 2, 1, 6, 5, 4]);
    expect(augmented([1, 2, 3, 4, 5, 6], [2, 3, 1], { vertical: flip })).toEqual([4, 5, 6, 1, 2, 3]);
    expect(augmented([1, 2, 3, 4, 5, 6], [1, 2, 3], { horizontal: flip })).toEqual([4, 5, 6, 1, 2, 3]);
  });

  test("are shifted, between pixels by their mixture, and the edge fills what comes into view", () => {
    const right = (shift: number) => ({ horizontal: { flip: false, scale: 1, shift } });
    expect(augmented([10, 20, 30, 40], [1, 4, 1], right(0.25))).toEqual([10, 10, 20, 30]);
    expect(augmented([10, 20, 30, 40], [1, 4, 1], right(-0.5))).toEqual([30, 40, 40, 40]);
    expect(augmented([10, 20, 30, 40], [1, 4, 1], right(0.125))).toEqual([10, 15, 25, 35]);
  });

  test("are scaled about the centre", () => {
    const twice = { flip: false, scale: 2, shift: 0 };
    // a pixel's middle at (i + 0.5) / 4 comes from the place (i + 0.5) / 2 + 1 − 0.5 in pixels: 0.75, 1.25, 1.75, 2.25
    expect(augmented([0, 100, 200, 0], [1, 4, 1], { horizontal: twice })).toEqual([75, 125, 175, 150]);
  });

  test("are coloured as Pillow's ImageEnhance does", () => {
    // one orange and one dark pixel: luma 124.1 → 124 and 20, mean 72
    const two = [200, 100, 50, 20, 20, 20];
    expect(augmented(two, [1, 2, 3], { brightness: 1.5 })).toEqual([255, 150, 75, 30, 30, 30]);
    expect(augmented(two, [1, 2, 3], { contrast: 0.5 })).toEqual([136, 86, 61, 46, 46, 46]);
    expect(augmented(two, [1, 2, 3], { saturation: 0 })).toEqual([124, 124, 124, 20, 20, 20]);
    expect(augmented([10, 20], [1, 2, 1], { saturation: 0.2, contrast: 0 })).toEqual([15, 15]);
  });

  test("stay as they are where nothing is drawn", () => {
    const random = createRandom(1);
    const pixels = Array.from({ length: 48 }, () => random.int(256));
    expect(augmented(pixels, [4, 4, 3], draw(NOTHING, 3))).toEqual(pixels);
  });
});

describe("draws", () => {
  const settings: AugmentSettings = { ...NOTHING, flipHorizontal: 0.25, shift: 0.1, scale: [0.8, 1.2], contrast: 0.3 };

  test("depend on seed, epoch and row alone, and differ between any two", () => {
    const drawn = (seed: number, epoch: number, row: number) => draw(settings, row, { seed, epoch });
    expect(drawn(7, 2, 5)).toEqual(drawn(7, 2, 5));
    for (const other of [drawn(8, 2, 5), drawn(7, 3, 5), drawn(7, 2, 6)]) expect(other).not.toEqual(drawn(7, 2, 5));
  });

  test("stay in their ranges, and a flip comes as often as asked", () => {
    const all = Array.from({ length: 4000 }, (_, row) => draw(settings, row));
    expect(all.filter(({ horizontal }) => horizontal.flip).length / 4000).toBeCloseTo(0.25, 1);
    expect(all.every(({ vertical }) => !vertical.flip)).toBe(true);
    const shifts = all.flatMap(({ horizontal, vertical }) => [horizontal.shift, vertical.shift]);
    expect([Math.min(...shifts), Math.max(...shifts)].map((shift) => Math.round(shift * 100))).toEqual([-10, 10]);
    const scales = all.map(({ horizontal }) => horizontal.scale);
    expect([Math.min(...scales), Math.max(...scales)].map((scale) => Math.round(scale * 100))).toEqual([80, 120]);
    expect(all.every(({ horizontal, vertical }) => horizontal.scale === vertical.scale)).toBe(true);
    expect(all.every(({ brightness }) => brightness === 1)).toBe(true);
  });
});

const BOX = graphOf({
  "face.x": boundedRegression({ max: 64, measures: "x" }),
  "face.y": boundedRegression({ max: 64, measures: "y" }),
  "face.w": boundedRegression({ max: 64, measures: "width" }),
  "face.h": boundedRegression({ max: 64, measures: "height" }),
});

/** Labels of one row after a move. */
function moved(
  graph: FlowGraph,
  answers: readonly number[],
  change: Partial<Augmentation>,
  unitScale?: number,
): number[] {
  const labels = answers.map(
    (answer): Labels => ({
      answers: Float32Array.of(answer),
      unitScale: unitScale === undefined ? null : Float32Array.of(unitScale),
    }),
  );
  moveLabels(movingFigures(graph), labels, 0, { ...IDENTITY, ...change });
  return labels.map(({ answers: [answer] }) => answer as number);
}

const flip = { flip: true, scale: 1, shift: 0 };
const shifted = (shift: number) => ({ flip: false, scale: 1, shift });
const scaled = (scale: number) => ({ flip: false, scale, shift: 0 });
const NO = Number.NaN;

describe("a box", () => {
  const box = [10, 20, 12, 16];

  test("is mirrored by its other edge: x' = W − x − w", () => {
    expect(moved(BOX, box, { horizontal: flip })).toEqual([42, 20, 12, 16]);
    expect(moved(BOX, box, { vertical: flip })).toEqual([10, 28, 12, 16]);
  });

  test("is shifted, and scaled about the picture's centre", () => {
    expect(moved(BOX, box, { horizontal: shifted(0.25), vertical: shifted(-0.125) })).toEqual([26, 12, 12, 16]);
    // 32 + (10 − 32) / 2 = 21
    expect(moved(BOX, box, { horizontal: scaled(0.5), vertical: scaled(0.5) })).toEqual([21, 26, 6, 8]);
  });

  test("is cut off at the edge, and missing where nothing of it is left", () => {
    expect(moved(BOX, box, { horizontal: shifted(-0.25) })).toEqual([0, 20, 6, 16]);
    expect(moved(BOX, box, { horizontal: shifted(0.75) })).toEqual([58, 20, 6, 16]);
    expect(moved(BOX, box, { horizontal: shifted(-0.5) })).toEqual([NO, NO, NO, NO]);
    expect(moved(BOX, box, { vertical: shifted(1) })).toEqual([NO, NO, NO, NO]);
  });

  test("of which a label is missing keeps only what is certain", () => {
    expect(moved(BOX, [10, 20, NO, 16], { horizontal: flip })).toEqual([NO, 20, NO, 16]);
    expect(moved(BOX, [10, 20, NO, 16], { horizontal: shifted(0.25) })).toEqual([26, 20, NO, 16]);
    expect(moved(BOX, [NO, 20, 12, 16], { horizontal: flip })).toEqual([NO, 20, 12, 16]);
    expect(moved(BOX, [NO, 20, 12, 16], { horizontal: shifted(0.25) })).toEqual([NO, 20, NO, 16]);
    expect(moved(BOX, [NO, NO, NO, NO], { horizontal: flip })).toEqual([NO, NO, NO, NO]);
  });

  test("in pixels of the original image is moved in those", () => {
    const pixels = (measures: "x" | "width") => boundedRegression({ scale: "image-width", measures });
    expect(moved(graphOf({ x: pixels("x"), w: pixels("width") }), [100, 50], { horizontal: flip }, 200)).toEqual([
      50, 50,
    ]);
  });
});

test("a point is mirrored by itself, x' = W − x, and missing where it leaves the picture", () => {
  const point = graphOf({
    x: boundedRegression({ max: 64, measures: "x" }),
    y: boundedRegression({ min: -1, max: 1, measures: "y" }),
  });
  expect(moved(point, [10, 0.5], { horizontal: flip, vertical: flip })).toEqual([54, -0.5]);
  expect(moved(point, [10, 0.5], { horizontal: shifted(-0.25) })).toEqual([NO, NO]);
});

test("an extent alone is scaled; tasks that measure nothing stay", () => {
  const graph = graphOf({ w: boundedRegression({ max: 64, measures: "width" }), age: boundedRegression({ max: 99 }) });
  expect(moved(graph, [20, 18], { horizontal: scaled(1.5) })).toEqual([30, 18]);
  expect(moved(graph, [60, 18], { horizontal: scaled(1.5) })).toEqual([64, 18]);
});

test("the tasks of one flow make one figure, in order; those of another flow make their own", () => {
  const measure = (measures: "x" | "width"): TaskSpec => boundedRegression({ max: 1, measures });
  const graph = graphOf({
    "a.x": measure("x"),
    "a.x2": measure("x"),
    "a.w": measure("width"),
    "b.x": measure("x"),
  });
  const names = figuresOf(graph).map(({ horizontal }) => [horizontal.place?.path, horizontal.extent?.path]);
  expect(names).toEqual([
    ["a.x", "a.w"],
    ["a.x2", undefined],
    ["b.x", undefined],
  ]);
});

/** Edges of what is bright in a picture, at half its brightness, between pixels: [x, y, width, height]. */
function findRectangle(pixels: Uint8Array, size: number): number[] {
  const along = (at: (i: number, k: number) => number): [number, number] => {
    const profile = Array.from({ length: size }, (_, i) =>
      Math.max(...Array.from({ length: size }, (_, k) => pixels[at(i, k)] as number)),
    );
    const total = profile.reduce((sum, value) => sum + value / 255, 0);
    const first = profile.findIndex((value) => value > 0);
    const last = profile.findLastIndex((value) => value > 0);
    // an edge inside a pixel shows as its brightness; only an end that is not at the picture's edge has one
    const middle = profile.reduce((sum, value, i) => sum + (value / 255) * (i + 0.5), 0) / total;
    return first === 0 && last === size - 1 ? [0, size] : [middle - total / 2, total];
  };
  const [x, width] = along((i, k) => k * size + i);
  const [y, height] = along((i, k) => i * size + k);
  return [x, y, width, height];
}

test("a drawn rectangle is where its labels say, for hundreds of random draws", () => {
  const size = 64;
  const augment = createPictureAugmenter({ height: size, width: size, channels: 1 });
  const settings = { ...NOTHING, flipHorizontal: 0.5, flipVertical: 0.5, shift: 0.4, scale: [0.6, 1.5] } as const;
  const random = createRandom("rectangles");
  let [seen, gone] = [0, 0];
  for (let row = 0; row < 600; row++) {
    const [width, height] = [6 + random.int(20), 6 + random.int(20)];
    const [x, y] = [2 + random.int(size - width - 4), 2 + random.int(size - height - 4)];
    const pixels = new Uint8Array(size * size);
    for (let v = y; v < y + height; v++) pixels.fill(255, v * size + x, v * size + x + width);
    const augmentation = draw(settings, row);
    augment(pixels, augmentation);
    const labels = moved(BOX, [x, y, width, height], augmentation);
    if (Math.max(...pixels) < 250) {
      // less than a pixel of it is left
      if (labels.some(Number.isNaN)) expect(labels).toEqual([NO, NO, NO, NO]);
      else expect(Math.min(labels[2] as number, labels[3] as number)).toBeLessThan(1);
      gone++;
      continue;
    }
    seen++;
    const found = findRectangle(pixels, size);
    found.forEach((place, i) => {
      expect(Math.abs(place - (labels[i] as number)), `draw ${row}, number ${i}`).toBeLessThan(0.6);
    });
  }
  expect(seen).toBeGreaterThan(400);
  expect(gone).toBeGreaterThan(5);
});

test("a place goes where its pixel goes", () => {
  const size = 256;
  const augment = createPictureAugmenter({ height: 1, width: size, channels: 1 });
  const move = { flip: true, scale: 0.8, shift: 0.1 };
  const pixels = new Uint8Array(size);
  pixels.fill(255, 60, 64);
  augment(pixels, { ...IDENTITY, horizontal: move });
  const middle = pixels.reduce((sum, value, i) => sum + value * (i + 0.5), 0) / pixels.reduce((a, b) => a + b, 0);
  expect(middle / size).toBeCloseTo(movePlace(move, 62 / size), 2);
});

/** Middle of the brightness of a picture of one channel, in fractions of its size. */
function middleOf(pixels: Uint8Array, height: number, width: number): Place {
  let [sum, x, y] = [0, 0, 0];
  pixels.forEach((value, i) => {
    sum += value;
    x += value * ((i % width) + 0.5);
    y += value * (Math.floor(i / width) + 0.5);
  });
  return [x / sum / width, y / sum / height];
}

test("a spot that is turned, bent, cropped, flipped and shifted is where its point goes, for hundreds of draws", () => {
  const [height, width] = [96, 128];
  const augment = createPictureAugmenter({ height, width, channels: 1 });
  const settings: AugmentSettings = {
    ...NOTHING,
    ...{ flipHorizontal: 0.5, shift: 0.1, scale: [0.8, 1.2], rotate: 45, crop: [0.5, 1], perspective: 0.4 },
  };
  const random = createRandom("spots");
  let seen = 0;
  for (let row = 0; row < 400; row++) {
    const [x, y] = [24 + random.int(width - 48), 24 + random.int(height - 48)];
    const pixels = new Uint8Array(height * width);
    for (const v of [-1, 0, 1]) for (const u of [-1, 0, 1]) pixels[(y + v) * width + x + u] = 255;
    const augmentation = draw(settings, row, { aspect: width / height });
    augment(pixels, augmentation);
    const [toX, toY] = moveThrough(augmentation, [(x + 0.5) / width, (y + 0.5) / height]);
    if (Math.min(toX, 1 - toX) < 0.05 || Math.min(toY, 1 - toY) < 0.07) continue;
    seen++;
    const [foundX, foundY] = middleOf(pixels, height, width);
    expect(Math.abs(foundX - toX) * width, `draw ${row}`).toBeLessThan(0.6);
    expect(Math.abs(foundY - toY) * height, `draw ${row}`).toBeLessThan(0.6);
  }
  expect(seen).toBeGreaterThan(250);
});

describe("a picture that is turned or bent", () => {
  const turned = (degrees: number, aspect = 1): Partial<Augmentation> => ({ warp: rotation(degrees, aspect) });

  test("goes round clockwise by a quarter exactly", () => {
    expect(augmented([1, 2, 3, 4], [2, 2, 1], turned(90))).toEqual([3, 1, 4, 2]);
    expect(augmented([1, 2, 3, 4], [2, 2, 1], turned(180))).toEqual([4, 3, 2, 1]);
  });

  test("keeps lengths in pixels, whatever its aspect", () => {
    const [width, height] = [200, 100];
    const [x, y] = mapPlace(rotation(30, width / height), [0.75, 0.5]);
    // 50 pixels to the right of the centre
    expect((x - 0.5) * width).toBeCloseTo(50 * Math.cos(Math.PI / 6), 10);
    expect((y - 0.5) * height).toBeCloseTo(50 * Math.sin(Math.PI / 6), 10);
  });

  test("has its corners where they were drawn, and straight lines stay straight", () => {
    const corners = [
      [0.1, 0.05],
      [0.9, 0.2],
      [0.95, 0.85],
      [0.02, 0.9],
    ] as const;
    const map = toQuadrangle([...corners]);
    const from: Place[] = [
      [0, 0],
      [1, 0],
      [1, 1],
      [0, 1],
    ];
    from.forEach((corner, i) => {
      const [x, y] = mapPlace(map, corner);
      expect(x).toBeCloseTo(corners[i]?.[0] ?? Number.NaN, 12);
      expect(y).toBeCloseTo(corners[i]?.[1] ?? Number.NaN, 12);
    });
    const [[ax, ay], [bx, by], [cx, cy]] = [0.1, 0.4, 0.9].map((t) => mapPlace(map, [t, 2 * t - 0.3])) as [
      Place,
      Place,
      Place,
    ];
    expect((bx - ax) * (cy - ay) - (by - ay) * (cx - ax)).toBeCloseTo(0, 12);
  });

  test("takes a box along as the smallest upright one around its corners, and a point as it is", () => {
    const places = moved(BOX, [40, 28, 16, 8], turned(90));
    // right of the centre comes below it: x from 64 − 36, y from 40
    [28, 40, 8, 16].forEach((expected, i) => {
      expect(places[i]).toBeCloseTo(expected, 4);
    });
    const diagonal = moved(BOX, [28, 28, 8, 8], turned(45));
    const side = 8 * Math.SQRT2;
    [32 - side / 2, 32 - side / 2, side, side].forEach((expected, i) => {
      expect(diagonal[i]).toBeCloseTo(expected, 4);
    });
    const point = graphOf({
      x: boundedRegression({ max: 64, measures: "x" }),
      y: boundedRegression({ max: 64, measures: "y" }),
    });
    const [x, y] = moved(point, [48, 32], turned(90));
    expect(x).toBeCloseTo(32, 4);
    expect(y).toBeCloseTo(48, 4);
    expect(moved(point, [63, 63], turned(45))).toEqual([NO, NO]);
  });

  test("leaves nothing of a box of which a label is missing, or of a place along one axis", () => {
    expect(moved(BOX, [40, 28, NO, 8], turned(10))).toEqual([NO, NO, NO, NO]);
    expect(moved(graphOf({ x: boundedRegression({ max: 64, measures: "x" }) }), [20], turned(10))).toEqual([NO]);
  });
});

describe("what changes pixels alone", () => {
  test("a blur spreads a spot by its variance and keeps its sum; an even picture stays as it is", () => {
    const size = 41;
    const spot = new Uint8Array(size * size);
    for (let v = 16; v < 25; v++) spot.fill(250, v * size + 16, v * size + 25);
    const before = spot.reduce((sum, value) => sum + value, 0);
    createPictureAugmenter({ height: size, width: size, channels: 1 })(spot, { ...IDENTITY, blur: 2 });
    const sum = spot.reduce((total, value) => total + value, 0);
    expect(Math.abs(sum / before - 1)).toBeLessThan(0.01);
    const variance = spot.reduce((total, value, i) => total + value * ((i % size) - 20) ** 2, 0) / sum;
    // of nine even pixels, (9² − 1) / 12, and of the blur
    expect(Math.abs(variance - (80 / 12 + 4))).toBeLessThan(0.25);
    expect(
      augmented(
        Array.from({ length: 48 }, () => 77),
        [4, 4, 3],
        { blur: 1.3 },
      ),
    ).toEqual(Array.from({ length: 48 }, () => 77));
  });

  test("noise has the deviation that was drawn, and is the same each time", () => {
    const grey = Array.from({ length: 30_000 }, () => 128);
    const noisy = (seed: string) => augmented(grey, [100, 100, 3], { noise: { deviation: 10, seed } });
    const values = noisy("a");
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
    expect(Math.abs(mean - 128)).toBeLessThan(0.3);
    expect(Math.abs(deviation - 10)).toBeLessThan(0.3);
    expect(noisy("a")).toEqual(values);
    expect(noisy("b")).not.toEqual(values);
  });

  test("what is erased has the mean colour of the picture, and the rest is as it was", () => {
    const pixels = [0, 0, 0, 100, 40, 20, 200, 80, 40, 100, 40, 20];
    const erased = { left: 0.5, top: 0, width: 0.5, height: 0.5 };
    expect(augmented(pixels, [2, 2, 3], { erased })).toEqual([0, 0, 0, 100, 40, 20, 200, 80, 40, 100, 40, 20]);
    expect(augmented(pixels, [2, 2, 3], { erased: { ...erased, left: 0 } }).slice(0, 6)).toEqual([
      100, 40, 20, 100, 40, 20,
    ]);
  });
});

test("crops have areas between the two shares and sides between 3 : 4 and 4 : 3; erased parts 2 to 33 % of the area", () => {
  const settings: AugmentSettings = { ...NOTHING, crop: [0.25, 0.5], erase: 1 };
  for (let row = 0; row < 500; row++) {
    const { horizontal, vertical, erased } = draw(settings, row, { aspect: 2 });
    const [width, height] = [1 / horizontal.scale, 1 / vertical.scale];
    expect(width * height).toBeGreaterThan(0.2499);
    expect(width * height).toBeLessThan(0.5001);
    expect(Math.abs(Math.log(width / height))).toBeLessThan(Math.log(4 / 3) + 1e-9);
    // the picture's own middle third is never outside by more than the crop leaves
    const [left, right] = [0, 1].map((edge) => (edge - 0.5 - horizontal.shift) / horizontal.scale + 0.5);
    expect(left).toBeGreaterThan(-1e-9);
    expect(right).toBeLessThan(1 + 1e-9);
    const area = (erased?.width ?? 0) * (erased?.height ?? 0);
    expect(area).toBeGreaterThan(0.0199);
    expect(area).toBeLessThan(0.3301);
  }
});

test("settings that were there before draw what they drew before", () => {
  const settings = { ...NOTHING, flipHorizontal: 0.5, shift: 0.1, scale: [0.8, 1.2], contrast: 0.3 } as const;
  const { horizontal, vertical, contrast } = draw(settings, 11, { seed: 7, epoch: 3 });
  const { warp, ...rest } = draw({ ...settings, rotate: 10, blur: 1, noise: 0.1, erase: 1 }, 11, { seed: 7, epoch: 3 });
  expect(warp).not.toBeNull();
  expect(rest).toMatchObject({ horizontal, vertical, contrast });
});
