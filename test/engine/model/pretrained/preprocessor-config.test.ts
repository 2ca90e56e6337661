/** @file What a preprocessor_config.json says of a picture's size. */
import { describe, expect, test } from "vitest";
import { preprocessorFile, readPictureGeometry } from "../../../../src/engine/model/pretrained/preprocessor-config.js";
import { newFolder, write } from "../../../data/files.js";

describe("a preprocessor_config.json", () => {
  const read = (config: unknown) =>
    readPictureGeometry(write(newFolder(), "preprocessor_config.json", JSON.stringify(config)));

  test.each([
    // ViT
    [
      { do_resize: true, size: { height: 224, width: 224 }, resample: 2 },
      { size: [224, 224], filter: "bilinear" },
    ],
    // DINOv2, CLIP
    [
      { size: { shortest_edge: 256 }, do_center_crop: true, crop_size: { height: 224, width: 224 }, resample: 3 },
      { size: [224, 224], framing: { fit: "crop", resizeTo: 256 }, filter: "bicubic" },
    ],
    // as CLIP was saved before sizes had names
    [
      { size: 224, do_center_crop: true, crop_size: 224 },
      { size: [224, 224], framing: { fit: "crop", resizeTo: 224 } },
    ],
    // ViT of that time
    [{ size: 224 }, { size: [224, 224] }],
    // ConvNeXT, below 384 and above
    [
      { size: { shortest_edge: 224 }, crop_pct: 0.875 },
      { size: [224, 224], framing: { fit: "crop", resizeTo: 256 } },
    ],
    [{ size: { shortest_edge: 384 }, crop_pct: 0.875 }, { size: [384, 384] }],
    // BEiT: squashed, then cut
    [
      { size: { height: 256, width: 256 }, do_center_crop: true, crop_size: { height: 224, width: 224 } },
      { size: [224, 224], framing: { fit: "crop", resizeTo: [256, 256] } },
    ],
  ])("%j", (config, expected) => {
    expect(read(config)).toEqual(expected);
  });

  test.each([
    [{ size: { shortest_edge: 800, longest_edge: 1333 } }, "so that it gives pictures no one size"],
    [{ do_resize: false, size: 224 }, "it resizes nothing"],
    [{ size: { shortest_edge: 224 } }, "fixes the shortest edge alone"],
    [{ size: 224, resample: 5 }, '"resample" is 5; there are 0 (nearest)'],
    [{ size: 0 }, '"size" is wrong'],
    [{}, 'it has no "size"'],
  ])("%j is refused, with what to declare instead", (config, message) => {
    expect(() => read(config)).toThrow(message);
    expect(() => read(config)).toThrow(/image\(\{ size/);
  });

  test("is found beside the model that is named, or by its own path", () => {
    expect(preprocessorFile("/p/vit/model.onnx")).toBe("/p/vit/preprocessor_config.json");
    expect(preprocessorFile("/p/vit/model.json")).toBe("/p/vit/preprocessor_config.json");
    expect(preprocessorFile("/p/vit/preprocessor_config.json")).toBe("/p/vit/preprocessor_config.json");
    expect(preprocessorFile("/p/vit/processor.json")).toBe("/p/vit/processor.json");
    const folder = newFolder();
    expect(preprocessorFile(folder)).toBe(`${folder}/preprocessor_config.json`);
  });
});
