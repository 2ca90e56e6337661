/** @file Flows as labelling projects of Label Studio, and its exports as cells. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { readLabels } from "../../../src/data/labels/labels.js";
import { refuseOtherPasses, removePasses } from "../../../src/asking/labelling/stale-passes.js";
import { studioPasses } from "../../../src/asking/labelling/studio-config.js";
import { readStudioExport } from "../../../src/asking/labelling/studio-export.js";
import { studioTasks } from "../../../src/asking/labelling/studio-tasks.js";
import { labelSeconds } from "../../../src/asking/labelling/costs.js";
import type { LabelTable } from "../../../src/asking/audit/label-table.js";
import { scoreSplit } from "../../../src/analysis/score.js";
import { readTables } from "../../../src/data/tables/tables.js";
import { defineTasks } from "../../../src/flow/define.js";
import { traceFlow } from "../../../src/flow/trace.js";
import { binary, box, boundedRegression, classification, multilabel, ordinal } from "../../../src/tasks/index.js";
import { defaultThresholds } from "../../support/security-flow.js";

const graph = traceFlow(
  defineTasks({
    features: ["f"],
    tasks: {
      open: binary(),
      locked: binary(),
      paint: classification({ classes: ["red", "blue", "green"] }),
      marks: multilabel({ labels: ["dot", "stripe"] }),
      grade: ordinal({ levels: ["low", "middle", "high"] }),
      size: boundedRegression({ max: 10 }),
      tiny: binary(),
      where: box({ columns: ["x", "y", "w", "h"], format: "xywh", scale: "image" }),
    },
  }).flow("all", (flow, x, out) => {
    out.add(flow.open(x.f));
    out.add(flow.locked(x.f).given(out.open.not()));
    out.add(flow.paint(x.f).given(out.open));
    out.add(flow.marks(x.f).given(out.paint.is("red").or(out.paint.is("blue"))));
    out.add(flow.grade(x.f).given(out.marks.has("dot").not()));
    out.add(flow.size(x.f).given(out.grade.atLeast("middle")));
    out.add(flow.tiny(x.f).given(out.size.below(3)));
    out.add(flow.where(x.f).given(out.open.or(out.locked)));
  }),
  "all",
);

const dir = mkdtempSync(join(tmpdir(), "cool-studio-"));
afterAll(() => rmSync(dir, { recursive: true }));

async function tableOf(...lines: readonly string[]): Promise<LabelTable> {
  const head = "img,open,locked,paint,marks,grade,size,tiny,x,y,w,h";
  writeFileSync(join(dir, "labels.csv"), `${[head, ...lines].join("\n")}\n`);
  const sources = [{ table: "labels.csv" }];
  const joined = await readTables(sources, dir);
  const ids = (joined.tables[0]?.columns.get("img") ?? []).map(String);
  const labels = readLabels(graph, joined, null);
  return { joined, sources, projectDir: dir, labels, ids, rowOf: new Map(ids.map((id, row) => [id, row])) };
}

describe("a folder for a labelling project", () => {
  const folderWith = (files: Readonly<Record<string, string>>): string => {
    const folder = mkdtempSync(join(dir, "studio-"));
    mkdirSync(join(folder, "pass-2"));
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    return folder;
  };
  const own = studioPasses(graph, new Set(["open"]), "image")[0]?.config ?? "";

  it("may hold what an earlier call wrote, and nothing else of those names", () => {
    expect(() => refuseOtherPasses(join(dir, "not-there"))).not.toThrow();
    expect(() => refuseOtherPasses(folderWith({ "config.xml": own, "tasks.json": "[]" }))).not.toThrow();
    for (const files of [
      { "config.xml": "<View/>" },
      { "tasks.json": "[]" },
      { "config.xml": own, "pass-2/config.xml": "<View/>" },
    ]) {
      expect(() => refuseOtherPasses(folderWith(files))).toThrow(/is there already/);
    }
  });
});

describe("a labelling configuration", () => {
  const passes = studioPasses(graph, new Set(graph.tasks.map(({ path }) => path)), "image");

  it("shows each control where its condition holds", () => {
    expect(passes[0]?.config).toMatchInlineSnapshot(`
      "<View>
        <Header value="$ask"/>
        <Image name="image" value="$image"/>
        <Header size="5" value="open"/>
        <Choices name="open" toName="image" choice="single" showInline="true">
          <Choice value="yes"/>
          <Choice value="no"/>
        </Choices>
        <View visibleWhen="choice-selected" whenTagName="open" whenChoiceValue="no">
          <Header size="5" value="locked"/>
          <Choices name="locked" toName="image" choice="single" showInline="true">
            <Choice value="yes"/>
            <Choice value="no"/>
          </Choices>
        </View>
        <View visibleWhen="choice-selected" whenTagName="open" whenChoiceValue="yes">
          <Header size="5" value="paint"/>
          <Choices name="paint" toName="image" choice="single" showInline="true">
            <Choice value="red"/>
            <Choice value="blue"/>
            <Choice value="green"/>
          </Choices>
        </View>
        <View visibleWhen="choice-selected" whenTagName="open" whenChoiceValue="yes">
          <View visibleWhen="choice-selected" whenTagName="paint" whenChoiceValue="red,blue">
            <Header size="5" value="marks"/>
            <Choices name="marks" toName="image" choice="multiple" showInline="true">
              <Choice value="dot"/>
              <Choice value="stripe"/>
              <Choice value="none"/>
            </Choices>
          </View>
        </View>
        <View visibleWhen="choice-selected" whenTagName="open" whenChoiceValue="yes">
          <View visibleWhen="choice-selected" whenTagName="paint" whenChoiceValue="red,blue">
            <View visibleWhen="choice-selected" whenTagName="marks" whenChoiceValue="dot,stripe,none">
              <View visibleWhen="choice-unselected" whenTagName="marks" whenChoiceValue="dot">
                <Header size="5" value="grade"/>
                <Choices name="grade" toName="image" choice="single" showInline="true">
                  <Choice value="low"/>
                  <Choice value="middle"/>
                  <Choice value="high"/>
                </Choices>
              </View>
            </View>
          </View>
        </View>
        <View visibleWhen="choice-selected" whenTagName="open" whenChoiceValue="yes">
          <View visibleWhen="choice-selected" whenTagName="paint" whenChoiceValue="red,blue">
            <View visibleWhen="choice-selected" whenTagName="marks" whenChoiceValue="dot,stripe,none">
              <View visibleWhen="choice-unselected" whenTagName="marks" whenChoiceValue="dot">
                <View visibleWhen="choice-selected" whenTagName="grade" whenChoiceValue="middle,high">
                  <Header size="5" value="size"/>
                  <Number name="size" toName="image" min="0" max="10" step="0.01"/>
                </View>
              </View>
            </View>
          </View>
        </View>
      </View>
      "
    `);
  });

  it("leaves what it cannot express to a second pass: bounds of numbers, and either of two gates", () => {
    expect(passes[1]?.tasks.map(({ path }) => path)).toEqual(["tiny", "where"]);
    expect(passes[1]?.config).not.toContain("visibleWhen");
    expect(passes[1]?.config).toContain('<Rectangle name="where" toName="image" canRotate="false"/>');
  });

  it("has the gates of what is asked for, and nothing else", () => {
    const [only, ...more] = studioPasses(graph, new Set(["locked"]), "text");
    expect(only?.tasks.map(({ path }) => path)).toEqual(["open", "locked"]);
    expect(only?.config).toContain('<Text name="text" value="$text"/>');
    expect(more).toEqual([]);
  });

  it("tasks have what is known and what the network says of what is asked, and no more", () => {
    const widths = [1, 1, 3, 2, 2, 1, 1, 4];
    const answers = [1, 1, 1, 2, 1, 1, 1, 4].map((width) => new Float32Array(width).fill(Number.NaN));
    answers[0]?.fill(1);
    const scored = scoreSplit(
      graph,
      {
        split: "train",
        ids: ["1.png"],
        outputs: widths.map((width) => Float32Array.from({ length: width }, (_, i) => (i === 1 ? 3 : -1))),
        labels: answers.map((column, i) => ({ answers: column, unitScale: i === 7 ? Float32Array.of(40, 20) : null })),
      },
      defaultThresholds(graph),
    );
    const cell = { row: 0, bundle: 0, asked: 1, after: [], gain: 1, seconds: 1 };
    const [first] = passes;
    if (first === undefined) throw new Error("there is a pass");
    const place = { table: "labels.csv", row: 1, sample: "1.png" };
    const tasks = studioTasks(first, scored, [{ ...cell, task: 2 }], () => ({ ...place, shown: "/1.png" }), {
      object: "image",
      run: "door",
    });
    expect(tasks).toEqual([
      {
        data: { image: "/1.png", ask: "Asked: paint", cool: { ...place, tasks: ["paint"] } },
        predictions: [
          {
            model_version: "door",
            result: [
              { from_name: "open", to_name: "image", type: "choices", value: { choices: ["yes"] } },
              { from_name: "paint", to_name: "image", type: "choices", value: { choices: ["blue"] } },
            ],
          },
        ],
      },
    ]);
  });
});

/** One task of an export, in the form of https://labelstud.io/guide/task_format and the pages of its tags. */
function exported(row: number, sample: string, results: readonly object[], more: object = {}) {
  return {
    id: 100 + row,
    project: 3,
    data: { image: `/data/local-files/?d=${sample}`, cool: { table: "labels.csv", row, sample, tasks: [] } },
    annotations: [
      {
        id: 7,
        completed_by: 1,
        was_cancelled: false,
        ground_truth: false,
        created_at: "2026-11-30T09:00:00.000000Z",
        updated_at: "2026-11-30T09:00:00.000000Z",
        lead_time: 4.2,
        result: results.map((result, i) => ({ id: `r${i}`, to_name: "image", origin: "manual", ...result })),
        ...more,
      },
    ],
    predictions: [],
  };
}
const choices = (from_name: string, ...chosen: string[]) => ({
  from_name,
  type: "choices",
  value: { choices: chosen },
});

