/** @file Bad input as a user meets it: what is wrong, where, and what to change; nothing is trained, nothing is lost. */
import { existsSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { openRunStore } from "../../src/storage/run-store.js";
import { type CliResult, cool } from "../support/cli.js";
import { type TinyProject, tinyProject } from "../support/projects.js";

let project: TinyProject;
afterEach(() => project.remove());

/** `cool run` on a fresh project after a change to it. */
async function runAfter(
  change: (project: TinyProject) => void | Promise<void>,
  args: readonly string[] = [],
): Promise<CliResult> {
  project = await tinyProject(30);
  await change(project);
  return cool(["run", project.dir, ...args]);
}

/** The error's paragraph, with the project's folder as DIR. */
function errorOf({ stderr }: CliResult): string {
  const [, message = ""] = /^Error: ([\s\S]*)$/m.exec(stderr) ?? [];
  return message.trimEnd().replaceAll(project.dir, "DIR");
}

/** Fails with exactly this message, and leaves no run behind. */
function expectNoRun(result: CliResult, message: string, code = 1): void {
  expect(errorOf(result)).toBe(message);
  expect(result.code).toBe(code);
  expect(result.stdout).toBe("");
  expect(result.stderr).not.toMatch(/^\s+at /m);
  expect(storedRuns()).toEqual([]);
}

/** Runs of the project's store; none where there is no store. */
function storedRuns(): unknown[] {
  if (!existsSync(join(project.dir, ".cool", "cool.db"))) return [];
  const store = openRunStore(join(project.dir, ".cool"), { readonly: true });
  try {
    return store.listRuns();
  } finally {
    store.close();
  }
}

/** Replaces a text in the table's line of row 3 (counted from 1). */
const inRow3 = (from: string | RegExp, to: string) => (project: TinyProject) =>
  project.editTable((lines) => lines.map((line, i) => (i === 3 ? line.replace(from, to) : line)));
const inHeader = (from: string, to: string) => (project: TinyProject) =>
  project.editTable(([header = "", ...rows]) => [header.replace(from, to), ...rows]);
const inConfig = (from: string, to: string) => (project: TinyProject) => project.editConfig([from, to]);

/** What each change to the project is answered with. */
type Case = readonly [fact: string, change: (project: TinyProject) => void, message: string];

describe("a table that cannot be used", () => {
  it.each<Case>([
    [
      "has no image column",
      inConfig('column: "img"', 'column: "imgs"'),
      'labels.csv has no column "imgs" for the input "image". Did you mean "img"?',
    ],
    [
      "has no column for a task",
      inHeader("present", "person"),
      'labels.csv has no label column for the task "present": there is no "present". Its columns: img, blocked, person, color, marks, x. Rename the column or set the task\'s column option.',
    ],
    [
      "has a column twice",
      inHeader("present", "blocked"),
      'labels.csv has two columns named "blocked". Rename or remove one of them.',
    ],
    [
      "names an unknown class",
      inRow3("red", "rde"),
      '1 label in labels.csv cannot be read: row 3 (line 4), column "color", task "square.color": "rde" names the unknown class "rde"; did you mean "red"?',
    ],
    [
      "names an unknown label",
      inRow3("none", "strip"),
      '1 label in labels.csv cannot be read: row 3 (line 4), column "marks", task "square.marks": "strip" names the unknown label "strip"; did you mean "stripe"?',
    ],
    [
      "lists labels with another delimiter",
      inRow3("none", "stripe;dot"),
      '1 label in labels.csv cannot be read: row 3 (line 4), column "marks", task "square.marks": "stripe;dot" lists labels with ";" between them, not ","; say multilabel({ delimiter: ";", … }).',
    ],
    [
      "has a value above the maximum",
      inRow3(/,0$/, ",17"),
      '1 label in labels.csv cannot be read: row 3 (line 4), column "x", task "square.position.x": "17" is outside [0, 16]; correct the label, or the task\'s min, max or scale.',
    ],
    [
      "has a value below the minimum",
      inRow3(/,0$/, ",-1"),
      '1 label in labels.csv cannot be read: row 3 (line 4), column "x", task "square.position.x": "-1" is outside [0, 16]; correct the label, or the task\'s min, max or scale.',
    ],
    [
      "has a word for a yes-or-no label",
      inRow3(",0,1,", ",no,1,"),
      '1 label in labels.csv cannot be read: row 3 (line 4), column "blocked": "no" is not a yes-or-no label; use 0, 1, true, false, or leave it empty.',
    ],
    [
      "has no rows",
      (tiny) => tiny.editTable((lines) => lines.slice(0, 1)),
      "labels.csv has no rows. Add at least one.",
    ],
    [
      "is an empty file",
      (tiny) => writeFileSync(tiny.tableFile, ""),
      "labels.csv is empty. Write a header line and one line per row.",
    ],
    [
      "is not there",
      inConfig("labels.csv", "label.csv"),
      'There is no table DIR/label.csv. Did you mean "labels.csv"?',
    ],
    [
      "labels a task in no row of the train split",
      (tiny) => tiny.editTable((lines) => lines.map((line) => line.replace(/,(red|green|blue),/, ",,"))),
      'No row of the train split has a label for "square.color". Label some rows, change the split, or take the task out of the flow.',
    ],
  ])("%s", async (_fact, change, message) => {
    expectNoRun(await runAfter(change), message);
  });
});

/** A PNG whose header claims another size. */
function forgedSize(file: string, side: number): Buffer {
  const bytes = readFileSync(file);
  bytes.writeUInt32BE(side, 16);
  bytes.writeUInt32BE(side, 20);
  return bytes;
}

const UNUSABLE_IMAGES: readonly (readonly [string, (project: TinyProject) => void, string])[] = [
  ["is missing", inRow3("002", "999"), '"images/999.png" is not found'],
  [
    "is no image",
    (tiny) => writeFileSync(tiny.image(2), "not a picture"),
    '"images/002.png" is not an image (JPEG, PNG, WebP or TIFF)',
  ],
  [
    "is truncated",
    (tiny) => truncateSync(tiny.image(2), 60),
    '"images/002.png" is damaged or truncated: Input buffer has corrupt header',
  ],
  ["is empty", (tiny) => truncateSync(tiny.image(2), 0), '"images/002.png" is an empty file'],
  [
    "is too large",
    (tiny) => writeFileSync(tiny.image(2), forgedSize(tiny.image(2), 30_000)),
    '"images/002.png" has more than 268 million pixels; make it smaller',
  ],
  [
    "lies outside the data folder",
    inRow3("images/002.png", "../../etc/passwd"),
    '"../../etc/passwd" lies outside the data folder',
  ],
];

describe("an image that cannot be used", () => {
  it.each(UNUSABLE_IMAGES)("stops the run where it %s", async (_fact, change, reason) => {
    expectNoRun(
      await runAfter(change),
      `1 of 30 images of labels.csv cannot be used: row 3: ${reason}. Correct them, or set onBadImage to "skip" to leave such rows out.`,
    );
  });

  it("is left out with onBadImage skip, and the run says of how many rows it knows nothing", async () => {
    const result = await runAfter(
      (tiny) => {
        writeFileSync(tiny.image(2), "not a picture");
        truncateSync(tiny.image(7), 0);
        writeFileSync(tiny.image(13), forgedSize(tiny.image(13), 30_000));
      },
      ["--set", "data.onBadImage=skip", "--epochs", "1", "--json"],
    );
    expect(result.code).toBe(0);
    const { run, skipped } = result.json as { run: { dir: string }; skipped: number };
    expect(skipped).toBe(3);
    expect(result.stderr).toContain(
      "3 rows were skipped; the first: images/002.png (row 3): is not an image (JPEG, PNG, WebP or TIFF)",
    );
    expect(JSON.parse(readFileSync(join(run.dir, "config.json"), "utf8")).skipped).toEqual([
      { row: 3, sample: "images/002.png", reason: "is not an image (JPEG, PNG, WebP or TIFF)" },
      { row: 8, sample: "images/007.png", reason: "is an empty file" },
      { row: 14, sample: "images/013.png", reason: "has more than 268 million pixels; make it smaller" },
    ]);
    expect(readFileSync(join(run.dir, "stdout.log"), "utf8")).toContain("3 skipped");
    const shown = await cool(["runs", "show", "--project", project.dir, "--json"]);
    expect(shown.json).toMatchObject({ run: { skipped: 3 } });
  });
});

describe("a configuration that cannot be used", () => {
  it.each<Case>([
    [
      "does not parse",
      inConfig("const tasks =", "const tasks = ="),
      "DIR/cool.config.ts, line 3 cannot be loaded: ParseError: Unexpected token DIR/cool.config.ts:3:14.",
    ],
    [
      "exports no project",
      inConfig("export default", "export const project ="),
      "DIR/cool.config.ts does not export a project. End it with: export default defineProject({ … }).",
    ],
    [
      "names an unknown feature",
      inConfig("x.place", "x.plaec"),
      'DIR/cool.config.ts, line 14: No feature named "plaec" in flow "position". Did you mean "place"?',
    ],
    [
      "names an unknown task",
      inConfig("flow.present(", "flow.presnt("),
      'DIR/cool.config.ts, line 23: No task or earlier flow named "presnt" in flow "full". Did you mean "present"?',
    ],
    [
      "names an unknown gate",
      inConfig("out.blocked.not", "out.bloked.not"),
      'DIR/cool.config.ts, line 23: No earlier task named "bloked" in flow "full". Did you mean "blocked"?',
    ],
    [
      "uses a gate before it is added",
      inConfig("out.blocked.not()", 'out.marks.has("dot")'),
      'DIR/cool.config.ts, line 23: The flow "full" uses "marks" as a gate before it is added. Add it first: out.add(flow.marks(…)).',
    ],
    [
      "asks for an unknown class",
      inConfig('is("blue")', 'is("bleu")'),
      'DIR/cool.config.ts, line 19: No class named "bleu" in task "square.color", asked in flow "square". Did you mean "blue"?',
    ],
    [
      "throws in the trunk function",
      inConfig("features: layers", "features: (undefined as unknown as typeof layers)"),
      "DIR/cool.config.ts, line 40: The trunk function fails: Cannot read properties of undefined (reading 'dense')",
    ],
    [
      "names an unknown flow",
      inConfig('flow: "full"', 'flow: "ful"'),
      'DIR/cool.config.ts: No flow named "ful" in the project\'s flow. Did you mean "full"?',
    ],
    [
      "has an unknown setting",
      inConfig("batchSize", "batchsize"),
      'DIR/cool.config.ts: "train.batchsize" is not a setting; did you mean "train.batchSize"?',
    ],
    [
      "has an unknown key",
      inConfig("train: { epochs", "trian: { epochs"),
      'DIR/cool.config.ts: "trian" is not a key of defineProject; did you mean "train"?',
    ],
    [
      "has a value that no setting takes",
      inConfig("batchSize: 8", 'batchSize: "8"'),
      'DIR/cool.config.ts: "train.batchSize" is wrong: Invalid input: expected number, received string.',
    ],
    [
      "has a split that does not add up",
      inConfig("train: 0.6", "train: 0.9"),
      "The split's fractions are train 0.9, valid 0.2, test 0.2; each must be 0 or more and they must add up to 1.",
    ],
    [
      "misses a trunk output",
      inConfig("      place: layers", "      // place: layers"),
      'DIR/cool.config.ts: The trunk returns no "place", which is declared in features. It returns features.',
    ],
    [
      "has a trunk output too many",
      inConfig("      place: layers", "      plaec: flat, place: layers"),
      'DIR/cool.config.ts: No feature named "plaec" in the trunk\'s outputs. Did you mean "place"?',
    ],
    [
      "asks the trunk for an unknown input",
      inConfig("({ image }, layers)", "({ imag: image }, layers)"),
      'DIR/cool.config.ts, line 36: No input named "imag" in the trunk function. Did you mean "image"?',
    ],
  ])("%s", async (_fact, change, message) => {
    expectNoRun(await runAfter(change), message);
  });

  it("is not blamed for what --set says", async () => {
    const unchanged = (): void => {};
    const unknown = await runAfter(unchanged, ["--set", "train.batchsize=3"]);
    expectNoRun(unknown, '--set: "train.batchsize" is not a setting; did you mean "train.batchSize"?', 2);
    const malformed = await runAfter(unchanged, ["--set", "train.epochs"]);
    expectNoRun(malformed, "--set train.epochs is not key=value. Write e.g. --set train.batchSize=64.", 2);
  });
});

describe("the stack of an error", () => {
  it("is printed where DEBUG asks for it", async () => {
    project = await tinyProject(30);
    project.editConfig(["x.place", "x.plaec"]);
    const result = await cool(["check", project.dir], { env: { DEBUG: "cool*" } });
    expect(result.code).toBe(1);
    expect(result.stderr).toMatch(/^\s+at .*project/m);
  });
});
