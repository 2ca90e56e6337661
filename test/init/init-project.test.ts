/** @file Projects that init makes load, and their flow is the one that the table speaks of. */
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import sharp from "sharp";
import { afterAll, describe, expect, test } from "vitest";
import { generateDataset } from "../../examples/home-security/generate.js";
import { ensurePictures } from "../../examples/shapes-masks/generate.js";
import { UsageError } from "../../src/errors.js";
import { openSource } from "../../src/init/source.js";
import { planProject, clearRoles } from "../../src/init/init-project.js";
import { checkProject } from "../../src/project/check-project.js";
import { loadProject } from "../../src/project/load-project.js";
import { csvOf, folder, initIn, ROWS } from "./table.js";

const dirs: string[] = [];
const made = (files: Parameters<typeof folder>[0] = {}): string => {
  const dir = folder(files);
  dirs.push(dir);
  return dir;
};
afterAll(() => {
  for (const dir of dirs) rmSync(dir, { recursive: true, force: true });
});

const bccd = fileURLToPath(new URL("../../../shared/data/bccd/", import.meta.url));

/** Preconditions as `cool check` prints them, by task. */
async function flowOf(dir: string): Promise<Record<string, string>> {
  const { tree, labels } = await checkProject(await loadProject(dir));
  expect(labels.rows.filter(({ contradictory }) => contradictory > 0)).toEqual([]);
  const lines = tree
    .split("\n")
    .slice(1)
    .map((line) => line.replace(/^[│├└─\s]+/, "").replace(/\s+\[.*$/, ""));
  return Object.fromEntries(lines.map((line) => line.split(" | ") as [string, string]));
}

describe("the example's labels", () => {
  // its faces are all 12 pixels wide and high: nothing to be learnt, so left out
  test("give back the example's flow", async () => {
    const dir = made();
    await generateDataset(dir, { count: 300 });
    const { plan } = await initIn(dir, "labels.csv");
    const flow = await flowOf(dir);
    const person = Object.fromEntries(
      ["face_point", "facial_characteristics", "body_box", "shirt_type"].map((name) => [name, "person_present"]),
    );
    expect(flow).toMatchObject({
      camera_blocked: undefined,
      door_open: "not camera_blocked",
      door_locked: "not door_open",
      person_present: "door_open",
      ...person,
    });
    expect(plan.proposal.inputs).toMatchObject([{ kind: "image", size: [64, 64], channels: 3 }]);
    expect(plan.proposal.tasks.find(({ name }) => name === "body_box")?.figure).toMatchObject({
      ...{ kind: "box", format: "xywh", scale: "image", columns: ["body_x1", "body_y1", "body_w", "body_h"] },
    });
    const text = readFileSync(join(dir, "cool.config.ts"), "utf8");
    expect(text).toMatch(
      /\/\/ filled only where door_open = 0: (\d+) of \1 labels; \d+ rows are so\n {2}out\.add\(flow\.door_locked/,
    );
  });
});

describe.skipIf(!existsSync(bccd))(`blood cells${existsSync(bccd) ? "" : ` (no data at ${bccd})`}`, () => {
  test("have boxes that are asked where there is a cell, and what fits equally is named", async () => {
    const dir = made();
    const source = await openSource({ path: bccd, projectDir: dir });
    const plan = await planProject(source, clearRoles(source, {}));
    const by = new Map(plan.proposal.tasks.map((task) => [task.name, task]));
    expect(by.get("wbc_box")?.given).toEqual({ kind: "true", task: "wbc_present" });
    expect(by.get("platelet_box")?.given).toEqual({ kind: "true", task: "platelets_present" });
    expect(by.get("wbc_box")?.evidence).toContain("fits these rows equally: cell_types has WBC");
    expect(by.get("wbc_box")?.figure).toMatchObject({ kind: "box", format: "xywh", scale: "image" });
    expect(plan.proposal.split).toEqual({ column: "split" });
    expect(by.get("cell_types")?.role.names).toEqual(["Platelets", "RBC", "WBC"]);
  });
});

describe("strange tables", () => {
  test("names and cells of every kind make a project that loads and checks", async () => {
    const name = fc.oneof(
      fc.constantFrom(
        "constructor",
        "__proto__",
        "add",
        "then",
        "class",
        "mlp",
        "image",
        "x",
        "out",
        "main",
        "features",
      ),
      fc.constantFrom(
        "a b",
        "a_b",
        "a-b",
        'say "hi"',
        "it's",
        "größe",
        "名前",
        "1st",
        "${x}",
        "*/ //",
        "text",
        "numbers",
      ),
      fc.string({ minLength: 1, maxLength: 12 }).filter((text) => text.trim() === text && text !== ""),
    );
    const word = fc.oneof(
      fc.constantFrom('"', "'", "\\", "`${x}`", "*/", "ä", "none", "line\nbreak"),
      fc.string({ minLength: 1, maxLength: 6 }),
    );
    const words = fc.uniqueArray(
      word.map((text) => text.trim()).filter((text) => text !== "" && text.toLowerCase() !== "nan"),
      { minLength: 3, maxLength: 4 },
    );
    // a few wide tables: what a project costs is reading files, whatever their number of columns
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(name, { minLength: 24, maxLength: 30, size: "max" }),
        fc.array(words, { minLength: 30, maxLength: 30 }),
        async (columns, wordsOf) => {
          const gate = columns[0] ?? "";
          const cells = (row: number, column: number): string => {
            if (column === 0) return String(row % 2);
            if (column === 1) return String((row * 7) % 13);
            // asked where the first column says 1
            const own = wordsOf[column] ?? [];
            return row % 2 === 1 ? (own[Math.floor(row / 2) % own.length] ?? "") : "";
          };
          const rows = Array.from({ length: ROWS }, (_, row) => columns.map((_, i) => cells(row, i)));
          const dir = folder({ "labels.csv": csvOf(columns, rows) });
          try {
            const tasks = new Map([
              [gate, "binary"] as const,
              ...columns.slice(2).map((column) => [column, "classification"] as const),
            ]);
            await initIn(dir, "labels.csv", { tasks, inputs: [columns[1] ?? ""] });
            const project = await loadProject(dir);
            const { unasked } = await checkProject(project);
            expect(unasked).toEqual([]);
            expect(project.graph.tasks).toHaveLength(columns.length - 1);
            expect(project.graph.tasks.filter(({ precondition }) => precondition !== null)).toHaveLength(
              columns.length - 2,
            );
          } finally {
            rmSync(dir, { recursive: true, force: true });
          }
        },
      ),
      { numRuns: 6, seed: 7 },
    );
  });

  const header = ["n", "y"];
  const rows = Array.from({ length: ROWS }, (_, row) => [String(row * 3), String(row % 2)]);

  test.each([
    ["an empty file", "", /is empty/],
    ["a header alone", "n,y\n", /has no rows/],
    ["two columns of one name", csvOf(["n", "n"], rows), /two columns named "n"/],
    [
      "one column",
      csvOf(
        ["y"],
        rows.map(([, y = ""]) => [y]),
      ),
      /no column that answers could be seen from/,
    ],
    [
      "columns that are all empty",
      csvOf(
        header,
        rows.map(() => ["", ""]),
      ),
      /No column of .* is a question: .*"n": it is empty/,
    ],
  ])("%s is refused with what to change", async (_, text, message) => {
    const dir = made({ "labels.csv": text });
    await expect(initIn(dir, "labels.csv")).rejects.toThrow(message);
    expect(existsSync(join(dir, "cool.config.ts"))).toBe(false);
  });

  test("semicolons separate columns, too", async () => {
    const dir = made({ "labels.csv": csvOf(header, rows).replaceAll(",", ";") });
    await initIn(dir, "labels.csv");
    expect(await flowOf(dir)).toEqual({ y: undefined });
  });

  test("a rare label of which the train split has none is left out", async () => {
    const cells = Array.from({ length: ROWS }, (_, row) => [
      String(row * 3),
      String(row % 2),
      row === 7 ? "1" : row === 9 ? "0" : "",
      row % 5 === 0 ? "val" : "train",
    ]);
    const onlyValid = cells.map((line, row) => (row === 7 || row === 9 ? [...line.slice(0, 3), "val"] : line));
    const dir = made({ "labels.csv": csvOf(["n", "y", "rare", "split"], onlyValid) });
    const { plan } = await initIn(dir, "labels.csv", {
      tasks: new Map([
        ["y", "binary"],
        ["rare", "binary"],
      ]),
    });
    expect(plan.proposal.columns[2]).toMatchObject({ role: "ignored", why: "it has no label in the train split" });
    expect(await flowOf(dir)).toEqual({ y: undefined });
  });

  test("columns that may be either are an error that says by which flags to decide", async () => {
    const dir = made({ "labels.csv": csvOf(["age", "smoker"], rows) });
    await expect(initIn(dir, "labels.csv")).rejects.toThrow(/--task smoker=binary, --input smoker/);
    await expect(initIn(dir, "labels.csv")).rejects.toBeInstanceOf(UsageError);
  });
});

