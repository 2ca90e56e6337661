/** @file A door camera: is its view blocked, is the door open or locked, who is there and where. */
import {
  binary,
  boundedRegression,
  classification,
  defineProject,
  defineTasks,
  image,
  multilabel,
  type SymbolicTensor,
} from "dnn-cool";
import { COLOR_NAMES, ensureDataset, SIZE } from "./generate.js";

// a normalized squared error is small beside a cross entropy: 8 pixels off are 0.016
const lossWeight = 20;
const x1 = boundedRegression({ max: SIZE, measures: "x", lossWeight });
const y1 = boundedRegression({ max: SIZE, measures: "y", lossWeight });
const width = boundedRegression({ max: SIZE, measures: "width", lossWeight });
const height = boundedRegression({ max: SIZE, measures: "height", lossWeight });

const tasks = defineTasks({
  features: ["features", "face_localization", "body_localization"],
  tasks: {
    camera_blocked: binary(),
    door_open: binary(),
    door_locked: binary(),
    person_present: binary(),
    face_x1: x1,
    face_y1: y1,
    face_w: width,
    face_h: height,
    facial_characteristics: multilabel({ labels: ["red", "green", "blue"] }),
    body_x1: x1,
    body_y1: y1,
    body_w: width,
    body_h: height,
    shirt_type: classification({ classes: COLOR_NAMES }),
  },
})
  .flow("face_regression", (flow, x, out) => {
    out.add(flow.face_x1(x.face_localization));
    out.add(flow.face_y1(x.face_localization));
    out.add(flow.face_w(x.face_localization));
    out.add(flow.face_h(x.face_localization));
    out.add(flow.facial_characteristics(x.features));
  })
  .flow("body_regression", (flow, x, out) => {
    out.add(flow.body_x1(x.body_localization));
    out.add(flow.body_y1(x.body_localization));
    out.add(flow.body_w(x.body_localization));
    out.add(flow.body_h(x.body_localization));
    out.add(flow.shirt_type(x.features));
  })
  .flow("person_regression", (flow, x, out) => {
    out.add(flow.face_regression(x));
    out.add(flow.body_regression(x));
  })
  .flow("full_flow", (flow, x, out) => {
    out.add(flow.camera_blocked(x.features));
    out.add(flow.door_open(x.features).given(out.camera_blocked.not()));
    out.add(flow.door_locked(x.features).given(out.door_open.not()));
    out.add(flow.person_present(x.features).given(out.door_open));
    out.add(flow.person_regression(x).given(out.person_present));
  });

export default defineProject({
  name: "home-security",
  tasks,
  flow: "full_flow",
  data: {
    prepare: ({ projectDir, log }) => ensureDataset(projectDir, log),
    table: "labels.csv",
    inputs: { image: image({ column: "img", size: [SIZE, SIZE] }) },
    split: { train: 0.8, valid: 0.1, test: 0.1, seed: 7 },
  },
  trunk: ({ image }, layers) => {
    const conv = (input: SymbolicTensor, filters: number) =>
      layers
        .conv2d({ filters, kernelSize: 3, strides: 2, padding: "same", activation: "relu" })
        .apply(input) as SymbolicTensor;
    const dense = (input: SymbolicTensor, units: number) =>
      layers.dense({ units, activation: "relu" }).apply(input) as SymbolicTensor;

    // 64 × 64 × 3 → 8 × 8 × 64; flattened, not pooled: where something is matters
    const common = layers.flatten().apply(conv(conv(conv(image, 16), 32), 64)) as SymbolicTensor;
    return {
      features: dense(common, 64),
      face_localization: dense(common, 64),
      body_localization: dense(common, 64),
    };
  },
  train: {
    epochs: 12,
    batchSize: 32,
    optimizer: { kind: "adamw", learningRate: 1e-3, weightDecay: 1e-4 },
    reduceOnPlateau: { factor: 0.5, patience: 1 },
  },
});
