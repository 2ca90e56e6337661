/** @file Explanation trees: their contract, and the reference's trees by meaning. */
import { describe, expect, it } from "vitest";
import {
  type ExplanationNode,
  explainRow,
  printExplanation,
  type ScoredSplit,
  scoreSplit,
} from "../../../src/analysis/index.js";
import { defineTasks } from "../../../src/flow/define.js";
import type { FlowGraph } from "../../../src/flow/graph.js";
import { answerWidth } from "../../../src/flow/masks.js";
import { traceFlow } from "../../../src/flow/trace.js";
import { binary, boundedRegression, classification, multilabel } from "../../../src/tasks/index.js";
import {
  defaultThresholds,
  referenceThresholds,
  security,
  securityBatch,
  securityGraph,
} from "../../support/security-flow.js";

/** A scored row without labels. */
function scoreLogits(
  graph: FlowGraph,
  logits: readonly number[][],
  thresholds: readonly (readonly number[])[] = defaultThresholds(graph),
): ScoredSplit {
  const labels = graph.tasks.map(({ spec }) => ({
    answers: new Float32Array(answerWidth(spec)).fill(Number.NaN),
    unitScale: null,
  }));
  const outputs = {
    split: "test",
    ids: ["image.png"],
    labels,
    outputs: logits.map((row) => Float32Array.from(row)),
  } as const;
  return scoreSplit(graph, outputs, thresholds);
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

  it("fits the columns that there are: logits go first, then lines are folded, and no answer is lost", () => {
    const scored = scoreLogits(doors, [[-9.21], [6.2], [1]]);
    const tree = explainRow(doors, scored, 0);
    const printed = (columns: number): string => printExplanation(doors, "image.png", tree, undefined, columns);
    expect(printed(500)).toBe(printExplanation(doors, "image.png", tree));
    expect(printed(80)).toBe(
      [
        "├── image.png",
        "│   └── camera_blocked | decoded: [False], activated: [0.0001] < 0.5",
        "│       └── door_open | decoded: [True], activated: [0.998] ≥ 0.5",
      ].join("\n"),
    );
    expect(printed(50)).toBe(
      [
        "├── image.png",
        "│   └── camera_blocked | decoded: [False],",
        "│       │   activated: [0.0001] < 0.5",
        "│       └── door_open | decoded: [True],",
        "│               activated: [0.998] ≥ 0.5",
      ].join("\n"),
    );
  });

  it("folds long lists between their items, and under a condition that leaves them no room", () => {
    const graph = traceFlow(
      defineTasks({
        features: ["f"],
        tasks: { severe: binary(), viral: binary(), traits: multilabel({ labels: ["first", "second", "third"] }) },
      }).flow("main", (flow, x, out) => {
        out.add(flow.severe(x.f));
        out.add(flow.viral(x.f));
        out.add(flow.traits(x.f).given(out.severe.or(out.viral)));
      }),
      "main",
    );
    const tree = explainRow(graph, scoreLogits(graph, [[2], [2], [1, 1, 1]]), 0);
    expect(printExplanation(graph, "a.jpg", tree, undefined, 56).split("\n").slice(-4)).toEqual([
      "│       └── traits (given severe or viral) |",
      "│               decoded: [first, second, third],",
      "│               activated: [first 0.7311,",
      "│                 second 0.7311, third 0.7311]",
    ]);
  });

  it("reads as in the documentation", () => {
    const scored = scoreLogits(doors, [[-9.21], [6.2], [1]]);
    expect(printExplanation(doors, "image.png", explainRow(doors, scored, 0))).toBe(
      [
        "├── image.png",
        "│   └── camera_blocked | decoded: [False], activated: [0.0001] < 0.5, logits: [-9.21]",
        "│       └── door_open | decoded: [True], activated: [0.998] ≥ 0.5, logits: [6.2]",
      ].join("\n"),
    );
  });

  it("shows siblings, three best classes and that there are more, labels beside their scores and numbers in label units", () => {
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
        "│   ├── person | decoded: [True], activated: [0.8808] ≥ 0.5, logits: [2]",
        "│   │   ├── colour | decoded: [blue, black, red, …], activated: [0.4, 0.3, 0.2, …], logits: [1.386, 1.099, 0.6931, …]",
        "│   │   ├── traits | decoded: [hat], activated: [hat 0.5, beard 0.2689], logits: [0, -1]",
        "│   │   └── age | decoded: [50], activated: [0.5], logits: [0]",
        "│   └── seen | decoded: [False], activated: [2.061e-9] < 0.5, logits: [-20]",
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
    const nodes = flatten(explainRow(securityGraph, scored, Number(row)));
    const shown = nodes.filter(({ kind }) => kind === "task");
    const expected = parseReferenceTree(text);
    expect(shown.map(({ path }) => path.split(".").at(-1)).toSorted()).toEqual([...expected.keys()].toSorted());
    for (const { path, decoded, activated, logits } of shown) {
      const name = path.split(".").at(-1) as string;
      expect(meaningOf(name, decoded, activated, logits), name).toEqual(expected.get(name));
    }
  });

  it.each(Object.entries(trees))("nest flows and tasks alike for row %s", (row, text) => {
    const printed = printExplanation(securityGraph, "inp", explainRow(securityGraph, scored, Number(row)));
    // the reference sorts siblings by name and gives every label and class a line
    expect(outlineOf(printed)).toEqual(outlineOf(text));
  });
});