async function read(table: LabelTable, document: unknown) {
  const file = join(dir, "export.json");
  writeFileSync(file, typeof document === "string" ? document : JSON.stringify(document));
  return readStudioExport(file, graph, table);
}

describe("an export", () => {
  it("becomes cells of the table", async () => {
    const table = await tableOf("1.png,,,,,,,,,,,", "2.png,1,,red,,,,,,,,");
    const { cells, needless } = await read(table, [
      exported(1, "1.png", [
        choices("open", "yes"),
        choices("paint", "red"),
        choices("marks", "none"),
        choices("grade", "high"),
        { from_name: "size", type: "number", value: { number: 2.5 } },
        {
          ...{ from_name: "where", type: "rectangle", original_width: 40, original_height: 20, image_rotation: 0 },
          value: { x: 25, y: 50, width: 50, height: 25, rotation: 0 },
        },
      ]),
      exported(2, "2.png", [choices("marks", "dot", "stripe")]),
    ]);
    expect(needless).toEqual([]);
    expect(cells.map(({ row, column, label, corrected }) => [row, column, label, corrected])).toEqual([
      [1, "open", "", "1"],
      [1, "paint", "", "red"],
      [1, "marks", "", "none"],
      [1, "grade", "", "high"],
      [1, "size", "", "2.5"],
      [1, "x", "", "10"],
      [1, "y", "", "10"],
      [1, "w", "", "20"],
      [1, "h", "", "5"],
      [2, "marks", "", "dot,stripe"],
    ]);
  });

  it("leaves out what its other answers close, skipped tasks, and all annotations but the latest", async () => {
    const table = await tableOf("1.png,,,,,,,,,,,", "2.png,,,,,,,,,,,", "3.png,,,,,,,,,,,");
    const twice = exported(3, "3.png", [choices("open", "yes")]);
    const later = exported(3, "3.png", [choices("open", "no")], { updated_at: "2026-11-30T10:00:00.000000Z" });
    const { cells, needless } = await read(table, [
      exported(1, "1.png", [choices("open", "no"), choices("paint", "red")]),
      exported(2, "2.png", [choices("open", "no")], { was_cancelled: true }),
      { ...twice, annotations: [...later.annotations, ...twice.annotations] },
    ]);
    expect(cells.map(({ row, column, corrected }) => [row, column, corrected])).toEqual([
      [1, "open", "false"],
      [3, "open", "false"],
    ]);
    expect(needless.map(({ row, column }) => [row, column])).toEqual([[1, "paint"]]);
  });

  it.each([
    ["[", "cannot be read"],
    [[{ image: "1.png", open: "yes" }], "is no export of a labelling project that cool ask has written"],
    [[exported(1, "2.png", [])], "row 1 of labels.csv is not 2.png any more"],
    [[exported(1, "1.png", [choices("opne", "yes")])], '"opne" is no task of the flow; did you mean "open"?'],
    [[exported(1, "1.png", [choices("paint", "pink")])], 'is no answer to "paint"'],
    [
      [exported(1, "1.png", [{ from_name: "size", type: "number", value: { number: "big" } }])],
      'is no answer to "size"',
    ],
  ])("that is wrong is one clear error (%#)", async (document, message) => {
    const table = await tableOf("1.png,,,,,,,,,,,");
    await expect(read(table, document)).rejects.toThrow(message);
  });
});

