/** @file The same content written by PyTorch's SummaryWriter and by ours gives TensorBoard the same readings. */
import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import sharp from "sharp";
import { afterAll, beforeAll, expect, it, type TestContext } from "vitest";
import { openEventWriter } from "../../src/logging/tensorboard/index.js";
import { readTensorBoards, type TensorBoardFolder, tensorBoardPython } from "../support/tensorboard.js";

const run = promisify(execFile);
const sourceFile = (file: string) => fileURLToPath(new URL(`../../${file}`, import.meta.url));

const CONTENT = {
  scalars: [0.5, -3, "NaN", "Infinity", 1e-30].map((value, step) => ["door/loss", value, step] as const),
  texts: [["door/note", "# A door\n* open", 3]] as const,
  curves: [["door/pr", [1, 0, 1, 1, 0], [0.9, 0.8, 0.7, 0.2, 0.1], 4]] as const,
  images: [["door/worst", 2, 1, [255, 0, 0, 0, 0, 255], 5]] as const,
};

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "cool-peer-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Python with PyTorch, as `bench/setup-python.sh` makes it; it borrows TensorBoard from the tests' own. */
async function writeWithTorch(context: TestContext, judge: string, target: string): Promise<void> {
  const python = process.env.COOL_BENCH_PYTHON ?? sourceFile(".venv/bench/bin/python");
  if (!existsSync(python)) return context.skip("no Python with PyTorch: run bench/setup-python.sh");
  const { stdout } = await run(judge, ["-c", "import tensorboard; print(tensorboard.__path__[0])"]);
  const packages = join(stdout.trim(), "..");
  const child = run(python, [sourceFile("test/support/peer_writer.py")], {
    env: { ...process.env, PYTHONPATH: packages },
    timeout: 120_000,
  });
  child.child.stdin?.end(JSON.stringify({ folder: target, ...CONTENT }));
  await child;
}

async function writeWithOurs(target: string): Promise<void> {
  const writer = openEventWriter(target);
  for (const [tag, value, step] of CONTENT.scalars) writer.scalar(tag, Number(value), step);
  // PyTorch puts texts under a tag of this ending
  for (const [tag, text, step] of CONTENT.texts) writer.text(`${tag}/text_summary`, text, step);
  for (const [tag, labels, scores, step] of CONTENT.curves) writer.prCurve(tag, { labels, scores }, step);
  for (const [tag, width, height, pixels, step] of CONTENT.images) {
    const png = await sharp(Uint8Array.from(pixels), { raw: { width, height, channels: 3 } })
      .png()
      .toBuffer();
    writer.image(tag, { png, width, height }, step);
  }
  writer.close();
}

/** Everything but the times, and the bytes of PNGs, which differ from encoder to encoder. */
function readings({ scalars, tensors, images, metadata }: TensorBoardFolder) {
  const untimed = (points: readonly { readonly wallTime: number }[]) => points.map(({ wallTime: _, ...rest }) => rest);
  const shown = Object.entries({ ...scalars, ...tensors }).map(([tag, points]) => [tag, untimed(points)]);
  const sizes = Object.values(images).flatMap((points) =>
    points.map(({ step, width, height, images: pictures }) => [step, width, height, pictures.length]),
  );
  const plugins = Object.entries(metadata).map(([tag, { plugin, message }]) => [tag, { plugin, message }]);
  return { series: Object.fromEntries(shown), images: sizes, plugins: Object.fromEntries(plugins) };
}

it("is read alike", { timeout: 400_000 }, async (context) => {
  const judge = await tensorBoardPython();
  if ("skip" in judge) return context.skip(judge.skip);
  const [theirs, ours] = [join(folder, "theirs"), join(folder, "ours")];
  await writeWithTorch(context, judge.python, theirs);
  await writeWithOurs(ours);
  const [their, our] = await readTensorBoards(judge.python, [theirs, ours]);
  expect(their?.scalars["door/loss"]).toHaveLength(5);
  expect(readings(our as TensorBoardFolder)).toEqual(readings(their as TensorBoardFolder));
});
