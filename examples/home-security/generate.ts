/** @file Draws the pictures of a door camera and writes their labels: seeded, so that everybody trains on the same. */
import { existsSync } from "node:fs";
import { mkdir, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import sharp from "sharp";

/** Width and height of a picture in pixels. */
export const SIZE = 64;

type Color = readonly [red: number, green: number, blue: number];

const WHITE: Color = [255, 255, 255];
const BLACK: Color = [0, 0, 0];
const BROWN: Color = [139, 69, 19];
const BLUE: Color = [0, 0, 255];

/** Colours of shirts and of heads, by the name that `shirt_type` takes. */
export const COLORS = {
  blue: BLUE,
  red: [255, 0, 0],
  yellow: [255, 255, 0],
  cyan: [0, 255, 255],
  magenta: [255, 0, 255],
  green: [0, 255, 0],
  black: BLACK,
} as const satisfies Record<string, Color>;

export type ColorName = keyof typeof COLORS;
export const COLOR_NAMES = Object.keys(COLORS) as readonly ColorName[];

/** The eleven scenes, all equally likely: four without a person, and a person in each shirt. */
export const KINDS = ["camera_blocked", "nobody", "door_locked", "door_unlocked", ...COLOR_NAMES] as const;
export type Kind = (typeof KINDS)[number];

/** Columns of labels.csv after the image's path. */
export const LABEL_COLUMNS = [
  "camera_blocked",
  "door_open",
  "door_locked",
  "person_present",
  "face_x1",
  "face_y1",
  "face_w",
  "face_h",
  "facial_characteristics",
  "body_x1",
  "body_y1",
  "body_w",
  "body_h",
  "shirt_type",
] as const;

/** Label cells of one picture; a question without an answer is absent. Boxes in pixels. */
export type Labels = Partial<Record<(typeof LABEL_COLUMNS)[number], number | string>>;

export interface Sample {
  readonly kind: Kind;
  /** [height, width, RGB], one byte each. */
  readonly pixels: Uint8Array;
  readonly labels: Labels;
}

/** Uniform integers of low…high, both included. */
export type RandomInteger = (low: number, high: number) => number;

/** Seeded source of uniform integers: Tommy Ettinger's mulberry32 generator (32 bits of state). */
export function seededIntegers(seed: number): RandomInteger {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
  return (low, high) => low + Math.floor(next() * (high - low + 1));
}

/** Draws one scene of a random kind, with the answers to the questions that have one. */
export function drawSample(random: RandomInteger): Sample {
  const kind = pick(KINDS, random);
  const pixels = canvas(kind === "camera_blocked" ? BLACK : WHITE, random);
  const labels = drawScene(kind, pixels, random);
  // real tables have holes; the other labels of the row stay
  if (random(1, 100) === 1) delete labels.camera_blocked;
  return { kind, pixels, labels };
}

function drawScene(kind: Kind, pixels: Uint8Array, random: RandomInteger): Labels {
  switch (kind) {
    case "camera_blocked":
      return { camera_blocked: 1 };
    case "nobody":
      return { camera_blocked: 0, door_open: 1, person_present: 0 };
    case "door_locked":
    case "door_unlocked":
      drawDoor(pixels, kind === "door_locked", random);
      return { camera_blocked: 0, door_open: 0, door_locked: kind === "door_locked" ? 1 : 0 };
    default:
      return { camera_blocked: 0, door_open: 1, person_present: 1, ...drawPerson(pixels, kind, random) };
  }
}

/** A picture of one colour with 40 random bytes, drawn over by what follows. */
function canvas(color: Color, random: RandomInteger): Uint8Array {
  const pixels = new Uint8Array(SIZE * SIZE * 3);
  fillWhere(pixels, color, () => true);
  for (let i = 0; i < 40; i++) pixels[random(0, pixels.length - 1)] = random(0, 255);
  return pixels;
}

function drawDoor(pixels: Uint8Array, locked: boolean, random: RandomInteger): void {
  const x1 = 10 + random(-10, 9);
  const y1 = 10 + random(-10, 9);
  const end = 50 + random(-10, 9);
  fillBox(pixels, BROWN, x1, y1, end - x1, end - y1);
  if (locked) fillBox(pixels, BLUE, x1, Math.floor((y1 + end) / 2), 10, 10);
}

function drawPerson(pixels: Uint8Array, shirt: ColorName, random: RandomInteger): Labels {
  const radius = 6;
  const head = { x: 30 + random(-4, 3), y: 10 + random(-4, 3), color: COLORS[pick(COLOR_NAMES, random)] };
  fillCircle(pixels, head.color, head.x, head.y, radius);
  const body = {
    x: head.x - radius + random(-2, 1),
    y: head.y + radius + random(-2, 1),
    width: 12 + random(-2, 1),
    height: 30 + random(-2, 1),
  };
  fillBox(pixels, COLORS[shirt], body.x, body.y, body.width, body.height);
  return {
    face_x1: head.x - radius,
    face_y1: head.y - radius,
    face_w: 2 * radius,
    face_h: 2 * radius,
    facial_characteristics: characteristicsOf(head.color),
    body_x1: body.x,
    body_y1: body.y,
    body_w: body.width,
    body_h: body.height,
    shirt_type: shirt,
  };
}

/** The primary colours that a colour is mixed of; black is labelled with none of them. */
function characteristicsOf(color: Color): string {
  const names = ["red", "green", "blue"].filter((_, channel) => color[channel] === 255);
  return names.length === 0 ? "none" : names.join(",");
}

/** Fills the pixels x…x + width − 1 of the rows y…y + height − 1. */
function fillBox(pixels: Uint8Array, color: Color, x: number, y: number, width: number, height: number): void {
  fillWhere(pixels, color, (px, py) => px > x && px < x + width && py > y && py < y + height);
}

/** Fills a circle around a pixel's upper left corner, so that its box has a side of exactly 2 × radius pixels. */
function fillCircle(pixels: Uint8Array, color: Color, x: number, y: number, radius: number): void {
  fillWhere(pixels, color, (px, py) => (px - x) ** 2 + (py - y) ** 2 <= radius ** 2);
}

/** Fills the pixels whose centre (x + ½, y + ½) lies inside. */
function fillWhere(pixels: Uint8Array, color: Color, inside: (x: number, y: number) => boolean): void {
  for (let y = 0; y < SIZE; y++) {
    for (let x = 0; x < SIZE; x++) {
      if (inside(x + 0.5, y + 0.5)) pixels.set(color, (y * SIZE + x) * 3);
    }
  }
}

function pick<T>(values: readonly T[], random: RandomInteger): T {
  return values[random(0, values.length - 1)] as T;
}

export interface GenerateOptions {
  /** Number of pictures; default 3000. */
  readonly count?: number;
  /** Pictures and labels are a function of it; default 7. */
  readonly seed?: number;
  readonly onProgress?: (done: number, count: number) => void;
}

// enough pictures in flight to keep every encoder thread busy
const CHUNK = 64;

/**
 * Writes images/00000.png … and labels.csv into `dir`. The table comes last and under a temporary name first, so a
 * folder with a table has all its pictures.
 */
export async function generateDataset(dir: string, options: GenerateOptions = {}): Promise<void> {
  const { count = 3000, seed = 7, onProgress } = options;
  const random = seededIntegers(seed);
  await mkdir(path.join(dir, "images"), { recursive: true });
  const lines = [["img", ...LABEL_COLUMNS].join(",")];
  for (let first = 0; first < count; first += CHUNK) {
    const samples = Array.from({ length: Math.min(CHUNK, count - first) }, () => drawSample(random));
    const files = samples.map((_, i) => `images/${String(first + i).padStart(5, "0")}.png`);
    await Promise.all(samples.map(({ pixels }, i) => writePng(path.join(dir, files[i] as string), pixels)));
    lines.push(...samples.map(({ labels }, i) => tableLine(files[i] as string, labels)));
    onProgress?.(first + samples.length, count);
  }
  const table = path.join(dir, "labels.csv");
  const unfinished = `${table}.${process.pid}.tmp`;
  await writeFile(unfinished, `${lines.join("\n")}\n`);
  await rename(unfinished, table);
}

/** {@link generateDataset}, unless `dir` has its table already. */
export async function ensureDataset(
  dir: string,
  log: (line: string) => void,
  options?: GenerateOptions,
): Promise<void> {
  if (existsSync(path.join(dir, "labels.csv"))) return;
  log(`Drawing the pictures into ${path.join(dir, "images")} …`);
  await generateDataset(dir, options);
}

async function writePng(file: string, pixels: Uint8Array): Promise<void> {
  await sharp(pixels, { raw: { width: SIZE, height: SIZE, channels: 3 } })
    .png()
    .toFile(file);
}

function tableLine(file: string, labels: Labels): string {
  const cells = LABEL_COLUMNS.map((column) => String(labels[column] ?? ""));
  return [file, ...cells.map((cell) => (cell.includes(",") ? `"${cell}"` : cell))].join(",");
}
