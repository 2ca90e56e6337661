/**
 * @file How long an exported model answers beside the run that it was exported from, on TensorFlow: pictures of a folder,
 * decoded before, to scored answers, by the code that `cool serve` answers by. In one process, in turns.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import sharp from "sharp";
import { at } from "../../src/arrays.js";
import { findModel } from "../../src/serving/model/find-model.js";
import { type OpenModel, openModel } from "../../src/serving/model/open-model.js";
import { openRows } from "../../src/serving/model/row-sources.js";
import type { ServedRow } from "../../src/serving/model/served-model.js";
import { median, print, printProgress, warnIfBusy, writeResults } from "../report.js";

const { values: flags } = parseArgs({
  options: {
    store: { type: "string" },
    run: { type: "string", default: "latest" },
    export: { type: "string" },
    project: { type: "string" },
    pictures: { type: "string" },
    batch: { type: "string", default: "64" },
    rounds: { type: "string", default: "9" },
    threads: { type: "string", default: "2" },
  },
});
const { store, export: exported, project, pictures: folder } = flags;
if (store === undefined || exported === undefined || folder === undefined) {
  throw new Error("needs --store, --export and --pictures");
}

/** Seconds of the processor, of all threads. */
function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

warnIfBusy();
const find = { storeDir: () => store, project };
const threads = Number(flags.threads);
const references = [flags.run, exported];
interface Side {
  readonly model: OpenModel;
  readonly cpu: number[];
  readonly ms: number[];
}

const sides: Side[] = [];
for (const reference of references) {
  const { source } = await findModel(reference, find);
  sides.push({ model: await openModel(source, threads), cpu: [], ms: [] });
}
const [own] = sides;
const [name, spec] = Object.entries(own?.model.inputs ?? {}).find(([, { kind }]) => kind === "image") ?? [];
if (name === undefined || spec?.kind !== "image") throw new Error("the run reads no pictures");
const files = readdirSync(folder).slice(0, Number(flags.batch));
const rows = await Promise.all(
  files.map(async (file): Promise<ServedRow> => {
    const [height, width] = spec.size;
    const pixels = await sharp(join(folder, file))
      .resize(width, height, { fit: "fill" })
      .removeAlpha()
      .raw()
      .toBuffer();
    return {
      ...{ name: file, names: [name], values: [new Uint8Array(pixels)], size: { width, height } },
      ...{ tokens: null, known: {}, wants: "answers" },
    };
  }),
);
for (let round = 0; round <= Number(flags.rounds); round++) {
  printProgress(`round ${round} of ${flags.rounds}`);
  for (const { model, cpu, ms } of sides) {
    const opened = openRows(model.inputs, rows);
    const [before, start] = [cpuSeconds(), performance.now()];
    await model.score(opened);
    // the first builds graphs
    if (round === 0) continue;
    cpu.push(cpuSeconds() - before);
    ms.push(performance.now() - start);
  }
}
const results = sides.map(({ model, cpu, ms }) => ({
  runtime: model.runtime,
  cpu_ms: 1000 * median(cpu),
  ms: median(ms),
  cpu_of_run: median(cpu.map((each, i) => each / at(sides[0]?.cpu ?? [], i))),
  ms_of_run: median(ms.map((each, i) => each / at(sides[0]?.ms ?? [], i))),
}));
for (const { runtime, cpu_ms, ms, cpu_of_run, ms_of_run } of results) {
  print(
    `${runtime}: ${cpu_ms.toFixed(1)} CPU-ms and ${ms.toFixed(1)} ms per batch; ÷ run ${cpu_of_run.toFixed(2)} and ${ms_of_run.toFixed(2)}`,
  );
}
for (const { model } of sides) await model.close();
print(`written to ${writeResults("export-answers", { batch: rows.length, threads, results })}`);
