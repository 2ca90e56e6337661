/** @file Models whose layers can never be put together: tfjs would wait for them for ever. */
import * as tfl from "@tensorflow/tfjs-layers";
import { beforeAll, expect, test } from "vitest";
import { openBackend } from "../../../src/engine/backends/choose.js";
import { topologyProblem } from "../../../src/engine/model/saved-topology.js";

beforeAll(async () => {
  await openBackend("cpu");
});

function sound(): unknown {
  const input = tfl.input({ shape: [3], name: "a" });
  const inner = tfl.sequential({ layers: [tfl.layers.dense({ units: 2, inputShape: [3] })], name: "inner" });
  const shared = tfl.layers.dense({ units: 3, name: "b" });
  const twice = shared.apply(shared.apply(input)) as tfl.SymbolicTensor;
  const sum = tfl.layers.add({ name: "c" }).apply([input, twice]) as tfl.SymbolicTensor;
  const model = tfl.model({ inputs: input, outputs: inner.apply(sum) as tfl.SymbolicTensor });
  return model.toJSON(undefined, false);
}

const changed = (from: string, to: string): unknown => JSON.parse(JSON.stringify(sound()).replace(from, to));

test("a model with a shared layer and a model within it fits together", () => {
  expect(topologyProblem(JSON.parse(JSON.stringify(sound())))).toBeNull();
});

test.each([
  ["is named and not there", '"name":"a","class_name"', '"name":"z","class_name"', /has another name|no layer makes/],
  ["has no name", '"name":"c","class_name"', '"name":7,"class_name"', /has no name/],
  ["is read before it is made", '[["a",0,0', '[["c",0,0', /reads what no layer makes/],
  ["is called as another", '"name":"c","class_name"', '"name":"b","class_name"', /are called "b"/],
])("one with a layer that %s does not", (_, from, to, problem) => {
  expect(topologyProblem(changed(from, to))).toMatch(problem);
});

test.each([
  [/"output_layers":\[\[.*?\]\]/, '"output_layers":[]', "gives nothing"],
  [/"output_layers":\[\[.*?\]\]/, '"output_layers":[["z",0,0]]', "gives what no layer makes"],
  [/"input_layers":\[\[.*?\]\]/, '"input_layers":null', "does not say what it takes"],
])("a model that says %s of its ends as %s does not fit together", (from, to, problem) => {
  const saved = JSON.stringify(sound());
  expect(saved).toMatch(from);
  expect(topologyProblem(JSON.parse(saved.replace(from, to)))).toContain(problem);
});
