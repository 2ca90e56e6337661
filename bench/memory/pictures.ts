/** @file A project of many small pictures, each a file of its own, for measuring what a start takes. */
import { mkdirSync, utimesSync, writeFileSync } from "node:fs";
import path from "node:path";
import sharp from "sharp";

const SIDE = 4;
const PER_FOLDER = 10_000;
/** Files that have changed this moment are read again. */
const AGE_SECONDS = 3600;

/** Writes a project whose table names `count` different pictures of 4 × 4. @returns its folder */
export async function writePictures(folder: string, count: number): Promise<string> {
  const project = path.join(folder, `pictures-${count}`);
  const lines = ["picture,bright"];
  const changed = Date.now() / 1000 - AGE_SECONDS;
  for (let i = 0; i < count; i++) {
    const name = `${Math.floor(i / PER_FOLDER)}/${i}.png`;
    if (i % PER_FOLDER === 0) mkdirSync(path.join(project, path.dirname(name)), { recursive: true });
    const file = path.join(project, name);
    const pixels = Buffer.alloc(SIDE * SIDE * 3, i % 256);
    // each of a content of its own
    pixels.writeUInt32LE(i, 0);
    const picture = sharp(pixels, { raw: { width: SIDE, height: SIDE, channels: 3 } });
    writeFileSync(file, await picture.png({ compressionLevel: 1 }).toBuffer());
    utimesSync(file, changed, changed);
    lines.push(`${name},${i % 256 > 127 ? 1 : 0}`);
  }
  writeFileSync(path.join(project, "rows.csv"), `${lines.join("\n")}\n`);
  writeFileSync(path.join(project, "cool.config.mjs"), CONFIG);
  return project;
}

const CONFIG = `import { binary, defineProject, defineTasks, image } from "dnn-cool";

const tasks = defineTasks({ features: ["features"], tasks: { bright: binary() } }).flow("main", (flow, x, out) => {
  out.add(flow.bright(x.features));
});

export default defineProject({
  name: "pictures",
  tasks,
  flow: "main",
  data: {
    table: "rows.csv",
    inputs: { picture: image({ column: "picture", size: [${SIDE}, ${SIDE}] }) },
    split: { train: 0.8, valid: 0.1, test: 0.1, seed: 7 },
  },
  trunk: ({ picture }, layers) => ({ features: layers.flatten().apply(picture) }),
  train: { epochs: 1, batchSize: 512 },
});
`;
