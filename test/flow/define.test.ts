/** @file Tracing: what a flow function says becomes a graph, once, with every slip named. */
import { describe, expect, it } from "vitest";
import { ConfigError, type CoolError, FlowError, UnknownNameError } from "../../src/errors.js";
import { defineTasks } from "../../src/flow/define.js";
import { printGraph } from "../../src/flow/print.js";
import { traceFlow } from "../../src/flow/trace.js";
import { binary, boundedRegression, classification, multilabel } from "../../src/tasks/index.js";

const declared = defineTasks({
  features: ["common", "place"],
  tasks: {
    a: binary(),
    b: binary(),
    color: classification({ classes: ["red", "green", "blue"] }),
    marks: multilabel({ labels: ["stripe", "dot"] }),
    x: boundedRegression({ max: 16, lossWeight: 2 }),
  },
});

describe("a traced flow", () => {
  it("is plain data that survives JSON", () => {
    const graph = traceFlow(
      declared.flow("main", (flow, x, out) => {
        out.add(flow.a(x.common));
        out.add(flow.x(x.place).given(out.a.not()));
      }),
      "main",
    );
    expect(JSON.parse(JSON.stringify(graph))).toEqual(graph);
    expect(graph).toMatchInlineSnapshot(`
      {
        "features": [
          "common",
          "place",
        ],
        "flow": "main",
        "flows": [],
        "formatVersion": 1,
        "tasks": [
          {
            "declaredName": "a",
            "feature": "common",
            "index": 0,
            "lossWeight": 1,
            "name": "a",
            "ownPrecondition": null,
            "parent": null,
            "path": "a",
            "precondition": null,
            "spec": {
              "kind": "binary",
            },
          },
          {
            "declaredName": "x",
            "feature": "place",
            "index": 1,
            "lossWeight": 2,
            "name": "x",
            "ownPrecondition": {
              "kind": "not",
              "of": {
                "kind": "true",
                "task": "a",
              },
            },
            "parent": "a",
            "path": "x",
            "precondition": {
              "kind": "not",
              "of": {
                "kind": "true",
                "task": "a",
              },
            },
            "spec": {
              "kind": "boundedRegression",
              "lossWeight": 2,
              "max": 16,
              "min": 0,
              "scale": null,
            },
          },
        ],
      }
    `);
  });

  it("prefixes the paths of a nested flow and adds its precondition to those inside", () => {
    const graph = traceFlow(
      declared
        .flow("inner", (flow, x, out) => {
          out.add(flow.color(x.common));
          out.add(flow.x(x.place).given(out.color.is("red")));
        })
        .flow("middle", (flow, x, out) => {
          out.add(flow.b(x.common));
          out.add(flow.inner(x).given(out.b));
        })
        .flow("main", (flow, x, out) => {
          out.add(flow.a(x.common));
          out.add(flow.middle(x).given(out.a.not()));
        }),
      "main",
    );
    expect(graph.tasks.map(({ path, parent }) => [path, parent])).toEqual([
      ["a", null],
      ["middle.b", "a"],
      ["middle.inner.color", "middle.b"],
      ["middle.inner.x", "middle.inner.color"],
    ]);
    expect(graph.tasks[3]?.precondition).toEqual({
      kind: "and",
      of: [
        { kind: "not", of: { kind: "true", task: "a" } },
        { kind: "true", task: "middle.b" },
        { kind: "isOneOf", task: "middle.inner.color", classes: [0] },
      ],
    });
    expect(graph.tasks[3]?.ownPrecondition).toEqual({ kind: "isOneOf", task: "middle.inner.color", classes: [0] });
    expect(graph.flows.map(({ path, firstTask, taskCount }) => ({ path, firstTask, taskCount }))).toEqual([
      { path: "middle", firstTask: 1, taskCount: 3 },
      { path: "middle.inner", firstTask: 2, taskCount: 2 },
    ]);
    expect(printGraph(graph)).toMatchInlineSnapshot(`
      "main
      ├── a  [binary, common]
      └── middle | not a  (flow)
          ├── b  [binary, common]
          └── inner | middle.b  (flow)
              ├── color  [classification, common]
              └── x | middle.inner.color is red  [boundedRegression, place]"
    `);
  });

  it("takes repeated preconditions as and", () => {
    const graph = traceFlow(
      declared.flow("main", (flow, x, out) => {
        out.add(flow.a(x.common));
        out.add(flow.b(x.common));
        out.add(flow.x(x.place).given(out.a).given(out.b.not()));
      }),
      "main",
    );
    expect(graph.tasks[2]?.precondition).toEqual({
      kind: "and",
      of: [
        { kind: "true", task: "a" },
        { kind: "not", of: { kind: "true", task: "b" } },
      ],
    });
    // of several gates the latest is the one to hang under
    expect(graph.tasks[2]?.parent).toBe("b");
  });

  it("may use a task and a flow twice under names of their own", () => {
    const graph = traceFlow(
      declared
        .flow("object", (flow, x, out) => {
          out.add(flow.color(x.common));
          out.add(flow.x(x.place).given(out.color.is("blue").not()));
        })
        .flow("main", (flow, x, out) => {
          const left = out.add(flow.a(x.common).as("left_there"));
          const right = out.add(flow.a(x.common).as("right_there"));
          out.add(flow.object(x).as("left").given(left));
          out.add(flow.object(x).as("right").given(right));
        }),
      "main",
    );
    expect(printGraph(graph)).toMatchInlineSnapshot(`
      "main
      ├── left_there  [binary, common]
      ├── right_there  [binary, common]
      ├── left | left_there  (flow)
      │   ├── color  [classification, common]
      │   └── x | not left.color is blue  [boundedRegression, place]
      └── right | right_there  (flow)
          ├── color  [classification, common]
          └── x | not right.color is blue  [boundedRegression, place]"
    `);
    expect(graph.tasks.map(({ path, declaredName }) => [path, declaredName])).toEqual([
      ["left_there", "a"],
      ["right_there", "a"],
      ["left.color", "color"],
      ["left.x", "x"],
      ["right.color", "color"],
      ["right.x", "x"],
    ]);
  });

  it("gives every use the weight of its task", () => {
    const graph = traceFlow(
      declared.flow("main", (flow, x, out) => {
        out.add(flow.a(x.common));
        out.add(flow.x(x.place));
      }),
      "main",
    );
    expect(graph.tasks.map(({ lossWeight }) => lossWeight)).toEqual([1, 2]);
  });

  it("leaves out flows that the traced one does not use", () => {
    const graph = traceFlow(
      declared
        .flow("unused", (flow, x, out) => {
          out.add(flow.b(x.common));
        })
        .flow("main", (flow, x, out) => {
          out.add(flow.a(x.common));
        }),
      "main",
    );
    expect(graph.tasks.map(({ path }) => path)).toEqual(["a"]);
    expect(graph.flows).toEqual([]);
  });
});

