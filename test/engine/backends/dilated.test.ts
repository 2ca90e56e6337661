/** @file Dilated convolutions train: gradients of layers against finite differences, whatever their activation. */
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { beforeAll, describe, expect, test } from "vitest";
import { openBackend } from "../../../src/engine/backends/choose.js";
import { trainDilated } from "../../../src/engine/backends/dilated.js";
import { setWeight, valuesOf } from "../../support/small-project.js";

const PLACE = { kernelSize: 3, dilationRate: 2 } as const;
const LAYERS = {
  "conv2d, linear": () => tfl.layers.conv2d({ ...PLACE, filters: 3, padding: "same" }),
  "conv2d, tanh, valid": () => tfl.layers.conv2d({ ...PLACE, filters: 2, activation: "tanh" }),
  "conv2d, elu, without bias": () => tfl.layers.conv2d({ ...PLACE, filters: 2, activation: "elu", useBias: false }),
  "conv2d, two rates": () =>
    tfl.layers.conv2d({ filters: 2, kernelSize: [3, 2], dilationRate: [1, 3], activation: "sigmoid", padding: "same" }),
  depthwiseConv2d: () => tfl.layers.depthwiseConv2d({ ...PLACE, depthMultiplier: 2, padding: "same" }),
  separableConv2d: () => tfl.layers.separableConv2d({ ...PLACE, filters: 2 }),
  conv1d: () => tfl.layers.conv1d({ ...PLACE, filters: 2, padding: "same", activation: "tanh" }),
} as const satisfies Readonly<Record<string, () => tfl.layers.Layer>>;

describe.each(["cpu", "wasm"] as const)("on %s", (backend) => {
  beforeAll(async () => {
    await openBackend(backend);
  });

  test.each(Object.entries(LAYERS))("%s", (name, make) => {
    const shape = name.startsWith("conv1d") ? [7, 2] : [7, 6, 2];
    const input = tfl.input({ shape });
    const first = tfl.layers.dense({ units: 2, activation: "tanh" }).apply(input);
    const model = tfl.model({ inputs: input, outputs: make().apply(first) as tfl.SymbolicTensor });
    trainDilated(model.layers);
    const x = tf.tidy(() => tf.randomNormal([2, ...shape], 0, 1, "float32", 5));
    const objective = () => tf.mean(tf.square(model.apply(x) as tf.Tensor)) as tf.Scalar;
    try {
      const variables = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
      const { grads } = tf.variableGrads(objective, variables);
      for (const variable of variables) {
        const weights = valuesOf(variable as tf.Tensor);
        const gradient = valuesOf(grads[variable.name] as tf.Tensor);
        for (let i = 0; i < weights.length; i += Math.max(1, Math.floor(weights.length / 9))) {
          const [above, below] = [1e-2, -1e-2].map((change) => {
            setWeight(variable, weights.with(i, (weights[i] as number) + change));
            return tf.tidy(() => objective().dataSync()[0] as number);
          }) as [number, number];
          setWeight(variable, weights);
          expect(gradient[i], `${variable.name} ${i}`).toBeCloseTo((above - below) / 2e-2, 3);
        }
      }
    } finally {
      x.dispose();
      model.dispose();
    }
  });

  test("answers are those of the layer as it was", () => {
    const make = () => {
      const input = tfl.input({ shape: [7, 6, 2] });
      const layer = tfl.layers.conv2d({ ...PLACE, filters: 3, activation: "tanh", biasInitializer: "ones" });
      return tfl.model({ inputs: input, outputs: layer.apply(input) as tfl.SymbolicTensor });
    };
    const [stock, ours] = [make(), make()];
    trainDilated(ours.layers);
    tf.tidy(() => {
      ours.setWeights(stock.getWeights());
      const x = tf.randomNormal([2, 7, 6, 2]);
      const [expected, found] = [stock, ours].map((model) => valuesOf(model.apply(x) as tf.Tensor));
      found?.forEach((value, i) => {
        expect(value).toBeCloseTo(expected?.[i] as number, 5);
      });
    });
  });
});
