/**
 * @file The step of bench/train's network of many heads in jax-js, on its wasm backend: the same convolutions, heads as
 * one matrix product, masked mean losses, Adam, all of it under one jit. In a process of its own; prints one JSON line.
 * The first argument is the folder of the package, the second the number of steps.
 */
import { pathToFileURL } from "node:url";

const [, , entry = "", steps = "3"] = process.argv;
// Node 20 has no navigator; the package asks it for the number of threads
globalThis.navigator ??= { hardwareConcurrency: 2 };
const jax = await import(pathToFileURL(entry).href);
const { numpy: np, lax, nn, jit, valueAndGrad, tree } = jax;
await jax.init("wasm");
jax.defaultDevice("wasm");

const BATCH = 32;
const SIZE = 64;
const WARMUP = 1;
const ADAM = { rate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
/** Columns of the logits: 4 binary and 3 of a multilabel, 8 bounded regressions, 7 classes. */
const [YES_OR_NO, POSITIONS, CLASSES] = [7, 8, 7];

const numbersOf = (length, make) => Float32Array.from({ length }, make);
const arrayOf = (values, shape) => np.array(values).reshape(shape);
function weights(shape) {
  const fanIn = shape.length === 4 ? shape[1] * 9 : shape[0];
  const scale = Math.sqrt(6 / fanIn);
  const length = shape.reduce((product, size) => product * size, 1);
  return arrayOf(
    numbersOf(length, () => (Math.random() * 2 - 1) * scale),
    shape,
  );
}

const convolve = (x, filter, bias) =>
  nn.relu(
    lax
      .convGeneralDilated(
        x,
        filter,
        [2, 2],
        [
          [0, 1],
          [0, 1],
        ],
      )
      .add(bias.reshape([1, -1, 1, 1])),
  );

function forward(p, x) {
  const convolved = [1, 2, 3].reduce((h, i) => convolve(h, p[`filter${i}`], p[`bias${i}`]), x);
  return np.matmul(np.mean(convolved, [2, 3]), p.heads).add(p.headsBias);
}

/** Σ over columns of the mean over the rows that count. */
const maskedMeans = (losses, mask) => losses.mul(mask.ref).sum(0).div(mask.sum(0).add(1e-6)).sum();

function loss(p, x, labels, mask, oneHot, classMask) {
  const z = forward(p, x);
  const numbers = YES_OR_NO + POSITIONS;
  const [answers, positions] = [z.ref.slice([], [0, YES_OR_NO]), z.ref.slice([], [YES_OR_NO, numbers])];
  const classes = z.slice([], [numbers, numbers + CLASSES]);
  const [yes, places] = [labels.ref.slice([], [0, YES_OR_NO]), labels.slice([], [YES_OR_NO, numbers])];
  const [answersMask, placesMask] = [mask.ref.slice([], [0, YES_OR_NO]), mask.slice([], [YES_OR_NO, numbers])];
  const crossEntropy = np
    .maximum(answers.ref, 0)
    .sub(answers.ref.mul(yes))
    .add(np.log(np.add(1, np.exp(np.negative(np.abs(answers))))));
  const apart = nn.sigmoid(positions).sub(places);
  const ofClasses = np.negative(nn.logSoftmax(classes, 1).mul(oneHot).sum(1));
  return maskedMeans(crossEntropy, answersMask)
    .add(maskedMeans(apart.ref.mul(apart), placesMask))
    .add(maskedMeans(ofClasses, classMask));
}

const step = jit((p, first, second, ...batch) => {
  const [value, gradients] = valueAndGrad(loss)(tree.ref(p), ...batch);
  const [weightsAfter, firstAfter, secondAfter] = [{}, {}, {}];
  for (const name of Object.keys(p)) {
    const gradient = gradients[name];
    const m = first[name].mul(ADAM.beta1).add(gradient.ref.mul(1 - ADAM.beta1));
    const v = second[name].mul(ADAM.beta2).add(gradient.ref.mul(gradient).mul(1 - ADAM.beta2));
    weightsAfter[name] = p[name].sub(m.ref.div(np.sqrt(v.ref).add(ADAM.epsilon)).mul(ADAM.rate));
    firstAfter[name] = m;
    secondAfter[name] = v;
  }
  return [value, weightsAfter, firstAfter, secondAfter];
});

let parameters = {
  ...{ filter1: weights([16, 3, 3, 3]), filter2: weights([32, 16, 3, 3]), filter3: weights([64, 32, 3, 3]) },
  ...{ bias1: np.zeros([16]), bias2: np.zeros([32]), bias3: np.zeros([64]) },
  heads: weights([64, YES_OR_NO + POSITIONS + CLASSES]),
  headsBias: np.zeros([YES_OR_NO + POSITIONS + CLASSES]),
};
const zeros = () => Object.fromEntries(Object.entries(parameters).map(([name, { shape }]) => [name, np.zeros(shape)]));
let [first, second] = [zeros(), zeros()];

const pixels = Uint8Array.from({ length: BATCH * 3 * SIZE * SIZE }, () => Math.random() * 256);
const yesOrNo = () => Math.round(Math.random());
const columns = YES_OR_NO + POSITIONS;
const times = [];
for (let i = 0; i < WARMUP + Number(steps); i++) {
  const start = performance.now();
  const x = arrayOf(
    Float32Array.from(pixels, (value) => value / 255),
    [BATCH, 3, SIZE, SIZE],
  );
  let value;
  [value, parameters, first, second] = step(
    parameters,
    first,
    second,
    x,
    arrayOf(numbersOf(BATCH * columns, yesOrNo), [BATCH, columns]),
    arrayOf(numbersOf(BATCH * columns, yesOrNo), [BATCH, columns]),
    arrayOf(
      numbersOf(BATCH * CLASSES, (_, k) => Number(k % CLASSES === Math.floor(k / CLASSES) % CLASSES)),
      [BATCH, CLASSES],
    ),
    np.array(numbersOf(BATCH, yesOrNo)),
  );
  await value.data();
  await parameters.filter1.ref.data();
  if (i >= WARMUP) times.push(performance.now() - start);
}
times.sort((a, b) => a - b);
const mean = times.reduce((sum, ms) => sum + ms, 0) / times.length;
const measurement = {
  images_per_second: (BATCH * 1000) / mean,
  step_ms_median: times[Math.floor(times.length / 2)],
  peak_rss_mb: process.resourceUsage().maxRSS / 1024,
};
process.stdout.write(`${JSON.stringify(measurement)}\n`);
process.exit(0);