describe("folders of pictures", () => {
  const picture = (grey: number) =>
    sharp({ create: { width: 20, height: 10, channels: 3, background: { r: grey, g: grey, b: grey } } })
      .png()
      .toBuffer();

  test("a folder for each class becomes a table and a classification", async () => {
    const dir = made();
    for (const [i, name] of ["cats/1.png", "cats/deep/2.png", "it's a dog/3.png", "it's a dog/4.png"].entries()) {
      mkdirSync(join(dir, "photos", name, ".."), { recursive: true });
      writeFileSync(join(dir, "photos", name), await picture(60 * i));
    }
    const { plan } = await initIn(dir, "photos");
    expect(readFileSync(join(dir, "labels.csv"), "utf8")).toBe(
      "img,label\nphotos/cats/1.png,cats\nphotos/cats/deep/2.png,cats\nphotos/it's a dog/3.png,it's a dog\nphotos/it's a dog/4.png,it's a dog\n",
    );
    expect(plan.proposal.inputs).toMatchObject([{ kind: "image", size: [10, 20] }]);
    expect(await flowOf(dir)).toEqual({ label: undefined });
    // its own table is not replaced unasked
    await expect(initIn(dir, "photos")).rejects.toThrow(/are there already. Replace with --force/);
    await expect(initIn(dir, "photos", {}, true)).resolves.toBeDefined();
  });

  test("folders called train and test are the split, and some of train validates", async () => {
    const dir = made();
    for (const split of ["train", "test"]) {
      for (let i = 0; i < 16; i++) {
        const path = join(dir, "data", split, i % 2 === 0 ? "a" : "b", `${i}.png`);
        mkdirSync(join(path, ".."), { recursive: true });
        writeFileSync(path, await picture(i));
      }
    }
    await initIn(dir, "data");
    const { settings } = await loadProject(dir);
    expect(settings.data.split).toEqual({ column: "split" });
    const lines = readFileSync(join(dir, "labels.csv"), "utf8").trim().split("\n").slice(1);
    const count = (split: string) => lines.filter((line) => line.endsWith(`,${split}`)).length;
    expect([count("train"), count("valid"), count("test")]).toEqual([14, 2, 16]);
  });

  test("pictures that are not there are told of before anything is written, some of them are left out", async () => {
    const dir = made({
      "labels.csv": csvOf(
        ["img", "y"],
        Array.from({ length: 30 }, (_, row) => [`p${row}.png`, String(row % 2)]),
      ),
    });
    await expect(initIn(dir, "labels.csv")).rejects.toThrow(
      /None of the pictures .* p0\.png \(row 1 \(line 2\)\) is not found/,
    );
    for (let row = 1; row < 30; row++) writeFileSync(join(dir, `p${row}.png`), await picture(row));
    await initIn(dir, "labels.csv");
    expect((await loadProject(dir)).settings.data.onBadImage).toBe("skip");
    expect(readFileSync(join(dir, "cool.config.ts"), "utf8")).toContain(
      "// 1 of the 30 pictures that were looked at cannot be used: p0.png",
    );
  });
});

