/** @file Tasks per pixel in a project: which pictures they are asked of, and what may gate what. */
import { describe, expect, it } from "vitest";
import type { InputSpec } from "../../src/data/dataset.js";
import { image, numeric } from "../../src/data/inputs/inputs.js";
import { defineTasks } from "../../src/flow/define.js";
import { pixelsPerSample } from "../../src/flow/graph.js";
import { activeRows, evenOffsets } from "../../src/flow/masks.js";
import { printGraph } from "../../src/flow/print.js";
import { traceFlow } from "../../src/flow/trace.js";
import type { ProjectDefinition } from "../../src/project/define-project.js";
import { withPixels } from "../../src/project/elements/pixel-tasks.js";
import { resolveProject } from "../../src/project/resolve-project.js";
import { binary, classification, multilabel } from "../../src/tasks/index.js";

const tasks = defineTasks({
  features: ["map", "all"],
  tasks: {
    indoors: binary(),
    part: classification({ per: "pixel", classes: ["wall", "door"] }),
    handle: binary({ per: "pixel" }),
    word: binary({ per: "token" }),
  },
})
  .flow("main", (flow, x, out) => {
    out.add(flow.indoors(x.all));
    out.add(flow.part(x.map).given(out.indoors));
    out.add(flow.handle(x.map).given(out.indoors.and(out.part.is("door"))));
  })
  .flow("turned", (flow, x, out) => {
    out.add(flow.part(x.map));
    out.add(flow.indoors(x.all).given(out.part.is("door")));
  })
  .flow("both", (flow, x, out) => {
    out.add(flow.part(x.map));
    out.add(flow.word(x.map));
  });
const picture = image({ column: "img", size: [2, 3] });

describe("a project that asks of pixels", () => {
  const resolve = (inputs: Readonly<Record<string, InputSpec>>, flow = "main") => {
    const definition = { name: "p", tasks, flow, data: { table: "t.csv", inputs }, trunk: () => ({}) };
    return () => resolveProject({ definition: definition as unknown as ProjectDefinition });
  };

  it("takes the size of the one picture, and says what is asked of pixels", () => {
    const { graph } = resolve({ picture })();
    expect(pixelsPerSample(graph)).toBe(6);
    expect(printGraph(graph)).toContain("part | indoors  [classification per pixel, map]");
  });

  it("is refused without a picture, with several, and where tokens are asked about, too", () => {
    expect(resolve({ age: numeric({ columns: ["age"] }) })).toThrow(
      'the task "part" is asked of every pixel, but there is no image input. Give data.inputs exactly one image({ … }).',
    );
    expect(resolve({ picture, more: picture })).toThrow("but there are several: picture, more.");
    expect(resolve({ picture }, "both")).toThrow(
      'The task "word" in flow "both" is asked of every token, and "part" of every pixel.',
    );
  });

  it("is refused where an answer for the whole picture hangs on those for its pixels", () => {
    expect(resolve({ picture }, "turned")).toThrow(
      'The task "indoors" in flow "turned" is asked once per row, but its precondition reads "part", which has an answer for every pixel. Ask "indoors" of every pixel too, with per: "pixel", or condition it on a task that is asked once per row.',
    );
  });

  it("is refused of kinds that have no answer per pixel, and with losses that only pixels have", () => {
    const problemOf = (spec: unknown) => {
      const definitions = defineTasks({ features: ["f"], tasks: { a: spec as never } }).flow("main", (flow, x, out) => {
        out.add((flow as never as { a(x: unknown): never }).a(x.f));
      });
      const data = { table: "t.csv", inputs: { picture } };
      const definition = { name: "p", tasks: definitions, flow: "main", data, trunk: () => ({}) };
      return () => resolveProject({ definition: definition as unknown as ProjectDefinition });
    };
    expect(problemOf(multilabel({ labels: ["a"], per: "pixel" as never }))).toThrow(
      "only binary, classification and regression tasks are asked of pixels",
    );
    expect(problemOf(binary({ loss: "dice" }))).toThrow(
      'has the loss "dice", which is that of regions of a picture; add per: "pixel", or take another loss',
    );
    expect(problemOf(binary({ ignore: 3 }))).toThrow("has ignore, a value of pixels without a label");
    expect(problemOf(binary({ per: "pixels" as never }))).toThrow('write per: "token" or per: "pixel"');
  });
});

describe("the masks of a flow with tasks per row and per pixel", () => {
  it("hold a gate per row for all pixels of its picture, and a gate per pixel for its own", () => {
    const graph = withPixels(traceFlow(tasks, "main"), { picture }, "here");
    const answers = [
      Float32Array.of(1, 0, Number.NaN),
      Float32Array.of(0, 1, 1, Number.NaN, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1),
      new Float32Array(18),
    ];
    const masks = activeRows(graph, answers, 3, evenOffsets(3, 6)).map((mask) => [...mask]);
    expect(masks[0]).toEqual([1, 1, 1]);
    expect(masks[1]).toEqual([1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    expect(masks[2]).toEqual([0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  });
});
