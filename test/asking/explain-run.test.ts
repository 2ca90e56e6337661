/** @file Asking a run how sure it is, and where it looks. */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ExplanationNode } from "../../src/analysis/explanation/explanation.js";
import { type LoadedRun, loadRun } from "../../src/asking/load-run.js";
import { loadProject } from "../../src/project/load-project.js";
import { writeReceptiveFields } from "../../src/asking/receptive-field-run.js";
import { drawReceptiveField, reachableFraction } from "../../src/logging/panels/pixel-field-panel.js";
import { trainRun } from "../../src/training/train-run.js";
import { type TinyProject, tinyProject } from "../support/projects.js";

let project: TinyProject;
let run: LoadedRun;
let image: string;

beforeAll(async () => {
  project = await tinyProject();
  project.editConfig(
    // windows of 3 every 2 pixels from the first: the last row and column are never seen
    ['padding: "same", ', ""],
    [".apply(flat),\n      place", ".apply(layers.dropout({ rate: 0.3 }).apply(flat)),\n      place"],
  );
  await trainRun(await loadProject(project.dir, ["train.epochs=6"]));
  run = await loadRun(join(project.dir, ".cool"));
  image = project.image(2);
});
afterAll(() => {
  run.close();
  project.remove();
});

function nodesOf(nodes: readonly ExplanationNode[]): ExplanationNode[] {
  return nodes.flatMap((node) => [node, ...nodesOf(node.children)]);
}

describe("uncertainty", () => {
  test("is told of every node behind dropout, and 0 of the others", async () => {
    const [explained] = await run.explain([image], { uncertainty: { samples: 10, seed: 1 } });
    const nodes = nodesOf(explained?.tree ?? []).filter(({ kind }) => kind === "task");
    expect(nodes.length).toBeGreaterThan(1);
    for (const { path, uncertainty } of nodes) {
      expect(uncertainty?.samples).toBe(10);
      const still = uncertainty?.deviation.every((deviation) => deviation === 0);
      expect([path, still]).toEqual([path, path === "square.position.x"]);
    }
    expect(await run.withoutDropout()).toEqual(["square.position.x"]);
  });

  test("is the same of the same seed, and changes no answer", async () => {
    const ask = (seed: number) => run.explain([image], { uncertainty: { samples: 5, seed } });
    const [first, again, other] = [await ask(1), await ask(1), await ask(2)];
    expect(again).toEqual(first);
    expect(other).not.toEqual(first);
    const plain = nodesOf((await run.explain([image]))[0]?.tree ?? []);
    expect(nodesOf(first[0]?.tree ?? []).map(({ logits }) => logits)).toEqual(plain.map(({ logits }) => logits));
  });

  test("of fewer than two samples is refused", async () => {
    await expect(run.explain([image], { uncertainty: { samples: 1 } })).rejects.toThrow("1 samples have no deviation.");
  });
});

describe("a receptive field", () => {
  test("is drawn as a picture of input, heat and, where not all can be seen, mask", async () => {
    const field = await run.receptiveField(image, "blocked");
    expect([field.height, field.width]).toEqual([16, 16]);
    expect(Math.max(...field.influence)).toBe(1);
    // 7 windows of 3 every 2 pixels see the first 15 of 16
    expect(reachableFraction(field)).toBe((15 * 15) / (16 * 16));
    const { data, info } = await sharp(await drawReceptiveField(field))
      .raw()
      .toBuffer({ resolveWithObject: true });
    expect([info.width, info.height, info.channels]).toEqual([16 + 3 * (384 + 16), 384 + 44 + 16, 3]);
    const at = (x: number, y: number): number[] => [
      ...data.subarray((y * info.width + x) * 3, (y * info.width + x) * 3 + 3),
    ];
    // each pixel is a square of 24; the third panel begins at 816
    expect(at(816 + 384 - 12, 44 + 12)).toEqual([60, 70, 90]);
    expect(at(816 + 12, 44 + 12)).toEqual([...field.pixels.subarray(0, 3)]);
    expect(at(16 + 12, 44 + 12)).toEqual([...field.pixels.subarray(0, 3)]);
  });

  test("asks about the largest of several logits", async () => {
    const field = await run.receptiveField(image, "square.color");
    const [explained] = await run.explain([image]);
    const color = nodesOf(explained?.tree ?? []).find(({ path }) => path === "square.color");
    if (color !== undefined) expect(field.logit).toBe(color.decoded[0]);
    expect(["red", "green", "blue"]).toContain(field.logit);
    expect((await run.receptiveField(image, "present")).logit).toBeNull();
  });

  test("is written to a file per image, or to the one that is named", async () => {
    const dir = mkdtempSync(join(tmpdir(), "cool-field-"));
    const [written] = await writeReceptiveFields(run, [image], "present", join(dir, "field.png"));
    expect(written).toMatchObject({ input: image, task: "present", logit: null, file: join(dir, "field.png") });
    expect(existsSync(join(dir, "field.png"))).toBe(true);
    rmSync(dir, { recursive: true });
    await expect(writeReceptiveFields(run, [image, image], "present", "x.png")).rejects.toThrow("there are 2 images");
  });

  test("of an unknown task names the nearest", async () => {
    await expect(run.receptiveField(image, "square.colour")).rejects.toThrow('Did you mean "square.color"?');
  });
});
