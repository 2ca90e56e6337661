/** @file What the library reaches at best: a product of two large matrices. */
import * as tf from "@tensorflow/tfjs-core";

// as torch_train.py
const SIZE = 1024;
const TIMES = 5;

/** Billions of floating point operations per second of CPU time, of the fastest of some products on the active backend. */
export async function peakOfMatMul(): Promise<number> {
  const a = tf.randomUniform([SIZE, SIZE]);
  const b = tf.randomUniform([SIZE, SIZE]);
  const seconds: number[] = [];
  // the first one is not counted
  for (let i = 0; i <= TIMES; i++) {
    const before = process.cpuUsage();
    const product = tf.matMul(a, b);
    // waits for it
    await tf.tidy(() => tf.slice(product, [0, 0], [1, 1])).data();
    const { user, system } = process.cpuUsage(before);
    if (i > 0) seconds.push((user + system) / 1e6);
    product.dispose();
  }
  tf.dispose([a, b]);
  return (2 * SIZE ** 3) / Math.min(...seconds) / 1e9;
}
