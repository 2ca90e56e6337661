/** @file Layers that take padding out of sequences, by hand-computed values. */
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { beforeAll, describe, expect, test } from "vitest";
import { openBackend } from "../../../src/engine/backends/choose.js";
import { maskPadding, poolTokens } from "../../../src/engine/model/token-layers.js";

// two tokens, one, none; two numbers at each of three places
const IDS = [
  [4, 1, 0],
  [2, 0, 0],
  [0, 0, 0],
];
const NUMBERS = [
  [
    [-1, 2],
    [-3, 6],
    [50, 50],
  ],
  [
    [-7, 0.5],
    [90, 90],
    [90, 90],
  ],
  [
    [8, 8],
    [8, 8],
    [8, 8],
  ],
];

/** What layers between the two inputs compute, as they are and after the model has been saved and opened. */
async function outputsOf(
  build: (numbers: tfl.SymbolicTensor, ids: tfl.SymbolicTensor) => tfl.SymbolicTensor,
): Promise<unknown[]> {
  const [numbers, ids] = [tfl.input({ shape: [null, 2] }), tfl.input({ shape: [null] })];
  const model = tfl.model({ inputs: [numbers, ids], outputs: build(numbers, ids) });
  const opened = await tfl.models.modelFromJSON(JSON.parse(model.toJSON() as string));
  const outputs = [model, opened].map((each) =>
    tf.tidy(() => (each.apply([tf.tensor3d(NUMBERS), tf.tensor2d(IDS)]) as tf.Tensor).arraySync()),
  );
  model.dispose();
  opened.dispose();
  return outputs;
}

describe.each(["cpu", "wasm"] as const)("on %s", (backend) => {
  beforeAll(async () => {
    await openBackend(backend);
  });

  test("padding is zero after maskPadding, and tokens are as they were", async () => {
    const outputs = await outputsOf((numbers, ids) => maskPadding(tfl.layers, numbers, ids));
    const zero = [0, 0];
    const expected = [
      [[-1, 2], [-3, 6], zero],
      [[-7, 0.5], zero, zero],
      [zero, zero, zero],
    ];
    expect(outputs).toEqual([expected, expected]);
  });

  test("the average and the maximum of a row are those of its tokens, zeros where it has none", async () => {
    const averages = [
      [-2, 4],
      [-7, 0.5],
      [0, 0],
    ];
    expect(await outputsOf((numbers, ids) => poolTokens(tfl.layers, numbers, ids))).toEqual([averages, averages]);
    const largest = [
      [-1, 6],
      [-7, 0.5],
      // −1e9 × 0
      [expect.closeTo(0), expect.closeTo(0)],
    ];
    expect(await outputsOf((numbers, ids) => poolTokens(tfl.layers, numbers, ids, "max"))).toEqual([largest, largest]);
  });
});