describe("out.x", () => {
  it("is the nearest earlier task of that name: of the own flow first, then of the enclosing ones", () => {
    const definitions = declared
      .flow("own", (flow, x, out) => {
        out.add(flow.a(x.common));
        out.add(flow.b(x.common).given(out.a));
      })
      .flow("outer", (flow, x, out) => {
        out.add(flow.b(x.common).given(out.a));
      })
      .flow("main", (flow, x, out) => {
        out.add(flow.a(x.common));
        out.add(flow.own(x));
        out.add(flow.outer(x));
      });
    const { tasks } = traceFlow(definitions, "main");
    expect(tasks.map(({ path, parent }) => [path, parent])).toEqual([
      ["a", null],
      ["own.a", null],
      ["own.b", "own.a"],
      ["outer.b", "a"],
    ]);
  });

  it("finds a task inside an earlier nested flow where no nearer one has the name", () => {
    const { tasks } = traceFlow(
      declared
        .flow("inner", (flow, x, out) => {
          out.add(flow.color(x.common));
        })
        .flow("main", (flow, x, out) => {
          out.add(flow.inner(x));
          out.add(flow.x(x.place).given(out.color.is("green")));
          out.add(flow.b(x.common).given(out.get("inner.color").isOneOf(["red", "blue"])));
        }),
      "main",
    );
    expect(tasks.map(({ path, parent }) => [path, parent])).toEqual([
      ["inner.color", null],
      ["x", "inner.color"],
      ["b", "inner.color"],
    ]);
  });
});

/** The error of tracing a flow `main` with this body. */
function errorOf(body: Parameters<typeof declared.flow>[1]): CoolError {
  try {
    traceFlow(declared.flow("main", body), "main");
  } catch (error) {
    return error as CoolError;
  }
  return expect.fail("nothing was thrown");
}