describe("a flow within the flow", () => {
  it("is a node whose tasks keep the order of the flow", () => {
    const [root] = explainRow(securityGraph, securityBatch(), 0);
    const present = root?.children[0]?.children[0];
    expect(present?.path).toBe("person_present");
    expect(present?.children.map(({ kind, path }) => [kind, path])).toEqual([["flow", "person_regression"]]);
    const [regression] = present?.children ?? [];
    expect(regression).toMatchObject({ decoded: [], activated: [], logits: [] });
    expect(regression).not.toHaveProperty("given");
    const flows = regression?.children ?? [];
    const ofFlow = (prefix: string) =>
      securityGraph.tasks.map(({ path }) => path).filter((path) => path.startsWith(prefix));
    expect(flows.map(({ path, children }) => [path, children.map((child) => child.path)])).toEqual(
      ["face_regression", "body_regression"].map((name) => [
        `person_regression.${name}`,
        ofFlow(`person_regression.${name}.`),
      ]),
    );
  });

  const graph = traceFlow(
    defineTasks({ features: ["f"], tasks: { a: binary(), b: binary(), c: binary(), d: binary(), e: binary() } })
      .flow("pair", (flow, x, out) => {
        out.add(flow.c(x.f));
        out.add(flow.d(x.f).given(out.c));
        out.add(flow.e(x.f).given(out.get("a").and(out.c)));
      })
      .flow("outer", (flow, x, out) => {
        out.add(flow.pair(x).given(out.get("b")));
      })
      .flow("main", (flow, x, out) => {
        out.add(flow.a(x.f));
        out.add(flow.b(x.f));
        out.add(flow.outer(x).given(out.a));
      }),
    "main",
  );
  const shown = (...truths: boolean[]) =>
    printOutline(
      graph,
      explainRow(
        graph,
        scoreLogits(
          graph,
          truths.map((truth) => [truth ? 1 : -1]),
        ),
        0,
      ),
    );

  it("hangs under its gate, or within its own flow and says its condition where the gate stands outside", () => {
    // a, b, c, d, e
    expect(shown(true, true, true, true, true)).toEqual([
      "a",
      "  outer",
      "    pair (given b)",
      "      c",
      "        d",
      "        e (given a and outer.pair.c)",
      "b",
    ]);
  });

  it("has no node where none of its tasks is asked", () => {
    expect(shown(true, false, true, true, true)).toEqual(["a", "b"]);
    expect(shown(false, true, true, true, true)).toEqual(["a", "b"]);
  });

  it("names no condition that the way down to it already shows", () => {
    const repeated = traceFlow(
      defineTasks({ features: ["f"], tasks: { a: binary(), c: binary() } })
        .flow("inner", (flow, x, out) => {
          out.add(flow.c(x.f).given(out.get("a")));
        })
        .flow("main", (flow, x, out) => {
          out.add(flow.a(x.f));
          out.add(flow.inner(x).given(out.a));
        }),
      "main",
    );
    const nodes = explainRow(repeated, scoreLogits(repeated, [[1], [1]]), 0);
    expect(printOutline(repeated, nodes)).toEqual(["a", "  inner", "    c"]);
  });
});