describe("what is there", () => {
  const labels = csvOf(
    ["n", "y"],
    Array.from({ length: ROWS }, (_, row) => [String(row * 3), String(row % 2)]),
  );

  test("is kept: nothing is written over a configuration without force", async () => {
    const dir = made({ "labels.csv": labels, "cool.config.js": "mine", ".gitignore": "dist" });
    await expect(initIn(dir, "labels.csv")).rejects.toThrow(/cool\.config\.js is there already/);
    expect(existsSync(join(dir, "package.json"))).toBe(false);
  });

  test("package.json that npm made is completed, any other is kept", async () => {
    const dependencies = { "dnn-cool": "^9.0.0" };
    const installed = made({ "labels.csv": labels, "package.json": JSON.stringify({ dependencies }) });
    const { files } = await initIn(installed, "labels.csv");
    expect(files.find(({ path }) => path === "package.json")?.action).toBe("completed");
    expect(JSON.parse(readFileSync(join(installed, "package.json"), "utf8"))).toEqual({ dependencies, type: "module" });

    const other = { name: "mine", version: "1.0.0" };
    const written = made({ "labels.csv": labels, "package.json": JSON.stringify(other), ".gitignore": "dist" });
    await initIn(written, "labels.csv");
    expect(JSON.parse(readFileSync(join(written, "package.json"), "utf8"))).toEqual(other);
    expect(readFileSync(join(written, ".gitignore"), "utf8")).toBe("dist");
    await initIn(written, "labels.csv", {}, true);
    expect(JSON.parse(readFileSync(join(written, "package.json"), "utf8"))).toMatchObject({ ...other, type: "module" });
    expect(readFileSync(join(written, ".gitignore"), "utf8")).toBe("dist\nnode_modules/\n.cool/\n");
  });

  const isRoot = process.getuid?.() === 0;
  test.skipIf(isRoot)(
    `a folder that cannot be written to is named${isRoot ? " (root may write everywhere)" : ""}`,
    async () => {
      const dir = made({ "labels.csv": labels });
      chmodSync(dir, 0o555);
      await expect(initIn(dir, "labels.csv")).rejects.toThrow(`The folder ${dir} cannot be written to`);
      chmodSync(dir, 0o755);
    },
  );
});

