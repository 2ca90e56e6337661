/** @file A small PNG is decoded here to the bytes that libvips decodes it to, or left to it. */
import { crc32, deflateSync } from "node:zlib";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { decodePlainPng } from "../../../src/data/inputs/plain-png.js";

const [WIDTH, HEIGHT] = [23, 17];
const RGB = { width: WIDTH, height: HEIGHT, channels: 3 } as const;
const GREY = { ...RGB, channels: 1 } as const;

/** Bytes without a pattern, of so many a line. */
function noise(width: number, height: number): Uint8Array {
  return Uint8Array.from({ length: width * height }, (_, i) => Math.imul(i + 1, 2_654_435_761) >>> 24);
}

/** As libvips has it. */
function decoded(file: Buffer, colours: "srgb" | "b-w"): Promise<Buffer> {
  return sharp(file).flatten({ background: "white" }).toColourspace(colours).raw({ depth: "uchar" }).toBuffer();
}

const HEADERS = { grey: 0, rgb: 2, palette: 3, greyAlpha: 4, rgba: 6 } as const;

/** A file of given lines, each with its filter byte. */
function png(lines: Uint8Array, header: Partial<Record<"depth" | "colour" | "interlace", number>> = {}): Buffer {
  const head = Buffer.alloc(13);
  head.writeUInt32BE(WIDTH, 0);
  head.writeUInt32BE(HEIGHT, 4);
  head.set([header.depth ?? 8, header.colour ?? HEADERS.rgb, 0, 0, header.interlace ?? 0], 8);
  const data = deflateSync(lines);
  // in two pieces, as large files have it
  return Buffer.concat([
    Buffer.from("89504e470d0a1a0a", "hex"),
    chunk("IHDR", head),
    chunk("IDAT", data.subarray(0, 20)),
    chunk("IDAT", data.subarray(20)),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

function chunk(kind: string, body: Uint8Array): Buffer {
  const out = Buffer.alloc(12 + body.length);
  out.writeUInt32BE(body.length, 0);
  out.write(kind, 4, "latin1");
  out.set(body, 8);
  out.writeUInt32BE(crc32(out.subarray(4, 8 + body.length)), 8 + body.length);
  return out;
}

/** Noise with the same filter in every line, or all of them in turn. */
function lines(filter: number | "all", channels: number): Uint8Array {
  const stride = WIDTH * channels;
  const all = noise(stride + 1, HEIGHT);
  for (let y = 0; y < HEIGHT; y++) all[y * (stride + 1)] = filter === "all" ? y % 5 : filter;
  return all;
}

describe("decodePlainPng", () => {
  it.each([0, 1, 2, 3, 4, "all"] as const)("undoes filter %s as libvips does", async (filter) => {
    const file = png(lines(filter, 3));
    expect(Buffer.from(decodePlainPng(file, RGB) ?? [])).toEqual(await decoded(file, "srgb"));
    const grey = png(lines(filter, 1), { colour: HEADERS.grey });
    expect(Buffer.from(decodePlainPng(grey, GREY) ?? [])).toEqual(await decoded(grey, "b-w"));
    expect(Buffer.from(decodePlainPng(grey, RGB) ?? [])).toEqual(await decoded(grey, "srgb"));
  });

  it.each([1, 6, 9])("decodes what sharp writes with compression %i", async (compressionLevel) => {
    const raw = { raw: { width: WIDTH, height: HEIGHT, channels: 3 as const } };
    const pixels = noise(3 * WIDTH, HEIGHT);
    const file = await sharp(pixels, raw).png({ compressionLevel, adaptiveFiltering: true }).toBuffer();
    expect(Buffer.from(decodePlainPng(file, RGB) ?? [])).toEqual(Buffer.from(pixels));
  });

  it("leaves to the library what is more than samples of 8 bits, of another size, or broken", async () => {
    const good = png(lines("all", 3));
    expect(decodePlainPng(good, RGB)).not.toBeNull();
    const picture = sharp(good);
    const others: readonly Buffer[] = [
      png(lines(0, 6), { depth: 16 }),
      png(lines(0, 3), { interlace: 1 }),
      await picture.clone().png({ palette: true }).toBuffer(),
      await picture.clone().ensureAlpha(0.5).png().toBuffer(),
      await picture.clone().withIccProfile("p3").png().toBuffer(),
      await picture.clone().withMetadata({ orientation: 6 }).png().toBuffer(),
      await picture.clone().jpeg().toBuffer(),
      png(lines(7, 3)),
      png(lines(0, 3).subarray(1)),
      Buffer.from(good.with(good.length - 30, 255 - (good[good.length - 30] ?? 0))),
    ];
    for (const file of others) expect(decodePlainPng(file, RGB)).toBeNull();
    for (let length = 0; length < good.length; length += 7) {
      expect(decodePlainPng(good.subarray(0, length), RGB)).toBeNull();
    }
    expect(decodePlainPng(good, { ...RGB, width: HEIGHT, height: WIDTH })).toBeNull();
    // colours to grey is a formula of the library's
    expect(decodePlainPng(good, GREY)).toBeNull();
  });
});
