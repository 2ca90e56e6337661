/** @file Small data to begin with, made up: pictures, texts or numbers, each with a question that hangs on another. */
import { createRandom, type Random } from "../data/rng.js";
import type { NewFile } from "./project-files.js";

export const TEMPLATES = ["images", "tokens", "table"] as const;
export type Template = (typeof TEMPLATES)[number];

/** Columns of text, empty where there is no answer, and the files that they name. */
export interface TemplateData {
  readonly columns: ReadonlyMap<string, readonly string[]>;
  readonly files: readonly NewFile[];
}

const SEED = 7;

/** The same every time. */
export async function templateData(template: Template): Promise<TemplateData> {
  const random = createRandom(SEED);
  switch (template) {
    case "images":
      return shapes(random);
    case "tokens":
      return { columns: messages(random), files: [] };
    case "table":
      return { columns: machines(random), files: [] };
    default:
      return template satisfies never;
  }
}

const pick = <Item extends string>(random: Random, items: readonly [Item, ...Item[]]): Item =>
  items[random.int(items.length)] ?? items[0];
const chance = (random: Random, share: number): boolean => random.next() < share;

type Rows = readonly Readonly<Record<string, string | number | boolean | null>>[];

function columnsOf(rows: Rows): ReadonlyMap<string, readonly string[]> {
  const names = Object.keys(rows[0] ?? {});
  const text = (cell: string | number | boolean | null | undefined): string =>
    typeof cell === "boolean" ? String(Number(cell)) : String(cell ?? "");
  return new Map(names.map((name) => [name, rows.map((row) => text(row[name]))]));
}

const PICTURES = 240;
export const PICTURE_SIDE = 48;
const COLOURS = { red: [205, 60, 55], green: [70, 160, 80], blue: [60, 95, 200] } as const;

/** A disc or a square somewhere on a noisy ground, or nothing. */
async function shapes(random: Random): Promise<TemplateData> {
  const { default: sharp } = await import("sharp");
  const rows = [];
  const files: NewFile[] = [];
  for (let i = 0; i < PICTURES; i++) {
    const path = `images/${String(i).padStart(3, "0")}.png`;
    const present = chance(random, 0.7);
    const [shape, colour] = [pick(random, ["disc", "square"]), pick(random, ["red", "green", "blue"])];
    const size = 12 + Math.floor(random.next() * 17);
    const place = () => Math.floor(random.next() * (PICTURE_SIDE - size + 1));
    const [x, y] = [place(), place()];
    const pixels = draw(random, (column, row) => {
      if (!present) return null;
      const [dx, dy] = [(column - x + 0.5) / size - 0.5, (row - y + 0.5) / size - 0.5];
      const isInside = shape === "disc" ? dx * dx + dy * dy <= 0.25 : Math.abs(dx) <= 0.5 && Math.abs(dy) <= 0.5;
      return isInside ? COLOURS[colour] : null;
    });
    const raw = { width: PICTURE_SIDE, height: PICTURE_SIDE, channels: 3 } as const;
    files.push({ path, content: await sharp(pixels, { raw }).png().toBuffer(), where: "refuse" });
    const seen = present
      ? { shape, colour, x, y, w: size, h: size }
      : { shape: null, colour: null, x: null, y: null, w: null, h: null };
    rows.push({ img: path, present, ...seen });
  }
  return { columns: columnsOf(rows), files };
}

/** @param colourAt of a pixel; null: the ground */
function draw(random: Random, colourAt: (x: number, y: number) => readonly number[] | null): Uint8Array {
  const pixels = new Uint8Array(PICTURE_SIDE * PICTURE_SIDE * 3);
  const ground = 150 + 60 * random.next();
  for (let at = 0; at < pixels.length / 3; at++) {
    const colour = colourAt(at % PICTURE_SIDE, Math.floor(at / PICTURE_SIDE)) ?? [ground, ground, ground];
    const noise = 24 * (random.next() - 0.5);
    colour.forEach((value, channel) => {
      pixels[3 * at + channel] = Math.max(0, Math.min(255, value + noise));
    });
  }
  return pixels;
}

const ROWS = 400;

/** Messages to a shop: is something asked for, what is it about, is it urgent. */
function messages(random: Random): TemplateData["columns"] {
  const objects = {
    delivery: ["parcel", "courier", "shipment", "address"],
    payment: ["invoice", "refund", "card", "receipt"],
    product: ["lamp", "chair", "screen", "kettle"],
  } as const;
  return columnsOf(
    Array.from({ length: ROWS }, () => {
      const isRequest = chance(random, 0.6);
      const topic = pick(random, ["delivery", "payment", "product"]);
      const object = pick(random, [...objects[topic]] as [string, ...string[]]);
      const isUrgent = chance(random, 0.35);
      const text = isRequest
        ? `${pick(random, ["please", "could you", "can you please"])} ${pick(random, ["check", "send", "look at", "tell me about"])} my ${object} ${isUrgent ? pick(random, ["today", "right now", "at once"]) : pick(random, ["this month", "when you can", "some time"])}`
        : `${pick(random, ["thanks for", "i like", "we got"])} the ${object} ${pick(random, ["very much", "you sent", "last week"])}`;
      return { text, request: isRequest, topic: isRequest ? topic : null, urgent: isRequest ? isUrgent : null };
    }),
  );
}

/** Readings of machines: is one faulty, of what kind is the fault, how many hours does it take. */
function machines(random: Random): TemplateData["columns"] {
  const normal = () => Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
  return columnsOf(
    Array.from({ length: ROWS }, () => {
      const model = pick(random, ["A", "B", "C"]);
      const age = Math.floor(random.next() * 120);
      const fault = pick(random, ["bearing", "heat"]);
      const isFaulty = chance(random, 0.2 + age / 240);
      const temperature = 60 + 4 * normal() + (isFaulty && fault === "heat" ? 18 : 0) + (model === "C" ? 5 : 0);
      const vibration = Math.abs(2 + 0.4 * normal() + (isFaulty && fault === "bearing" ? 2.5 : 0));
      const hours = Math.max(1, Math.round(3 + age / 12 + (fault === "bearing" ? 4 : 0) + normal()));
      return {
        model,
        age_months: age,
        temperature: temperature.toFixed(1),
        vibration: vibration.toFixed(2),
        faulty: isFaulty,
        fault: isFaulty ? fault : null,
        repair_hours: isFaulty ? hours : null,
      };
    }),
  );
}
