/** @file Our side of the fine-tuning benchmark; torch_finetune.py is its twin. Prints one JSON line. */
import { parseArgs } from "node:util";
import { at } from "../../src/arrays.js";
import { image } from "../../src/data/inputs/inputs.js";
import type { ImageInputSpec } from "../../src/data/dataset.js";
import { type BackendChoice, openBackend } from "../../src/engine/backends/choose.js";
import { gatherTargets } from "../../src/engine/batches/targets.js";
import { FeatureRows } from "../../src/engine/features/feature-source.js";
import { splitNetwork } from "../../src/engine/features/split-network.js";
import type { InputBatch } from "../../src/engine/model/input-batch.js";
import type { Network } from "../../src/engine/model/network.js";
import { pretrained } from "../../src/engine/model/pretrained/pretrained.js";
import { sequential } from "../../src/engine/model/ready-trunks.js";
import { rateFactor } from "../../src/engine/optimization/learning-rate.js";
import { Trainer } from "../../src/engine/optimization/trainer.js";
import { openStepEngine } from "../../src/engine/step-graph/open-step-engine.js";
import { defineTasks } from "../../src/flow/define.js";
import { activeRows, bothMasks, labelledRows } from "../../src/flow/masks.js";
import { defineProject } from "../../src/project/define-project.js";
import { resolveProject } from "../../src/project/resolve-project.js";
import { binary, box, classification, type Labels } from "../../src/tasks/index.js";
import { buildNetwork } from "../../src/training/fresh-network.js";
import { median, print, printProgress } from "../report.js";
import { type CaseName, type Exported, readExported, readPictures, saveBackbone } from "./exported.js";

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    case: { type: "string", default: "finetuned" },
    steps: { type: "string", default: "20" },
    warmup: { type: "string", default: "3" },
    backend: { type: "string", default: "auto" },
  },
});

/** The configuration that a user would write. */
function projectOf(dir: string, name: CaseName, exported: Exported) {
  const { size, classes, weights, mean, deviation, optimizers } = exported;
  const tasks = defineTasks({
    features: ["f"],
    tasks: {
      present: binary({ lossWeight: weights.present }),
      kind: classification({
        classes: Array.from({ length: classes }, (_, i) => `kind ${i}`),
        lossWeight: weights.kind,
      }),
      place: box({ columns: ["x", "y", "w", "h"], format: "cxcywh", lossWeight: weights.place }),
    },
  }).flow("all", (flow, x, out) => {
    out.add(flow.present(x.f));
    out.add(flow.kind(x.f).given(out.present));
    out.add(flow.place(x.f).given(out.present));
  });
  const project = defineProject({
    name: "finetune",
    tasks,
    flow: "all",
    data: { table: "labels.csv", inputs: { picture: image({ column: "img", size: [size, size] }) } },
    trunk: ({ picture }, layers) => {
      const map = pretrained({
        model: "backbone",
        freeze: name === "frozen",
        input: { mean: [...mean], std: [...deviation] },
      })(picture, layers);
      return { f: sequential([layers.globalAveragePooling2d({})])(map, layers) };
    },
    train: {
      batchSize: exported.batch,
      clipNorm: 1,
      optimizer: optimizers[name],
      schedule: { kind: "cosine", warmupEpochs: 1, warmupFrom: 0.1 },
    },
  });
  return resolveProject(project, { projectDir: dir });
}

function labelsOf({ labels: { present, kind, place } }: Exported): Labels[] {
  const known = (values: readonly number[]): Labels => ({
    answers: Float32Array.from(values, (value) => (value === -1 ? Number.NaN : value)),
    unitScale: null,
  });
  return [known(present), known(kind), known(place.flat())];
}

/** What a step reads of some pictures, and how fast the features of a frozen backbone were made. */
interface Reading {
  readonly network: Network;
  readonly featuresPerSecond: number | null;
  read(rows: Int32Array): InputBatch;
}

async function open(whole: Network, pixels: Uint8Array, name: CaseName, backend: string): Promise<Reading> {
  const spec = whole.inputs.picture as ImageInputSpec;
  const size = spec.size[0] * spec.size[1] * spec.channels;
  const count = pixels.length / size;
  const read = (rows: ArrayLike<number>): Uint8Array => {
    const batch = new Uint8Array(rows.length * size);
    for (let i = 0; i < rows.length; i++) {
      const row = at(rows, i);
      batch.set(pixels.subarray(row * size, (row + 1) * size), i * size);
    }
    return batch;
  };
  const split = name === "frozen" ? splitNetwork(whole) : null;
  if (split === null) return { network: whole, featuresPerSecond: null, read: (rows) => ({ picture: read(rows) }) };
  const trunk = at(split.trunks, 0);
  const paths = Array.from({ length: count }, (_, i) => `${i}`);
  const features = new FeatureRows(trunk, { spec, paths, read }, { precision: "float32", cache: null, backend });
  const start = performance.now();
  await features.fill(Int32Array.from({ length: count }, (_, i) => i));
  const featuresPerSecond = (1000 * count) / (performance.now() - start);
  const sources = trunk.features.map((feature) => [feature.name, features.source(feature)] as const);
  return {
    network: split.tail,
    featuresPerSecond,
    read: (rows) => Object.fromEntries(sources.map(([input, source]) => [input, source.read(rows)])),
  };
}

async function measure(dir: string, name: CaseName) {
  const backend = await openBackend(flags.backend as BackendChoice);
  const exported = readExported(dir);
  const heads = await saveBackbone(dir, exported);
  const project = projectOf(dir, name, exported);
  const { train } = project.settings;
  const { network: whole } = await buildNetwork(project, train, null);
  whole.change((model) => {
    for (const [path, weights] of heads) model.getLayer(path).setWeights([...weights]);
  });
  const { network, featuresPerSecond, read } = await open(whole, readPictures(dir), name, backend.name);
  const { optimizer, clipNorm, seed, batchSize, schedule } = train;
  const config = { optimizer, clipNorm, seed, batchSize };
  const trainer = new Trainer(
    network,
    config,
    undefined,
    await openStepEngine(network, config, { warn: printProgress }),
  );
  const labels = labelsOf(exported);
  const answers = labels.map((own) => own.answers);
  const active = activeRows(project.graph, answers, exported.pictures);
  const masks = project.graph.tasks.map(({ spec, index }) =>
    bothMasks(at(active, index), labelledRows(spec, at(answers, index))),
  );
  const length = { epochs: exported.steps / exported.warm_steps, stepsPerEpoch: exported.warm_steps };
  const losses: number[] = [];
  const stepMs: number[] = [];
  for (let step = 0; step < Number(flags.steps); step++) {
    const first = (step * batchSize) % exported.pictures;
    const rows = Int32Array.from({ length: batchSize }, (_, i) => first + i);
    const factor = schedule === null ? 1 : rateFactor(schedule, Math.min(step, exported.steps), length);
    const start = performance.now();
    const targets = gatherTargets(network.layout, labels, masks, rows);
    const { loss } = await trainer.step(read(rows), targets, optimizer.learningRate * factor);
    if (step >= Number(flags.warmup)) stepMs.push(performance.now() - start);
    if (step < exported.steps) losses.push(loss.total);
  }
  return {
    ...{ losses, images_per_second: (1000 * batchSize) / median(stepMs), features_per_second: featuresPerSecond },
    // kibibytes
    peak_rss_mb: process.resourceUsage().maxRSS / 1024,
    version: `${backend.name} ${backend.version}`,
  };
}

print(JSON.stringify(await measure(at(positionals, 0), flags.case as CaseName)));
