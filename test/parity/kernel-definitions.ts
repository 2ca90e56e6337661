/** @file The gradient kernels of a backend against their definitions, written here as float64 loops. */
import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";

/** Numbers in (-1, 1) that look random and are the same everywhere. */
function numbers(shape: readonly number[], seed: number): tf.Tensor {
  const count = shape.reduce((product, size) => product * size, 1);
  const values = Float32Array.from({ length: count }, (_, i) => Math.sin((i + 1) * 12.9898 + seed * 78.233) % 1);
  return tf.tensor(values, [...shape]);
}

function expectClose(actual: tf.Tensor, expected: Float64Array, tolerance = 5e-6): void {
  const values = actual.dataSync();
  expect(values.length).toBe(expected.length);
  const scale = Math.max(...expected.map(Math.abs));
  const worst = expected.reduce((max, value, i) => Math.max(max, Math.abs(value - (values[i] as number))), 0);
  expect(worst / scale).toBeLessThan(tolerance);
}

type Padding = "same" | "valid" | [number, number];

interface Window {
  readonly kernel: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly dilations?: readonly [number, number];
  readonly padding: Padding;
}

interface Axis {
  readonly pad: number;
  readonly outSize: number;
}

/** TensorFlow's padding rule, from its documentation of `tf.nn`. */
function axisOf(inSize: number, window: Window, axis: 0 | 1): Axis {
  const stride = window.strides[axis];
  const taps = (window.kernel[axis] - 1) * (window.dilations?.[axis] ?? 1) + 1;
  if (window.padding === "same") {
    const outSize = Math.ceil(inSize / stride);
    return { outSize, pad: Math.floor(Math.max(0, (outSize - 1) * stride + taps - inSize) / 2) };
  }
  const pad = window.padding === "valid" ? 0 : window.padding[axis];
  return { pad, outSize: Math.floor((inSize + 2 * pad - taps) / stride) + 1 };
}

/** Every (input pixel, tap, output pixel) that meet, as flat pixel indices. */
function forEachMeeting(
  [batch, height, width]: readonly number[],
  window: Window,
  visit: (pixel: number, tap: number, output: number) => void,
): void {
  const [rows, columns] = [axisOf(height as number, window, 0), axisOf(width as number, window, 1)];
  const [dilationHeight, dilationWidth] = window.dilations ?? [1, 1];
  for (let b = 0; b < (batch as number); b++)
    for (let i = 0; i < rows.outSize; i++)
      for (let j = 0; j < columns.outSize; j++)
        for (let k = 0; k < window.kernel[0]; k++)
          for (let l = 0; l < window.kernel[1]; l++) {
            const row = i * window.strides[0] + k * dilationHeight - rows.pad;
            const column = j * window.strides[1] + l * dilationWidth - columns.pad;
            if (row < 0 || column < 0 || row >= (height as number) || column >= (width as number)) continue;
            const pixel = (b * (height as number) + row) * (width as number) + column;
            visit(pixel, k * window.kernel[1] + l, (b * rows.outSize + i) * columns.outSize + j);
          }
}

function outputShape([batch, height, width]: readonly number[], window: Window, channels: number): number[] {
  return [
    batch as number,
    axisOf(height as number, window, 0).outSize,
    axisOf(width as number, window, 1).outSize,
    channels,
  ];
}

/** Padding as tfjs takes it. */
function tfjsPad(padding: Padding): "same" | "valid" | tf.backend_util.ExplicitPadding {
  if (typeof padding === "string") return padding;
  const [rows, columns] = padding;
  return [
    [0, 0],
    [rows, rows],
    [columns, columns],
    [0, 0],
  ];
}

