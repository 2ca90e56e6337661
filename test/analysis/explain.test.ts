/** @file Explanation trees: their contract, and the reference's trees by meaning. */
import { describe, expect, it } from "vitest";
import {
  type ExplanationNode,
  explainRow,
  printExplanation,
  type ScoredSplit,
  scoreSplit,
} from "../../src/analysis/index.js";
import { defineTasks } from "../../src/flow/define.js";
import type { FlowGraph } from "../../src/flow/graph.js";
import { answerWidth } from "../../src/flow/masks.js";
import { traceFlow } from "../../src/flow/trace.js";
import { binary, boundedRegression, classification, multilabel } from "../../src/tasks/index.js";
import {
  defaultThresholds,
  referenceThresholds,
  security,
  securityBatch,
  securityGraph,
} from "../support/security-flow.js";

/** A scored row without labels. */
function scoreLogits(graph: FlowGraph, logits: readonly number[][]): ScoredSplit {
  const labels = graph.tasks.map(({ spec }) => ({
    answers: new Float32Array(answerWidth(spec)).fill(Number.NaN),
    unitScale: null,
  }));
  const outputs = {
    split: "test",
    ids: ["image.png"],
    labels,
    logits: logits.map((row) => Float32Array.from(row)),
  } as const;
  return scoreSplit(graph, outputs, defaultThresholds(graph));
}

describe("an explanation as text", () => {
  const doors = traceFlow(
    defineTasks({
      features: ["f"],
      tasks: { camera_blocked: binary(), door_open: binary(), door_locked: binary() },
    }).flow("main", (flow, x, out) => {
      out.add(flow.camera_blocked(x.f));
      out.add(flow.door_open(x.f).given(out.camera_blocked.not()));
      out.add(flow.door_locked(x.f).given(out.door_open.not()));
    }),
    "main",
  );

  it("reads as in the documentation", () => {
    const scored = scoreLogits(doors, [[-9.21], [6.2], [1]]);
    expect(printExplanation(doors, "image.png", explainRow(doors, scored, 0))).toBe(
      [
        "├── image.png",
        "│   └── camera_blocked | decoded: [False], activated: [0.0001], logits: [-9.21]",
        "│       └── door_open | decoded: [True], activated: [0.998], logits: [6.2]",
      ].join("\n"),
    );
  });

  it("shows siblings, three best classes, present labels and numbers in label units", () => {
    const graph = traceFlow(
      defineTasks({
        features: ["f"],
        tasks: {
          person: binary(),
          colour: classification({ classes: ["red", "green", "blue", "black"] }),
          traits: multilabel({ labels: ["hat", "beard"] }),
          age: boundedRegression({ max: 100 }),
          seen: binary(),
        },
      }).flow("main", (flow, x, out) => {
        const person = out.add(flow.person(x.f));
        out.add(flow.colour(x.f).given(person));
        out.add(flow.traits(x.f).given(person));
        out.add(flow.age(x.f).given(person));
        out.add(flow.seen(x.f));
      }),
      "main",
    );
    const logits = [[2], [Math.log(2), 0, Math.log(4), Math.log(3)], [0, -1], [0], [-20]];
    expect(printExplanation(graph, "a.jpg", explainRow(graph, scoreLogits(graph, logits), 0))).toBe(
      [
        "├── a.jpg",
        "│   ├── person | decoded: [True], activated: [0.8808], logits: [2]",
        "│   │   ├── colour | decoded: [blue, black, red], activated: [0.4, 0.3, 0.2], logits: [1.386, 1.099, 0.6931]",
        "│   │   ├── traits | decoded: [hat], activated: [0.5, 0.2689], logits: [0, -1]",
        "│   │   └── age | decoded: [50], activated: [0.5], logits: [0]",
        "│   └── seen | decoded: [False], activated: [2.061e-9], logits: [-20]",
      ].join("\n"),
    );
  });
});

