/** @file Pictures of samples as a report holds them: small, each once, and no more of them than there is room for. */
import { readImageFile } from "../data/inputs/images.js";
import type { SamplePicture as FoundPicture } from "../logging/panels/picture.js";
import { type Allowance, type LeftOut, PICTURE_SIDE } from "./budget.js";
import type { SamplePicture } from "./document.js";

/** A file that is gone is told as such. */
export async function pictureOf(found: FoundPicture, room: Allowance, leftOut: LeftOut): Promise<SamplePicture> {
  switch (found.kind) {
    case "text":
      return { kind: "text", text: found.text.slice(0, 400) };
    case "missing":
      return { kind: "missing", reason: found.reason };
    case "pixels":
      return { kind: "missing", reason: "is no file" };
    case "file": {
      const file = await readImageFile(found.path);
      if (!file.ok) return { kind: "missing", reason: file.reason === "is not found" ? "is gone" : file.reason };
      return small(file.value, room, leftOut);
    }
    default:
      return found satisfies never;
  }
}

async function small(bytes: Uint8Array, room: Allowance, leftOut: LeftOut): Promise<SamplePicture> {
  const { default: sharp } = await import("sharp");
  try {
    const { data, info } = await sharp(bytes, { failOn: "error" })
      .autoOrient()
      .flatten({ background: "white" })
      .resize(PICTURE_SIDE, PICTURE_SIDE, { fit: "inside", withoutEnlargement: true })
      .webp({ quality: 78 })
      .toBuffer({ resolveWithObject: true });
    if (!room.take(data.length)) {
      leftOut.say("Pictures beyond 3 MB are left out.");
      return { kind: "missing", reason: "is left out: the report has no room for more" };
    }
    return {
      kind: "picture",
      uri: `data:image/webp;base64,${data.toString("base64")}`,
      width: info.width,
      height: info.height,
    };
  } catch {
    return { kind: "missing", reason: "is damaged or no image" };
  }
}
