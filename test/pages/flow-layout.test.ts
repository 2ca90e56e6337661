/** @file Where the tasks of a flow stand in its drawing. */
import { expect, test } from "vitest";
import { layOut } from "../../src/pages/flow/layout.js";

const node = (path: string) => ({ path, name: path, kind: "binary", condition: null });
const edge = (from: string, to: string) => ({ from, to, label: "yes" });

test("a gate stands at the middle of what it opens, and nothing stands on another", () => {
  const { nodes } = layOut({
    nodes: ["gate", "a", "b", "c", "alone", "d", "e"].map(node),
    edges: [edge("gate", "a"), edge("gate", "b"), edge("gate", "c"), edge("c", "d"), edge("c", "e")],
  });
  const y = new Map(nodes.map(({ node: { path }, y }) => [path, y]));
  const of = (path: string) => y.get(path) ?? Number.NaN;
  expect(of("gate")).toBe((of("a") + of("c")) / 2);
  expect(of("c")).toBe((of("d") + of("e")) / 2);
  expect(of("alone")).toBeGreaterThan(of("gate"));
  expect(new Set(nodes.map(({ x, y: top }) => `${x} ${top}`)).size).toBe(nodes.length);
  expect(Math.min(...nodes.map(({ y: top }) => top))).toBeGreaterThanOrEqual(0);
});
