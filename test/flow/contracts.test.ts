/** @file Contracts: written in a flow, kept in its graph, and broken by what is known alone. */
import { describe, expect, it } from "vitest";
import { implies, keptContracts, never } from "../../src/flow/contracts.js";
import { defineTasks } from "../../src/flow/define.js";
import { printGraph } from "../../src/flow/print.js";
import { traceFlow } from "../../src/flow/trace.js";
import { binary, classification } from "../../src/tasks/index.js";

const tasks = defineTasks({
  features: ["f"],
  tasks: {
    open: binary(),
    lit: binary(),
    color: classification({ classes: ["red", "green"] }),
    word: binary({ per: "token" }),
  },
});
const graph = traceFlow(
  tasks.flow("all", (flow, x, out) => {
    out.add(flow.open(x.f));
    out.add(flow.lit(x.f));
    out.add(flow.color(x.f).given(out.open));
    out.add(never(out.lit.and(out.color.is("red"))));
    out.add(implies(out.open, out.lit.or(out.color.is("green"))));
  }),
  "all",
);

describe("a flow with contracts", () => {
  it("has them in its graph, as plain data, and among its lines", () => {
    expect(graph.contracts).toEqual([
      {
        kind: "never",
        condition: {
          kind: "and",
          of: [
            { kind: "true", task: "lit" },
            { kind: "isOneOf", task: "color", classes: [0] },
          ],
        },
      },
      {
        kind: "implies",
        condition: { kind: "true", task: "open" },
        consequence: {
          kind: "or",
          of: [
            { kind: "true", task: "lit" },
            { kind: "isOneOf", task: "color", classes: [1] },
          ],
        },
      },
    ]);
    expect(printGraph(graph)).toContain("├── never lit and color is red\n└── open implies (lit or color is green)");
  });

  it("is the graph without them where it adds none", () => {
    const plain = traceFlow(
      tasks.flow("plain", (flow, x, out) => {
        out.add(flow.open(x.f));
      }),
      "plain",
    );
    expect("contracts" in plain).toBe(false);
  });

  it("says what is no condition", () => {
    const wrong = tasks.flow("wrong", (flow, x, out) => {
      out.add(flow.color(x.f));
      // as a configuration that was never compiled may
      out.add(never(out.color as never));
    });
    expect(() => traceFlow(wrong, "wrong")).toThrow("never(…) takes conditions");
  });
});

it("a contract is broken where it is known to be, by plain reading of every combination", () => {
  const values = [0, 1, Number.NaN];
  const rows = values.flatMap((open) => values.flatMap((lit) => values.map((color) => ({ open, lit, color }))));
  const column = (of: (row: (typeof rows)[number]) => number) => Float32Array.from(rows, of);
  const answers = [column(({ open }) => open), column(({ lit }) => lit), column(({ color }) => color)];
  const [neverBoth, implied] = keptContracts(graph, answers, rows.length);
  rows.forEach(({ open, lit, color }, row) => {
    // a question that is not asked has no answer
    const red = open === 1 ? color === 0 : null;
    const isKnown = open === 1 && !Number.isNaN(color);
    expect(neverBoth?.broken[row]).toBe(Number(lit === 1 && red === true && isKnown));
    const green = isKnown && color === 1;
    expect(implied?.broken[row]).toBe(Number(open === 1 && lit === 0 && isKnown && !green));
    expect(neverBoth?.known[row]).toBe(Number(lit === 0 || (isKnown && (color === 1 || lit === 1))));
  });
});

it("of answers per token a row breaks a contract where any of its tokens does", () => {
  const perToken = traceFlow(
    tasks.flow("tokens", (flow, x, out) => {
      out.add(flow.open(x.f));
      out.add(flow.word(x.f));
      out.add(implies(out.open, out.word));
    }),
    "tokens",
  );
  const answers = [Float32Array.of(1, 1, 0), Float32Array.of(1, 0, 1, 1, 0)];
  const [kept] = keptContracts(perToken, answers, 3, Int32Array.of(0, 2, 4, 5));
  expect([...(kept?.broken ?? [])]).toEqual([1, 0, 0]);
});