describe("a slip in a flow", () => {
  it.each<[string, Parameters<typeof declared.flow>[1], abstract new (...args: never[]) => CoolError, string | RegExp]>(
    [
      [
        "a gate used before it is added",
        (flow, x, out) => {
          out.add(flow.b(x.common).given(out.a));
          out.add(flow.a(x.common));
        },
        FlowError,
        'The flow "main" uses "a" as a gate before it is added. Add it first: out.add(flow.a(…)).',
      ],
      [
        "a task used twice",
        (flow, x, out) => {
          out.add(flow.a(x.common));
          out.add(flow.a(x.place));
        },
        FlowError,
        'The flow "main" adds "a" twice. Give the second use a name: flow.a(…).as("a_2").',
      ],
      [
        "no task",
        () => {},
        FlowError,
        'The flow "main" adds no task. Add one with out.add(flow.some_task(x.some_feature)).',
      ],
      [
        "an unknown task",
        (flow, x, out) => out.add(flow["colour" as "color"](x.common)) as unknown as undefined,
        UnknownNameError,
        'No task or earlier flow named "colour" in flow "main". Did you mean "color"?',
      ],
      [
        "an unknown feature",
        (flow, x, out) => out.add(flow.a(x["comon" as "common"])) as unknown as undefined,
        UnknownNameError,
        'No feature named "comon" in flow "main". Did you mean "common"?',
      ],
      [
        "an unknown gate",
        (flow, x, out) => {
          out.add(flow.color(x.common));
          out.add(flow.a(x.common).given(out["colr" as "a"]));
        },
        UnknownNameError,
        'No earlier task named "colr" in flow "main". Did you mean "color"?',
      ],
      [
        "an unknown class",
        (flow, x, out) => {
          out.add(flow.color(x.common));
          out.add(flow.a(x.common).given(out.color.is("gren" as "green")));
        },
        UnknownNameError,
        'No class named "gren" in task "color", asked in flow "main". Did you mean "green"?',
      ],
      [
        "an unknown label",
        (flow, x, out) => {
          out.add(flow.marks(x.common));
          out.add(flow.a(x.common).given(out.marks.has("stripes" as "stripe")));
        },
        UnknownNameError,
        'No label named "stripes" in task "marks", asked in flow "main". Did you mean "stripe"?',
      ],
      [
        "a classification as a bare condition",
        (flow, x, out) => {
          out.add(flow.color(x.common));
          out.add(flow.a(x.common).given(out.color as never));
        },
        FlowError,
        /^The precondition of "a" is not a condition\. Only a binary .* ask a classification with \.is\(class\).* add the gate to the flow before it is used\.$/,
      ],
      [
        "a classification combined with and",
        (flow, x, out) => {
          out.add(flow.a(x.common));
          out.add(flow.color(x.common));
          out.add(flow.b(x.common).given(out.a.and(out.color as never)));
        },
        FlowError,
        /^and\(…\) takes conditions\. Only a binary .* ask a classification with \.is\(class\)/,
      ],
      [
        "a task without a feature",
        (flow, _x, out) => out.add(flow.a(undefined as never)) as unknown as undefined,
        FlowError,
        'The task "a" in flow "main" reads no feature. Write flow.a(x.common).',
      ],
      [
        "something else than a use",
        (_flow, x, out) => out.add(x.common as never) as unknown as undefined,
        FlowError,
        'out.add(…) in flow "main" takes a use of a task or flow, like flow.some_task(x.some_feature), or a contract, like never(out.some_task).',
      ],
      [
        "a reserved name for a use",
        (flow, x, out) => out.add(flow.a(x.common).as("get")) as unknown as undefined,
        ConfigError,
        '"get" cannot name a use. Use letters, digits, _ and -, not starting with a digit; add, get, then are reserved.',
      ],
    ],
  )("%s is an error that says what to change", (_fact, body, kind, message) => {
    const error = errorOf(body);
    if (typeof message === "string") expect(error.message).toBe(message);
    else expect(error.message).toMatch(message);
    expect(error).toBeInstanceOf(kind);
  });

  it("a flow used twice needs a second name", () => {
    const definitions = declared
      .flow("inner", (flow, x, out) => {
        out.add(flow.a(x.common));
      })
      .flow("main", (flow, x, out) => {
        out.add(flow.inner(x));
        out.add(flow.inner(x));
      });
    expect(() => traceFlow(definitions, "main")).toThrow(
      'The flow "main" adds "inner" twice. Give the second use a name: flow.inner(…).as("inner_2").',
    );
  });

  it("a flow that is not declared is answered with the nearest one", () => {
    const definitions = declared.flow("main", (flow, x, out) => {
      out.add(flow.a(x.common));
    });
    expect(() => traceFlow(definitions, "mian")).toThrow(
      'No flow named "mian" in the project\'s flow. Did you mean "main"?',
    );
  });
});

describe("declarations", () => {
  it.each(["add", "get", "then"])("refuse the reserved name %s for a task, a feature and a flow", (name) => {
    expect(() => defineTasks({ features: ["f"], tasks: { [name]: binary() } })).toThrow("are reserved");
    expect(() => defineTasks({ features: [name], tasks: {} })).toThrow("are reserved");
    expect(() => declared.flow(name, () => {})).toThrow("are reserved");
  });

  it.each(["1st", "a.b", "", "a b"])("refuse %j as a name", (name) => {
    expect(() => defineTasks({ features: ["f"], tasks: { [name]: binary() } })).toThrow(ConfigError);
  });

  it("refuse a feature twice, and a flow with the name of another or of a task", () => {
    expect(() => defineTasks({ features: ["f", "f"], tasks: {} })).toThrow('The feature "f" is declared twice.');
    expect(() => declared.flow("main", () => {}).flow("main", () => {})).toThrow('The flow "main" is declared twice.');
    expect(() => declared.flow("a", () => {})).toThrow('The flow "a" has the name of a task.');
  });
});
