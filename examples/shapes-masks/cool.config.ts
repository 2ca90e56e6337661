/** @file Shapes, pixel by pixel: of what shape each pixel is, whether that has stripes, and how high it stands. */
import { binary, classification, defineProject, defineTasks, image, mapFeatures, regression, unet } from "dnn-cool";
import { ensurePictures, HEIGHT_UNIT, SHAPES, SIZE } from "./generate.js";

const tasks = defineTasks({
  features: ["picture", "pixels"],
  tasks: {
    occupied: binary(),
    // most pixels are ground: by its overlap a small shape counts as much as a large one
    shape: classification({ per: "pixel", classes: SHAPES, loss: "dice-cross-entropy" }),
    striped: binary({ per: "pixel" }),
    height: regression({ per: "pixel", pixelUnit: HEIGHT_UNIT }),
  },
}).flow("scene", (flow, x, out) => {
  out.add(flow.occupied(x.picture));
  // of every pixel of a picture that has any shape
  out.add(flow.shape(x.pixels).given(out.occupied));
  // of every pixel of a shape
  out.add(flow.striped(x.pixels).given(out.shape.is("ground").not()));
  out.add(flow.height(x.pixels).given(out.shape.is("ground").not()));
});

export default defineProject({
  name: "shapes-masks",
  tasks,
  flow: "scene",
  data: {
    prepare: ({ projectDir, log }) => ensurePictures(projectDir, log),
    table: "shapes.csv",
    inputs: { picture: image({ column: "picture", size: [SIZE, SIZE] }) },
    split: { train: 0.8, valid: 0.1, test: 0.1, seed: 7 },
  },
  trunk: ({ picture }, layers) => {
    const pixels = unet({ depth: 2, filters: 8 })(picture, layers);
    return { pixels, picture: mapFeatures({ pool: "max" })(pixels, layers) };
  },
  train: {
    epochs: 12,
    batchSize: 4,
    optimizer: { kind: "adamw", learningRate: 1e-2 },
    schedule: { kind: "cosine" },
  },
});