test("a column of texts is read by its words, and the way to a pretrained encoder stands above it", async () => {
  const words = ["parcel", "door", "late", "broken", "thanks"];
  const rows = Array.from({ length: ROWS }, (_, i) => [
    `the ${words[i % 5]} of order ${words[(i * 3) % 5]} is ${words[(i * 7 + 1) % 5]}, no. ${i}`,
    String(i % 2),
  ]);
  const dir = made({ "letters.csv": csvOf(["text", "complaint"], rows) });
  await initIn(dir, "letters.csv");
  expect(readFileSync(join(dir, "cool.config.ts"), "utf8")).toContain(
    '      // a pretrained encoder takes tokenizer({ column: "text", file: "tokenizer.json" }): docs/training.md\n' +
      '      text: tokens({ column: "text"',
  );
});

test("columns of masks become tasks per pixel, on a trunk that keeps the picture's size", async () => {
  const dir = made();
  await ensurePictures(dir, undefined, 24);
  renameSync(join(dir, "shapes.csv"), join(dir, "labels.csv"));
  const { plan } = await initIn(dir, "labels.csv");
  const text = readFileSync(join(dir, "cool.config.ts"), "utf8");
  expect(plan.proposal.inputs).toMatchObject([{ columns: ["picture"], size: [32, 32] }]);
  expect(text).toContain(
    'shape: classification({ per: "pixel", classes: ["class_0", "class_1", "class_2", "class_3"] })',
  );
  expect(text).toContain('striped: binary({ per: "pixel" })');
  // hundredths in 16 bits
  expect(text).toContain('height: regression({ per: "pixel" })');
  expect(text).toContain("return { features: mapFeatures()(pixels, layers), pixels };");
  // pictures without a shape have no masks
  expect(await flowOf(dir)).toMatchObject({ occupied: undefined, shape: "occupied", striped: "occupied" });
});

test("pictures of few greys are no masks where no other pictures are left", async () => {
  const dir = made();
  const grey = sharp({ create: { width: 8, height: 8, channels: 3, background: "black" } }).toColourspace("b-w");
  await grey.png().toFile(join(dir, "a.png"));
  const path = join(dir, "t.csv");
  writeFileSync(path, "x,y\na.png,a.png\n");
  const table = await openSource({ path, projectDir: dir });
  expect([...(table.masks ?? [])]).toEqual([]);
});