describe("an explanation's nodes", () => {
  it("list all classes by name, best first, with scores and logits in the same order", () => {
    const scored = securityBatch();
    const shirt = flatten(explainRow(securityGraph, scored, 0)).find(({ path }) => path.endsWith("shirt_type"));
    const { activated, decoded } = security["inference_thresholds_0.5"];
    const names = ["blue", "red", "yellow", "cyan", "magenta", "green", "black"];
    const order = (decoded["person_regression.body_regression.shirt_type"] as number[][])[0] as number[];
    const scores = (activated["person_regression.body_regression.shirt_type"] as number[][])[0] as number[];
    expect(shirt?.decoded).toEqual(order.map((c) => names[c]));
    shirt?.activated.forEach((score, i) => {
      expect(score).toBeCloseTo(scores[order[i] as number] as number, 6);
    });
    expect(shirt?.logits).toEqual(shirt?.logits.toSorted((a, b) => b - a));
  });

  it("hang under the nearest shown gate where the latest one is not shown", () => {
    const graph = traceFlow(
      defineTasks({ features: ["f"], tasks: { a: binary(), b: binary(), c: binary(), d: binary() } }).flow(
        "main",
        (flow, x, out) => {
          const a = out.add(flow.a(x.f));
          const b = out.add(flow.b(x.f).given(a));
          const c = out.add(flow.c(x.f).given(b));
          out.add(flow.d(x.f).given(b.not().or(c)));
        },
      ),
      "main",
    );
    const shape = (logits: number[]) => {
      const outline = (nodes: readonly ExplanationNode[]): unknown =>
        nodes.map(({ path, children }) => (children.length === 0 ? path : [path, outline(children)]));
      return outline(
        explainRow(
          graph,
          scoreLogits(
            graph,
            logits.map((z) => [z]),
          ),
          0,
        ),
      );
    };
    expect(shape([1, 1, 1, 1])).toEqual([["a", [["b", [["c", ["d"]]]]]]]);
    // c is not asked: d stands in its place
    expect(shape([1, -1, 1, 1])).toEqual([["a", [["b", ["d"]]]]]);
    expect(shape([-1, 1, 1, 1])).toEqual(["a"]);
  });
});

describe.each([
  ["0.5", security["tree_text_per_sample_0.5"], undefined],
  ["the reference's thresholds", security.tree_text_per_sample_tuned, referenceThresholds],
] as const)("the reference's trees at %s", (_name, trees, thresholds) => {
  const scored = securityBatch(thresholds);

  it.each(Object.entries(trees))("show the same tasks and answers for row %s", (row, text) => {
    const shown = flatten(explainRow(securityGraph, scored, Number(row)));
    const expected = parseReferenceTree(text);
    expect(shown.map(({ path }) => path.split(".").at(-1)).toSorted()).toEqual([...expected.keys()].toSorted());
    for (const { path, decoded, activated, logits } of shown) {
      const name = path.split(".").at(-1) as string;
      expect(meaningOf(name, decoded, activated, logits), name).toEqual(expected.get(name));
    }
  });
});

describe("the order of the flow", () => {
  it("is kept among the children of person_present", () => {
    const [root] = explainRow(securityGraph, securityBatch(), 0);
    const present = root?.children[0]?.children[0];
    expect(present?.path).toBe("person_present");
    const paths = securityGraph.tasks.map(({ path }) => path).filter((path) => path.startsWith("person_regression."));
    expect(present?.children.map(({ path }) => path)).toEqual(paths);
  });
});

function flatten(nodes: readonly ExplanationNode[]): ExplanationNode[] {
  return nodes.flatMap((node) => [node, ...flatten(node.children)]);
}

/** What the reference prints of a task: four decimals; only the three best classes; one line per label. */
function meaningOf(
  name: string,
  decoded: ExplanationNode["decoded"],
  activated: readonly number[],
  logits: readonly number[],
): readonly string[] {
  const four = (value: number | undefined) => (value as number).toFixed(4);
  const numbers = (i: number) => `activated: ${four(activated[i])}, logits: ${four(logits[i])}`;
  const truth = (value: boolean) => (value ? "True" : "False");
  if (name === "shirt_type") return [0, 1, 2].map((i) => `${decoded[i]} | ${numbers(i)}`);
  if (name === "facial_characteristics") {
    const labels = ["red", "green", "blue"];
    return labels.map((label, i) => `${label} | decoded: ${truth(decoded.includes(label))}, ${numbers(i)}`);
  }
  const [answer] = decoded;
  // the reference decodes to pixels, of which there are 64
  const said = typeof answer === "boolean" ? truth(answer) : (64 * (answer as number)).toFixed(4);
  return [`decoded: ${said}, ${numbers(0)}`];
}

/** Lines of the reference's tree by task name; flows have none. */
function parseReferenceTree(text: string): Map<string, readonly string[]> {
  const tasks = new Map<string, string[]>();
  let current: string[] = [];
  for (const line of text.split("\n").slice(1)) {
    const entry = line.replace(/^[│├└─\s]*/, "");
    const [name = "", answer] = entry.split(" | ");
    if (/^\d: /.test(entry)) current.push(entry.replace(/^\d: /, ""));
    else if (answer !== undefined) tasks.set(name, [answer]);
    else if (name === "shirt_type" || name === "facial_characteristics") {
      current = [];
      tasks.set(name, current);
    }
  }
  return tasks;
}
