/** @file `cool plot` as a user meets it: in a pipe, as JSON, as pictures, and with wrong names. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openRunStore } from "../../src/storage/run-store.js";
import type { MetricPoint } from "../../src/tasks/evaluation.js";
import { cool, coolJson } from "../support/cli.js";

let dir: string;
const plot = (...args: string[]) => cool(["plot", ...args, "--store", dir]);

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "cool-plot-"));
  const store = openRunStore(dir);
  for (const [i, name] of ["one", "two"].entries()) {
    const { id } = store.createRun({ project: "p", name });
    const points = [1, 2, 3, 4].flatMap((epoch) =>
      (["train", "valid"] as const).map(
        (split): MetricPoint => ({
          ...{ split, taskPath: "_total", metricName: "loss", step: 10 * epoch, epoch, wallTime: epoch },
          value: (i + 1) / epoch,
        }),
      ),
    );
    store.appendMetrics(id, points);
    store.finishRun(id, "finished");
  }
  store.close();
});
afterAll(() => rmSync(dir, { recursive: true }));

describe("cool plot", () => {
  it("draws the latest run in 80 × 24 without colour where there is no terminal", async () => {
    const { code, stdout } = await plot();
    expect(code).toBe(0);
    const lines = stdout.trimEnd().split("\n");
    expect(lines).toHaveLength(24);
    expect(lines[0]).toBe("_total/loss, two");
    expect(lines.at(-1)).toBe("a train  0.5000   b valid  0.5000");
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(stdout).not.toContain("\u001b");
  });

  it("prints the curves as JSON, smoothed by TensorBoard's formula", async () => {
    const { curves } = await coolJson<{ curves: { name: string; x: number[]; value: number[]; raw: number[] }[] }>([
      ...["plot", "one", "two", "--metric", "valid/_total/loss", "--x", "epoch", "--smooth", "0.5", "--store", dir],
    ]);
    expect(curves.map(({ name }) => name)).toEqual(["one", "two"]);
    expect(curves[0]?.x).toEqual([1, 2, 3, 4]);
    expect(curves[0]?.raw).toEqual([1, 1 / 2, 1 / 3, 1 / 4]);
    // by hand: (0.25 × 1 + 0.5 × 0.5) / 0.75
    expect(curves[0]?.value[1]).toBeCloseTo(2 / 3, 12);
  });

  it("writes PNG and SVG", async () => {
    // their folder is made, as exports do
    const [png, svg] = [join(dir, "pictures", "loss.png"), join(dir, "pictures", "loss.svg")];
    const { code, stdout } = await plot("one", "two", "--png", png, "--svg", svg, "--width", "640", "--height", "400");
    expect({ code, stdout }).toEqual({ code: 0, stdout: `4 curves written to ${png} and ${svg}\n` });
    expect(await sharp(png).metadata()).toMatchObject({ format: "png", width: 1280, height: 800 });
    expect(readFileSync(svg, "utf8").match(/<polyline /g)).toHaveLength(4);
  });

  it("refuses a wrong name with the nearest one", async () => {
    const metric = await plot("one", "--metric", "valid/_total/los");
    expect(metric.code).toBe(2);
    expect(metric.stderr).toContain('Did you mean "valid/_total/loss"');
    const ending = await plot("one", "--png", "x.jpg");
    expect(ending.code).toBe(2);
    expect(ending.stderr).toContain("Name a file that ends in .png");
  });
});
