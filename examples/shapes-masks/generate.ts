/** @file Draws shapes on a rough ground, and masks of what each pixel is of: seeded, so that everybody trains on the same. */
import { existsSync } from "node:fs";
import { mkdir, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import sharp, { type Sharp } from "sharp";

/** Width and height of a picture in pixels. */
export const SIZE = 32;

/** What a pixel may be of, in the order of the numbers in the masks. */
export const SHAPES = ["ground", "disk", "bar", "triangle"] as const;

/** Height of a pixel above the ground is stored in hundredths. */
export const HEIGHT_UNIT = 0.01;
/** A pixel of which nobody has said anything. */
export const UNLABELLED = 255;

export interface Drawing {
  /** [SIZE, SIZE, RGB] */
  readonly pixels: Uint8Array;
  /** [SIZE, SIZE]: places in SHAPES, or UNLABELLED. */
  readonly shape: Uint8Array;
  /** [SIZE, SIZE]: 1 on a shape with stripes. */
  readonly striped: Uint8Array;
  /** [SIZE, SIZE], in HEIGHT_UNIT: a shape is a dome, 1 in its middle; 0 on the ground. */
  readonly height: Uint16Array;
  readonly occupied: 0 | 1;
}

/** Numbers in [0, 1). mulberry32: 32 bits of state are plenty for an example. */
export function seededNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Shape {
  /** Its place in SHAPES. */
  readonly kind: number;
  readonly x: number;
  readonly y: number;
  readonly radius: number;
  readonly angle: number;
  readonly isStriped: boolean;
}

/** Disks are rather red, bars green and triangles blue, of every shade. One picture: in five of six one or two shapes, the later over the earlier. */
export function drawPicture(next: () => number): Drawing {
  const pixels = new Uint8Array(SIZE * SIZE * 3);
  const shape = new Uint8Array(SIZE * SIZE);
  const striped = new Uint8Array(SIZE * SIZE);
  const height = new Uint16Array(SIZE * SIZE);
  const ground = 60 + 80 * next();
  for (let i = 0; i < pixels.length; i++) pixels[i] = ground + 20 * (next() - 0.5);
  const shapes = next() < 1 / 6 ? [] : Array.from({ length: 1 + Math.floor(2 * next()) }, () => drawShape(next));
  for (const one of shapes) {
    const colour = [0, 1, 2].map((channel) => (channel === one.kind - 1 ? 175 : 55) + 70 * next());
    for (let pixel = 0; pixel < SIZE * SIZE; pixel++) {
      const [u, v] = within(one, (pixel % SIZE) + 0.5, Math.floor(pixel / SIZE) + 0.5);
      const inner = insideOf(one.kind, u, v);
      if (inner <= 0) continue;
      shape[pixel] = one.kind;
      striped[pixel] = one.isStriped ? 1 : 0;
      height[pixel] = Math.round(Math.min(1, inner) / HEIGHT_UNIT);
      const isDark = one.isStriped && Math.floor((u * one.radius + 100) / 2) % 2 === 0;
      // a dome is brighter in its middle
      const light = (isDark ? 0.45 : 1) * (0.6 + 0.4 * Math.min(1, inner));
      colour.forEach((level, channel) => {
        pixels[pixel * 3 + channel] = level * light + 16 * (next() - 0.5);
      });
    }
  }
  // a corner that the annotators have not got to
  if (next() < 0.1) eraseCorner(shape, next);
  return { pixels, shape, striped, height, occupied: shapes.length > 0 ? 1 : 0 };
}

function drawShape(next: () => number): Shape {
  const place = (): number => 7 + (SIZE - 14) * next();
  return {
    ...{ kind: 1 + Math.floor(3 * next()), x: place(), y: place(), radius: 6 + 4 * next() },
    ...{ angle: Math.PI * next(), isStriped: next() < 0.4 },
  };
}

/** A place as the shape has it: its middle is 0, its radius 1. */
function within({ x, y, radius, angle }: Shape, px: number, py: number): readonly [u: number, v: number] {
  const [dx, dy] = [(px - x) / radius, (py - y) / radius];
  return [dx * Math.cos(angle) + dy * Math.sin(angle), dy * Math.cos(angle) - dx * Math.sin(angle)];
}

/** 0 at the edge, 1 in the middle; negative outside. */
function insideOf(kind: number, u: number, v: number): number {
  if (kind === 1) return 1 - Math.hypot(u, v);
  if (kind === 2) return Math.min(1.1 - Math.abs(u), 0.4 - Math.abs(v)) / 0.4;
  // the distance from the sides of an equilateral triangle around the middle, whose corners are at 1.1
  const sides = [0, 1, 2].map(
    (side) => u * Math.sin((2 * Math.PI * side) / 3) - v * Math.cos((2 * Math.PI * side) / 3),
  );
  return 1 - Math.max(...sides) / 0.55;
}

function eraseCorner(shape: Uint8Array, next: () => number): void {
  const side = 5 + Math.floor(6 * next());
  for (let y = 0; y < side; y++) shape.fill(UNLABELLED, y * SIZE, y * SIZE + side);
}

export const PICTURES = 500;

/** Writes pictures, masks and `shapes.csv` into the project, unless they are there. */
export async function ensurePictures(
  projectDir: string,
  log: (line: string) => void = () => {},
  count = PICTURES,
): Promise<void> {
  const table = path.join(projectDir, "shapes.csv");
  if (existsSync(table)) return;
  const next = seededNumbers(7);
  for (const folder of ["pictures", "shape", "striped", "height"]) {
    await mkdir(path.join(projectDir, folder), { recursive: true });
  }
  const lines = ["picture,occupied,shape,striped,height"];
  for (let i = 0; i < count; i++) {
    const drawing = drawPicture(next);
    const name = `${String(i).padStart(4, "0")}.png`;
    const write = async (folder: string, image: Sharp): Promise<string> => {
      await image.png().toFile(path.join(projectDir, folder, name));
      return `${folder}/${name}`;
    };
    const grey = (bytes: Uint8Array): Sharp => sharp(bytes, rawOf(1)).toColourspace("b-w");
    const [picture, ...masks] = await Promise.all([
      write("pictures", sharp(drawing.pixels, rawOf(3))),
      write("shape", grey(drawing.shape)),
      write("striped", grey(drawing.striped)),
      write("height", sharp(drawing.height, rawOf(1)).toColourspace("grey16")),
    ]);
    // where there is no shape, nobody was asked of what it is
    lines.push([picture, drawing.occupied, ...(drawing.occupied === 1 ? masks : ["", "", ""])].join(","));
  }
  // another process may be at the same: a half-written table must never be read
  const writing = `${table}.${process.pid}`;
  await writeFile(writing, `${lines.join("\n")}\n`);
  await rename(writing, table);
  log(`${count} pictures and their masks written to ${projectDir}`);
}

function rawOf<Channels extends 1 | 3>(channels: Channels) {
  return { raw: { width: SIZE, height: SIZE, channels } } as const;
}