const windows: readonly Window[] = [
  { kernel: [3, 3], strides: [1, 1], padding: "same" },
  { kernel: [3, 3], strides: [2, 2], padding: "same" },
  { kernel: [3, 3], strides: [2, 2], padding: "valid" },
  { kernel: [2, 2], strides: [2, 2], padding: "valid" },
  { kernel: [4, 2], strides: [1, 2], padding: "same" },
  { kernel: [5, 3], strides: [3, 2], padding: "same" },
  { kernel: [1, 1], strides: [1, 1], padding: "valid" },
  { kernel: [1, 1], strides: [2, 2], padding: "same" },
  { kernel: [1, 3], strides: [3, 1], padding: "valid" },
  { kernel: [3, 3], strides: [2, 2], padding: [1, 1] },
  { kernel: [3, 3], strides: [1, 1], padding: [2, 1] },
  { kernel: [2, 2], strides: [1, 1], padding: [3, 2] },
  { kernel: [3, 3], strides: [1, 1], dilations: [2, 2], padding: "same" },
  { kernel: [3, 2], strides: [1, 1], dilations: [1, 3], padding: "valid" },
];
const named = windows.map((window) => [JSON.stringify(window), window] as const);
/** Odd and even sizes, so that strides leave a remainder. */
const imageSizes = [
  [3, 7, 8],
  [2, 9, 6],
] as const;

function sumByDefinition(x: tf.Tensor, axes: readonly number[]): Float64Array {
  const strides = tf.util.computeStrides(x.shape).concat(1);
  const kept = x.shape.map((_, i) => i).filter((i) => !axes.includes(i));
  const out = new Float64Array(kept.reduce((product, i) => product * (x.shape[i] as number), 1));
  x.dataSync().forEach((value, flat) => {
    const at = kept.reduce((index, i) => {
      const size = x.shape[i] as number;
      return index * size + (Math.floor(flat / (strides[i] as number)) % size);
    }, 0);
    out[at] = (out[at] as number) + value;
  });
  return out;
}

