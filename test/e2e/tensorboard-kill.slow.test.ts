/** @file A writer killed in the middle of writing leaves a file that reads back whole, but for its last moments. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { listEventFiles, readEvents } from "../../src/logging/tensorboard/index.js";
import { type Python, readTensorBoards, tensorBoardPython } from "../support/tensorboard.js";

const ROUNDS = 20;
const sourceFile = (file: string) => fileURLToPath(new URL(`../../${file}`, import.meta.url));

let folder: string;
let judge: Python;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "cool-killed-"));
  judge = await tensorBoardPython();
}, 310_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Writes points without end, flushes every 100, and says how many are flushed. */
const WRITER = `
  import { openEventWriter } from ${JSON.stringify(sourceFile("dist/logging/tensorboard/index.js"))};
  const writer = openEventWriter(process.argv[2]);
  for (let step = 1; ; step++) {
    writer.scalar("loss", step * 0.5, step);
    if (step % 7 === 0) writer.text("note", "x".repeat(step % 5000), step);
    if (step % 100 === 0) {
      writer.flush();
      process.stdout.write(step + "\\n");
      await new Promise((resolve) => setImmediate(resolve));
    }
  }`;

/** @returns the last step that the writer said was flushed */
async function writeAndKill(target: string, afterMs: number): Promise<number> {
  const script = join(folder, "writer.mjs");
  writeFileSync(script, WRITER);
  const child = spawn(process.execPath, [script, target], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let said = "";
  child.stdout.on("data", (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-100);
  });
  const ended = once(child, "close");
  await once(child.stdout, "data");
  await sleep(afterMs);
  child.kill("SIGKILL");
  await ended;
  // the last line may be cut short
  return Number(said.slice(0, said.lastIndexOf("\n")).split("\n").at(-1));
}

it("never loses what was flushed, and never confuses a reader", { timeout: 180_000 }, async (context) => {
  const targets: string[] = [];
  const flushed: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const target = join(folder, String(round));
    targets.push(target);
    flushed.push(await writeAndKill(target, (round * 13) % 90));
  }
  for (const [round, target] of targets.entries()) {
    const [file = ""] = listEventFiles(target);
    const steps = readEvents(file).flatMap(({ step, content }) =>
      content.kind === "summary" && content.values.some(({ tag }) => tag === "loss") ? [step] : [],
    );
    expect(steps.length).toBeGreaterThanOrEqual(flushed[round] as number);
    expect(steps).toEqual(Array.from(steps, (_, i) => i + 1));
  }
  if ("skip" in judge) return context.skip(judge.skip);
  const read = await readTensorBoards(judge.python, targets);
  read.forEach(({ scalars }, round) => {
    const points = scalars.loss ?? [];
    expect(points.length).toBeGreaterThanOrEqual(flushed[round] as number);
    expect(points.every(({ step, value }, i) => step === i + 1 && value === Math.fround(step * 0.5))).toBe(true);
  });
});