describe("seconds that a label takes", () => {
  const costs = (text: string): string => {
    writeFileSync(join(dir, "costs.json"), text);
    return join(dir, "costs.json");
  };

  it("are typical of the kind, or as a file says", () => {
    expect(labelSeconds(graph, undefined)).toEqual([2, 2, 3, 3, 3, 5, 2, 8]);
    expect(labelSeconds(graph, costs('{"open": 0.5, "*": 4}'))).toEqual([0.5, 4, 4, 4, 4, 4, 4, 4]);
  });

  it("that are wrong are one clear error", () => {
    expect(() => labelSeconds(graph, costs('{"opne": 1}'))).toThrow('Did you mean "open"?');
    expect(() => labelSeconds(graph, costs('{"open": 0}'))).toThrow('"open" is 0; it is a number of seconds above 0');
    expect(() => labelSeconds(graph, costs("[1]"))).toThrow("is no object of seconds by task");
    expect(() => labelSeconds(graph, join(dir, "none.json"))).toThrow("cannot be read");
  });
});

describe("passes of an earlier call", () => {
  it("are removed where the later one has fewer, and nothing else is", () => {
    const folder = join(dir, "studio");
    for (const pass of ["", "pass-2", "pass-3"]) {
      mkdirSync(join(folder, pass), { recursive: true });
      for (const name of ["config.xml", "tasks.json", "export.json"]) writeFileSync(join(folder, pass, name), "{}");
    }
    removePasses(folder, 1);
    const left = (pass: string) => readdirSync(join(folder, pass)).filter((name) => name.includes("."));
    expect(left("")).toEqual(["config.xml", "export.json", "tasks.json"]);
    expect([left("pass-2"), left("pass-3")]).toEqual([["export.json"], ["export.json"]]);
  });
});