describe("a condition of two gates", () => {
  const flowOf = (join: "and" | "or") =>
    traceFlow(
      defineTasks({ features: ["f"], tasks: { a: binary(), z: binary(), b: binary(), c: binary() } }).flow(
        "main",
        (flow, x, out) => {
          const a = out.add(flow.a(x.f));
          const z = out.add(flow.z(x.f));
          const b = out.add(flow.b(x.f).given(z));
          out.add(flow.c(x.f).given(a[join](b)));
        },
      ),
      "main",
    );
  const shown = (join: "and" | "or", ...truths: boolean[]) => {
    const graph = flowOf(join);
    return printOutline(
      graph,
      explainRow(
        graph,
        scoreLogits(
          graph,
          truths.map((truth) => [truth ? 1 : -1]),
        ),
        0,
      ),
    );
  };

  it("hangs its task under the latest of them that is shown, never under a gate that it does not read", () => {
    // b is not asked, and c is asked because of a
    expect(shown("or", true, false, true, true)).toEqual(["a", "  c (given a or b)", "z"]);
    expect(shown("or", true, true, false, true)).toEqual(["a", "z", "  b", "    c (given a or b)"]);
    expect(shown("and", true, true, true, true)).toEqual(["a", "z", "  b", "    c (given a and b)"]);
  });

  it("is said in JSON as well", () => {
    const graph = flowOf("or");
    const [a] = explainRow(graph, scoreLogits(graph, [[1], [-1], [1], [1]]), 0);
    expect(a?.children[0]).toMatchObject({ path: "c", kind: "task", given: "a or b" });
    expect(a).not.toHaveProperty("given");
  });
});

describe("a decision", () => {
  const graph = traceFlow(
    defineTasks({
      features: ["f"],
      tasks: { yes: binary(), traits: multilabel({ labels: ["hat", "beard"] }), age: boundedRegression({ max: 100 }) },
    }).flow("main", (flow, x, out) => {
      out.add(flow.yes(x.f));
      out.add(flow.traits(x.f));
      out.add(flow.age(x.f));
    }),
    "main",
  );

  it("has its threshold, a multilabel the names of its scores and a threshold for each", () => {
    const scored = scoreLogits(graph, [[0], [0, -1], [0]], [[0.42], [0.6, 0.2], []]);
    const nodes = explainRow(graph, scored, 0);
    expect(nodes).toMatchObject([
      { path: "yes", kind: "task", decoded: [true], thresholds: [0.42], activated: [0.5] },
      { path: "traits", decoded: ["beard"], labels: ["hat", "beard"], thresholds: [0.6, 0.2] },
      { path: "age" },
    ]);
    expect(nodes[0]).not.toHaveProperty("labels");
    expect(nodes[2]).not.toHaveProperty("thresholds");
    expect(printExplanation(graph, "x", nodes).split("\n")[1]).toBe(
      "│   ├── yes | decoded: [True], activated: [0.5] ≥ 0.42, logits: [0]",
    );
  });

  it("at its threshold is a yes, below it a no, and a score that is NaN neither", () => {
    const at = (logit: number) =>
      printExplanation(graph, "x", explainRow(graph, scoreLogits(graph, [[logit], [0, 0], [0]]), 0)).split("\n")[1];
    expect(at(0)).toContain("decoded: [True], activated: [0.5] ≥ 0.5");
    expect(at(-1)).toContain("decoded: [False], activated: [0.2689] < 0.5");
    expect(at(Number.NaN)).toContain("activated: [NaN], logits");
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

/** The names in a printed tree and how deep they stand, siblings sorted; without the lines of single labels or classes. */
function outlineOf(text: string): string[] {
  const parents: string[] = [];
  const outermost = text.startsWith("├── ") ? 1 : 0;
  const entries = text.split("\n").flatMap((line) => {
    const [, branches = "", name = ""] = /^([│├└─\s]*)([^|]*)/.exec(line) ?? [];
    if (/^\d: /.test(name)) return [];
    parents.splice(branches.length / 4 - outermost, parents.length, name.trim());
    return [parents.slice(-2).join("/")];
  });
  return entries
    .slice(1)
    .map((entry) => entry.replace(/^inp( \d+)?\//, ""))
    .toSorted();
}

/** The names alone, two spaces further in for each level. */
function printOutline(graph: FlowGraph, nodes: readonly ExplanationNode[]): string[] {
  const [, ...lines] = printExplanation(graph, "", nodes).split("\n");
  return lines.map((line) => {
    const [, branches = "", text = ""] = /^([│├└─\s]*)(.*)$/.exec(line) ?? [];
    return " ".repeat((branches.length / 4 - 2) * 2) + text.replace(/ \| .*/, "");
  });
}
