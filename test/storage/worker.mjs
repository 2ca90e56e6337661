/** @file A child process that uses the store from source: `node worker.mjs <deed> <store folder> [arguments]`. */
import { once } from "node:events";
import { appendFileSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { createJiti } from "jiti";

const { openRunStore } = await createJiti(import.meta.url).import("../../src/storage/run-store.ts");
const [deed, storeDir, ...rest] = process.argv.slice(2);

/** Children report that they have started, and begin together at the parent's word. */
async function start() {
  process.stdout.write("ready\n");
  await once(process.stdin, "data");
  process.stdin.destroy();
}

function points(count, metricName, firstStep = 0) {
  return Array.from({ length: count }, (_, i) => ({
    split: "train",
    taskPath: "door_open",
    metricName,
    step: firstStep + i,
    epoch: 0,
    value: firstStep + i,
    wallTime: 1,
  }));
}

const deeds = {
  /** Migrates to a version that does not end by itself once it has changed a table; prints each step. */
  async migrate() {
    const jiti = createJiti(import.meta.url);
    const { openDatabase } = await jiti.import("../../src/storage/database/database.ts");
    const { migrate } = await jiti.import("../../src/storage/database/migrations.ts");
    const { SCHEMA_VERSIONS } = await jiti.import("../../src/storage/database/schema.ts");
    const endless = `UPDATE runs SET name = 'half'; CREATE TABLE filler AS
      WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(i) AS c FROM n`;
    const say = (line) => process.stdout.write(`${line}\n`);
    migrate(openDatabase(`${storeDir}/cool.db`), [...SCHEMA_VERSIONS, endless], say);
  },
  /** Holds the write lock, and lets it go half a second after the parent's word. */
  async hold() {
    const jiti = createJiti(import.meta.url);
    const { openDatabase } = await jiti.import("../../src/storage/database/database.ts");
    const database = openDatabase(`${storeDir}/cool.db`);
    database.exec("BEGIN IMMEDIATE");
    await start();
    await new Promise((resolve) => setTimeout(resolve, 500));
    database.exec("COMMIT");
    database.close();
  },
  /** Opens a store that is not there yet. */
  async open() {
    await start();
    openRunStore(storeDir).close();
  },
  /** Writes transactions of ten points to a curve of its own, and a run of its own. */
  async write([runId, metricName, transactions]) {
    await start();
    const store = openRunStore(storeDir);
    store.createRun({ project: metricName });
    for (let i = 0; i < Number(transactions); i += 1) store.appendMetrics(runId, points(10, metricName, i * 10));
    store.close();
  },
  /** Trains until killed: prints the run's id, then the number of each transaction once it is committed. */
  train() {
    const store = openRunStore(storeDir);
    const { id } = store.createRun({ project: "killed", name: "killed" });
    process.stdout.write(`${id}\n`);
    for (let i = 0; ; i += 1) {
      store.appendMetrics(id, points(10, "loss", i * 10));
      process.stdout.write(`${i}\n`);
    }
  },
  /** Trains as it is told: each line read is an epoch, whose number is printed once it is stored; the end of lines ends it. */
  async epochs([name]) {
    const store = openRunStore(storeDir);
    const { id } = store.createRun({ project: "live", name, epochs: 1000 });
    writeFileSync(`${store.runDir(id)}/stdout.log`, "begun\n");
    process.stdout.write(`${id}\n`);
    let epoch = 0;
    for await (const line of createInterface({ input: process.stdin })) {
      epoch += 1;
      const curve = { split: "valid", taskPath: "door", metricName: "loss", step: 10 * epoch, epoch, wallTime: epoch };
      store.appendMetrics(id, [{ ...curve, value: 1 / epoch }]);
      store.updateRun(id, { epochsDone: epoch });
      appendFileSync(`${store.runDir(id)}/stdout.log`, `${line}\n`);
      process.stdout.write(`${epoch}\n`);
    }
    store.finishRun(id, "finished");
    store.close();
  },
};

await deeds[deed](rest);