/** Tests of the active backend; whoever calls it opens one. */
export function describeKernels(): void {
  describe("conv2d", () => {
    const [inChannels, outChannels] = [5, 6];

    test.each(named)("gradients by input and filter follow the definition: %s", (_, window) => {
      for (const size of imageSizes) {
        const x = numbers([...size, inChannels], 1) as tf.Tensor4D;
        const filter = numbers([...window.kernel, inChannels, outChannels], 2) as tf.Tensor4D;
        const dy = numbers(outputShape(size, window, outChannels), 3);
        const [dx, dFilter] = tf.grads((a: tf.Tensor, b: tf.Tensor) =>
          tf.conv2d(a as tf.Tensor4D, b as tf.Tensor4D, [...window.strides], tfjsPad(window.padding), "NHWC", [
            ...(window.dilations ?? [1, 1]),
          ] as [number, number]),
        )([x, filter], dy) as [tf.Tensor, tf.Tensor];

        const [xs, ws, dys] = [x.dataSync(), filter.dataSync(), dy.dataSync()];
        const expectedDx = new Float64Array(xs.length);
        const expectedDFilter = new Float64Array(ws.length);
        forEachMeeting(size, window, (pixel, tap, output) => {
          for (let c = 0; c < inChannels; c++)
            for (let k = 0; k < outChannels; k++) {
              const [ix, iw, iy] = [
                pixel * inChannels + c,
                (tap * inChannels + c) * outChannels + k,
                output * outChannels + k,
              ];
              expectedDx[ix] = (expectedDx[ix] as number) + (ws[iw] as number) * (dys[iy] as number);
              expectedDFilter[iw] = (expectedDFilter[iw] as number) + (xs[ix] as number) * (dys[iy] as number);
            }
        });
        expectClose(dx, expectedDx);
        expectClose(dFilter, expectedDFilter);
      }
    });

    test("the filter's gradient over a large batch, added up in parts, equals that of the whole", () => {
      // 300 x 300 x 24 floats of dy per image: the limit allows 3 images at once
      const x = numbers([5, 300, 300, 1], 1);
      const dy = numbers([5, 300, 300, 24], 2);
      const gradient = (images: tf.Tensor, dys: tf.Tensor) =>
        tf.grad((w: tf.Tensor) => tf.conv2d(images as tf.Tensor4D, w as tf.Tensor4D, 1, "same"))(
          tf.zeros([2, 1, 1, 24]),
          dys,
        );
      const whole = gradient(x, dy);
      const parts = Array.from({ length: 5 }, (_, i) => gradient(tf.slice(x, i, 1), tf.slice(dy, i, 1)).dataSync());
      const expected = Float64Array.from(whole.dataSync(), (_, i) =>
        parts.reduce((sum, part) => sum + (part[i] as number), 0),
      );
      // sums of 450 000 products in float32
      expectClose(whole, expected, 1e-4);
    });

    // 320 000 and 360 000 floats of dy: a band of rows has 262 144 at most
    test.each([
      ["stride 2, padding below", { size: 40, outSize: 20, images: 2, stride: 2, padding: 0 }],
      ["stride 1, padding around", { size: 30, outSize: 30, images: 1, stride: 1, padding: 1 }],
    ])("the filter's gradient, added up in bands of rows, follows the definition: %s", (_, window) => {
      const { size, outSize, images, stride, padding } = window;
      const [taps, outs] = [3, 400];
      const x = numbers([images, size, size, 1], 1);
      const dy = numbers([images, outSize, outSize, outs], 2);
      const [pixels, slopes] = [x.dataSync(), dy.dataSync()];
      const expected = new Float64Array(taps * taps * outs);
      for (let image = 0; image < images; image++) {
        for (let output = 0; output < outSize * outSize; output++) {
          for (let tap = 0; tap < taps * taps; tap++) {
            const row = Math.floor(output / outSize) * stride + Math.floor(tap / taps) - padding;
            const column = (output % outSize) * stride + (tap % taps) - padding;
            if (Math.min(row, column) < 0 || Math.max(row, column) >= size) continue;
            const pixel = pixels[(image * size + row) * size + column] as number;
            const from = (image * outSize * outSize + output) * outs;
            for (let out = 0; out < outs; out++) {
              const at = tap * outs + out;
              expected[at] = (expected[at] as number) + pixel * (slopes[from + out] as number);
            }
          }
        }
      }
      const gradient = tf.grad((w: tf.Tensor) => tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, stride, "same"))(
        tf.zeros([taps, taps, 1, outs]),
        dy,
      );
      expectClose(gradient, expected, 1e-4);
    });
  });

  describe("depthwise conv2d", () => {
    const inChannels = 5;

    test.each(
      // tfjs allows no unequal strides here
      named
        .filter(([, { strides }]) => strides[0] === strides[1])
        .flatMap(([name, window]) => [
          [`${name}, multiplier 1`, window, 1] as const,
          [`${name}, multiplier 3`, window, 3] as const,
        ]),
    )("gradients by input and filter follow the definition: %s", (_, window, multiplier) => {
      for (const size of imageSizes) {
        const outChannels = inChannels * multiplier;
        const x = numbers([...size, inChannels], 1);
        const filter = numbers([...window.kernel, inChannels, multiplier], 2);
        const dy = numbers(outputShape(size, window, outChannels), 3);
        const [dx, dFilter] = tf.grads((a: tf.Tensor, b: tf.Tensor) =>
          tf.depthwiseConv2d(
            a as tf.Tensor4D,
            b as tf.Tensor4D,
            [...window.strides],
            // explicit padding is missing from the types only
            tfjsPad(window.padding) as "same",
            "NHWC",
            [...(window.dilations ?? [1, 1])] as [number, number],
          ),
        )([x, filter], dy) as [tf.Tensor, tf.Tensor];

        const [xs, ws, dys] = [x.dataSync(), filter.dataSync(), dy.dataSync()];
        const expectedDx = new Float64Array(xs.length);
        const expectedDFilter = new Float64Array(ws.length);
        forEachMeeting(size, window, (pixel, tap, output) => {
          for (let k = 0; k < outChannels; k++) {
            const [ix, iw, iy] = [
              pixel * inChannels + Math.floor(k / multiplier),
              tap * outChannels + k,
              output * outChannels + k,
            ];
            expectedDx[ix] = (expectedDx[ix] as number) + (ws[iw] as number) * (dys[iy] as number);
            expectedDFilter[iw] = (expectedDFilter[iw] as number) + (xs[ix] as number) * (dys[iy] as number);
          }
        });
        expectClose(dx, expectedDx);
        expectClose(dFilter, expectedDFilter);
      }
    });
  });

  describe("pooling", () => {
    const channels = 5;
    const pools = named.filter(([, { dilations, padding }]) => dilations === undefined && typeof padding === "string");

    test.each(pools)("average shares dy among the pixels that the window holds: %s", (_, window) => {
      for (const size of imageSizes) {
        const x = numbers([...size, channels], 1) as tf.Tensor4D;
        const dy = numbers(outputShape(size, window, channels), 2);
        const dx = tf.grad((a: tf.Tensor) =>
          tf.avgPool(a as tf.Tensor4D, [...window.kernel], [...window.strides], window.padding as "same"),
        )(x, dy);

        const counts = new Float64Array(dy.size / channels);
        forEachMeeting(size, window, (_pixel, _tap, output) => {
          counts[output] = (counts[output] as number) + 1;
        });
        const dys = dy.dataSync();
        const expected = new Float64Array(x.size);
        forEachMeeting(size, window, (pixel, _tap, output) => {
          for (let c = 0; c < channels; c++) {
            const at = pixel * channels + c;
            expected[at] =
              (expected[at] as number) + (dys[output * channels + c] as number) / (counts[output] as number);
          }
        });
        expectClose(dx, expected);
      }
    });

    test.each(pools)("max gives dy to the largest pixel: %s", (_, window) => {
      for (const size of imageSizes) {
        const x = numbers([...size, channels], 1) as tf.Tensor4D;
        const dy = numbers(outputShape(size, window, channels), 2);
        const dx = tf.grad((a: tf.Tensor) =>
          tf.maxPool(a as tf.Tensor4D, [...window.kernel], [...window.strides], window.padding as "same"),
        )(x, dy);

        const xs = x.dataSync();
        const best = new Int32Array(dy.size).fill(-1);
        forEachMeeting(size, window, (pixel, _tap, output) => {
          for (let c = 0; c < channels; c++) {
            const [at, out] = [pixel * channels + c, output * channels + c];
            if ((best[out] as number) < 0 || (xs[at] as number) > (xs[best[out] as number] as number)) best[out] = at;
          }
        });
        const dys = dy.dataSync();
        const expected = new Float64Array(x.size);
        best.forEach((at, out) => {
          if (at >= 0) expected[at] = (expected[at] as number) + (dys[out] as number);
        });
        expectClose(dx, expected);
      }
    });

    test("of equal pixels the first gets the whole gradient", () => {
      const dx = tf.grad((a: tf.Tensor) => tf.maxPool(a as tf.Tensor4D, 2, 2, "valid"))(tf.ones([1, 2, 2, 1]));
      expect([...dx.dataSync()]).toEqual([1, 0, 0, 0]);
    });
  });

  describe("sums and products", () => {
    test("segments add up the rows of their id and leave out ids outside the range", () => {
      const x = tf.tensor2d([1, 2, 10, 20, 100, 200, 1000, 2000], [4, 2]);
      const sums = tf.engine().runKernel(
        "UnsortedSegmentSum",
        { x, segmentIds: tf.tensor1d([2, 0, 2, -1], "int32") },
        {
          numSegments: 3,
        },
      ) as tf.Tensor;
      expect(sums.shape).toEqual([3, 2]);
      expect([...sums.dataSync()]).toEqual([10, 20, 0, 0, 101, 202]);
    });

    test("the gradient of gather adds up repeated rows", () => {
      const indices = tf.tensor1d([1, 1, 0], "int32");
      const dx = tf.grad((x: tf.Tensor) => tf.gather(x, indices))(
        tf.zeros([3, 2]),
        tf.tensor2d([1, 2, 3, 4, 5, 6], [3, 2]),
      );
      expect([...dx.dataSync()]).toEqual([5, 6, 4, 6, 0, 0]);
    });

    test.each([
      [
        [64, 8, 8, 16],
        [0, 1, 2],
      ],
      [[1000, 7], [0]],
      [[33, 150], [0]],
      [[9000, 4], [-2]],
      [
        [20, 30, 40],
        [1, 0],
      ],
      [[20, 30, 40], [2]],
      [
        [20, 30, 40],
        [0, 2],
      ],
      [
        [64, 64, 2],
        [0, 1, 2],
      ],
    ])("sums of whole numbers are exact: %j over %j", (shape, axes) => {
      const x = tf.round(tf.mul(numbers(shape, 1), 100));
      const expected = sumByDefinition(
        x,
        axes.map((axis) => (axis + shape.length) % shape.length),
      );
      for (const keepDims of [false, true]) {
        const sum = tf.sum(x, axes, keepDims);
        const kept = shape.flatMap((size, i) => {
          const isSummed = axes.some((axis) => (axis + shape.length) % shape.length === i);
          if (!isSummed) return [size];
          return keepDims ? [1] : [];
        });
        expect(sum.shape).toEqual(kept);
        expect([...sum.dataSync()]).toEqual([...expected]);
      }
    });

    test.each([
      [false, false],
      [true, false],
      [false, true],
      [true, true],
    ])("matrix products transpose their operands: %s, %s", (transposeA, transposeB) => {
      const [rows, inner, columns] = [17, 33, 9];
      const a = numbers(transposeA ? [inner, rows] : [rows, inner], 1);
      const b = numbers(transposeB ? [columns, inner] : [inner, columns], 2);
      const [as, bs] = [a.dataSync(), b.dataSync()];
      const expected = new Float64Array(rows * columns);
      for (let i = 0; i < rows; i++)
        for (let j = 0; j < columns; j++)
          for (let k = 0; k < inner; k++) {
            const left = as[transposeA ? k * rows + i : i * inner + k] as number;
            const right = bs[transposeB ? j * inner + k : k * columns + j] as number;
            expected[i * columns + j] = (expected[i * columns + j] as number) + left * right;
          }
      const product = tf.matMul(a, b, transposeA, transposeB);
      expect(product.shape).toEqual([rows, columns]);
      expectClose(product, expected);
      const stacked = tf.matMul(tf.expandDims(a), tf.expandDims(b), transposeA, transposeB);
      expect(stacked.shape).toEqual([1, rows, columns]);
      expectClose(stacked, expected);
    });

    test("a tensor multiplied under two shapes is multiplied by its values both times", () => {
      const b = numbers([6, 4], 1);
      const first = tf.matMul(tf.eye(6), b);
      const second = tf.matMul(tf.eye(4), tf.reshape(b, [4, 6]));
      expect([...first.dataSync()]).toEqual([...b.dataSync()]);
      expect([...second.dataSync()]).toEqual([...b.dataSync()]);
      const fused = tf.fused.matMul({
        a: tf.eye(3),
        b: tf.reshape(b, [3, 8]),
        bias: tf.zeros([8]),
        activation: "linear",
      });
      expect([...fused.dataSync()]).toEqual([...b.dataSync()]);
    });
  });

  describe("einsum", () => {
    const size: Record<string, number> = { a: 2, b: 3, c: 4, d: 5, e: 3 };

    test.each([
      "ab,bc->ac",
      "abc,cd->abd",
      "abc,abd->acd",
      "abcd,acde->abe",
      "ab,ab->",
      "ab,cd->acbd",
      "abc,d->db",
      "abc->ca",
      "ab->",
    ])("%s and its gradients follow the definition", (equation) => {
      const [terms, out] = equation.split("->") as [string, string];
      const names = terms.split(",");
      const inputs = names.map((name, i) =>
        numbers(
          [...name].map((axis) => size[axis] as number),
          i + 1,
        ),
      );
      const shapeOf = (name: string) => [...name].map((axis) => size[axis] as number);
      const dy = numbers(shapeOf(out), 9);
      const values = inputs.map((input) => input.dataSync());
      const dys = dy.dataSync();
      const expected = new Float64Array(dys.length);
      const gradients = values.map((value) => new Float64Array(value.length));

      const axes = [...new Set(names.join(""))];
      const at = (name: string, index: Record<string, number>) =>
        [...name].reduce((flat, axis) => flat * (size[axis] as number) + (index[axis] as number), 0);
      const visit = (depth: number, index: Record<string, number>) => {
        const axis = axes[depth];
        if (axis !== undefined) {
          for (let i = 0; i < (size[axis] as number); i++) visit(depth + 1, { ...index, [axis]: i });
          return;
        }
        const factors = names.map((name, i) => values[i]?.[at(name, index)] as number);
        const output = at(out, index);
        expected[output] = (expected[output] as number) + factors.reduce((product, factor) => product * factor, 1);
        names.forEach((name, i) => {
          const gradient = gradients[i] as Float64Array;
          const others = factors.reduce((product, factor, j) => (j === i ? product : product * factor), 1);
          gradient[at(name, index)] = (gradient[at(name, index)] as number) + others * (dys[output] as number);
        });
      };
      visit(0, {});

      const result = tf.einsum(equation, ...inputs);
      expect(result.shape).toEqual(shapeOf(out));
      expectClose(result, expected);
      const actual = tf.grads((...args: tf.Tensor[]) => tf.einsum(equation, ...args))(inputs, dy);
      actual.forEach((gradient, i) => {
        expect(gradient.shape).toEqual(inputs[i]?.shape);
        expectClose(gradient, gradients[i] as Float64Array);
      });
    });
  });

  describe("resizing", () => {
    test("nearest neighbours add up the gradients of their copies, in every image of a batch", () => {
      const dy = numbers([2, 4, 6, 1], 1);
      const dys = dy.dataSync();
      const dx = tf.grad((x: tf.Tensor) => tf.image.resizeNearestNeighbor(x as tf.Tensor4D, [4, 6]))(
        tf.zeros([2, 2, 3, 1]),
        dy,
      );
      const expected = new Float64Array(12);
      dys.forEach((value, i) => {
        const [image, row, column] = [Math.floor(i / 24), Math.floor((i % 24) / 6), i % 6];
        const at = (image * 2 + Math.floor(row / 2)) * 3 + Math.floor(column / 2);
        expected[at] = (expected[at] as number) + value;
      });
      expectClose(dx, expected);
    });

    test("bilinear gradients of images that are not square equal finite differences", () => {
      const x = numbers([2, 3, 4, 2], 1) as tf.Tensor4D;
      const dy = numbers([2, 6, 8, 2], 2);
      const dx = tf.grad((a: tf.Tensor) => tf.image.resizeBilinear(a as tf.Tensor4D, [6, 8]))(x, dy);
      const xs = x.dataSync();
      // resizing is linear: the step may be one, and the difference has no error but rounding
      const expected = Float64Array.from(xs, (_, i) => {
        const unit = tf.tensor(
          xs.map((__, j) => (i === j ? 1 : 0)),
          x.shape,
        ) as tf.Tensor4D;
        return tf.sum(tf.mul(tf.image.resizeBilinear(unit, [6, 8]), dy)).dataSync()[0] as number;
      });
      expectClose(dx, expected);
    });
  });

  test("no kernel leaks a tensor", () => {
    const image = numbers([2, 8, 8, 4], 1) as tf.Tensor4D;
    const step = () =>
      tf
        .tidy(() => {
          const run = (f: (x: tf.Tensor4D) => tf.Tensor) => tf.grad((x: tf.Tensor) => f(x as tf.Tensor4D))(image);
          for (const [, window] of named) {
            const pad = tfjsPad(window.padding);
            const dilations = [...(window.dilations ?? [1, 1])] as [number, number];
            const filter = numbers([...window.kernel, 4, 3], 2) as tf.Tensor4D;
            run((x) => tf.conv2d(x, filter, [...window.strides], pad, "NHWC", dilations));
            tf.grad((w: tf.Tensor) => tf.conv2d(image, w as tf.Tensor4D, [...window.strides], pad, "NHWC", dilations))(
              filter,
            );
            if (window.strides[0] !== window.strides[1]) continue;
            const depthwise = (x: tf.Tensor, w: tf.Tensor) =>
              tf.depthwiseConv2d(
                x as tf.Tensor4D,
                w as tf.Tensor4D,
                [...window.strides],
                pad as "same",
                "NHWC",
                dilations,
              );
            run((x) => depthwise(x, filter));
            tf.grad((w: tf.Tensor) => depthwise(image, w))(filter);
          }
          run((x) => tf.maxPool(x, 2, 2, "same"));
          run((x) => tf.avgPool(x, 3, 2, "same"));
          run((x) => tf.gather(x, tf.tensor1d([1, 0], "int32")));
          run((x) => tf.sum(tf.tile(x, [16, 1, 1, 1]), [0, 1, 2]));
          run((x) => tf.matMul(tf.reshape(x, [8, 64]), tf.reshape(x, [8, 64]), true, false));
          run((x) => tf.einsum("abcd,bcde->ade", x, numbers([8, 8, 4, 3], 5)));
          return tf.scalar(0);
        })
        .dispose();
    step();
    const before = { tensors: tf.memory().numTensors, data: tf.engine().backend.numDataIds() };
    for (let i = 0; i < 3; i++) step();
    expect({ tensors: tf.memory().numTensors, data: tf.engine().backend.numDataIds() }).toEqual(before);
  });
}
