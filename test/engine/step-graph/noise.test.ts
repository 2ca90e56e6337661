/** @file Random layers with their noise taken from outside compute what they do by themselves. */
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { beforeAll, describe, expect, test } from "vitest";
import { openBackend } from "../../../src/engine/backends/choose.js";
import { type Layer, withInnerLayers } from "../../../src/engine/model/layer-graph.js";
import { withSeededRandom } from "../../../src/engine/model/seeded.js";
import { type Noise, whileNoiseIsPlaced } from "../../../src/engine/step-graph/noise.js";
import { UntraceableError } from "../../../src/engine/step-graph/untraceable.js";

beforeAll(() => openBackend("cpu"));

const make = tfl.layers;
const layers: Readonly<Record<string, () => Layer>> = {
  dropout: () => make.dropout({ rate: 0.4 }),
  "dropout with a seed of its own": () => make.dropout({ rate: 0.4, seed: 3 }),
  "dropout of nothing": () => make.dropout({ rate: 0 }),
  spatialDropout1d: () => make.spatialDropout1d({ rate: 0.5 }),
  gaussianNoise: () => make.gaussianNoise({ stddev: 0.3 }),
  gaussianDropout: () => make.gaussianDropout({ rate: 0.3 }),
  alphaDropout: () => make.alphaDropout({ rate: 0.3 }),
  "lstm with dropout": () => make.lstm({ units: 3, dropout: 0.3, recurrentDropout: 0.2 }) as Layer,
};

function outputs(layer: Layer, x: tf.Tensor, training: boolean): number[] {
  return withSeededRandom("same", () => tf.tidy(() => [...(layer.apply(x, { training }) as tf.Tensor).dataSync()]));
}

describe("a layer whose noise is placed", () => {
  test.each(Object.entries(layers))("%s", (_, build) => {
    const layer = build();
    const x = tf.tensor3d(
      Float32Array.from({ length: 2 * 4 * 5 }, (_value, i) => Math.sin(i + 1)),
      [2, 4, 5],
    );
    // its weights are drawn here
    outputs(layer, x, false);
    const before = outputs(layer, x, true);
    const noises: Noise[] = [];
    const place = (noise: Noise): tf.Tensor => {
      noises.push(noise);
      return tf.tensor(noise.draw(), [...noise.shape]);
    };
    const placed = whileNoiseIsPlaced(withInnerLayers([layer]), place, () => outputs(layer, x, true));
    expect(placed).toEqual(before);
    // what is left of it draws again, and inference draws nothing
    expect(outputs(layer, x, true)).toEqual(before);
    const drawn = noises.length;
    whileNoiseIsPlaced(withInnerLayers([layer]), place, () => outputs(layer, x, false));
    expect(noises.length).toBe(drawn);
  });

  test("that draws by itself is refused", () => {
    const work = (): number => Math.random();
    expect(() => whileNoiseIsPlaced([], () => tf.scalar(0), work)).toThrow(UntraceableError);
  });
});
