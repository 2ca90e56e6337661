/** @file A trunk of a saved model needs no `as`, and slips in its options do not compile; checked by the compiler alone. */
import { binary, defineProject, defineTasks, image, pretrained, sequential } from "dnn-cool";

const tasks = defineTasks({ features: ["pooled", "map"], tasks: { animal: binary(), left: binary() } }).flow(
  "all",
  (flow, x, out) => {
    out.add(flow.animal(x.pooled));
    out.add(flow.left(x.map));
  },
);

export default defineProject({
  name: "animals",
  tasks,
  flow: "all",
  data: { table: "labels.csv", inputs: { image: image({ column: "img", size: [224, 224] }) } },
  trunk: ({ image }, layers) => {
    const map = pretrained({ model: "mobilenet", output: "conv_pw_13_relu", input: { range: [-1, 1] } })(image, layers);
    return {
      pooled: sequential([layers.globalAveragePooling2d({})])(map, layers),
      map: sequential([layers.flatten()])(map, layers),
    };
  },
  train: { featureCache: { precision: "float16", views: 4 } },
});

export const choices = [
  pretrained({ model: "m" }),
  pretrained({ model: "m", freeze: false, batchNormalization: "train" }),
  pretrained({ model: "m", freeze: ["conv1", "block_1_*"] }),
  pretrained({ model: "m", freeze: { upTo: "conv_pw_6_relu" }, input: "preprocessor_config.json" }),
  pretrained({ model: "m", freeze: { depth: 3 }, input: { mean: [0.5, 0.5, 0.5], std: 0.5, channels: "bgr" } }),
  // @ts-expect-error no such option
  pretrained({ model: "m", frozen: true }),
  // @ts-expect-error a model is named
  pretrained({}),
  // @ts-expect-error one place or the other
  pretrained({ model: "m", freeze: { upTo: "conv1", depth: 3 } }),
  // @ts-expect-error black and white
  pretrained({ model: "m", input: { range: [0, 1, 2] } }),
];
