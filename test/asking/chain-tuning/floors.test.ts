/** @file Costs and floors as people write them. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { readCosts } from "../../../src/asking/chain-tuning/cost-file.js";
import { floorText, parseFloor, unreachedText } from "../../../src/asking/chain-tuning/floors.js";
import { graph } from "../../support/small-project.js";

const dir = mkdtempSync(join(tmpdir(), "cool-costs-"));
afterAll(() => rmSync(dir, { recursive: true }));
const costs = (text: string) => {
  const file = join(dir, "costs.json");
  writeFileSync(file, text);
  return readCosts(file, graph);
};
const ONE = { wrong: 1, missed: 1, needless: 1 };

describe("a file of costs", () => {
  it("says them of all tasks, and of single ones", () => {
    const found = costs(
      '{"missed": 5, "tasks": {"person.shirt": {"wrong": 3}, "present": {"missed": 20, "needless": 0}}}',
    );
    const byPath = new Map(graph.tasks.map(({ path, index }) => [path, found[index]]));
    expect(byPath.get("person.x")).toEqual({ ...ONE, missed: 5 });
    expect(byPath.get("person.shirt")).toEqual({ wrong: 3, missed: 5, needless: 1 });
    expect(byPath.get("present")).toEqual({ wrong: 1, missed: 20, needless: 0 });
    expect(costs("{}")).toEqual(graph.tasks.map(() => ONE));
  });

  it.each([
    ['{"mised": 5}', 'Did you mean "missed"?'],
    ['{"tasks": {"presnt": {}}}', 'Did you mean "present"?'],
    ['{"tasks": {"present": {"needles": 1}}}', "tasks.present"],
    ['{"tasks": {"present": {"tasks": 1}}}', 'No kind of cost named "tasks"'],
    ['{"wrong": -1}', "wrong is -1; expected a number of at least 0"],
    ['{"wrong": "1"}', 'wrong is "1"'],
    ["[]", "is no object"],
    ['{"tasks": 3}', "tasks is no object"],
    ["{", "cannot be read"],
  ])("%s is refused", (text, said) => {
    expect(() => costs(text)).toThrow(said);
  });

  it("that is not there is refused", () => {
    expect(() => readCosts(join(dir, "none.json"), graph)).toThrow("cannot be read");
  });
});

describe("a floor", () => {
  it.each(["recall=0.95", "present/recall=0.9", "person.x/accuracy=0.5"])("%s is read and said again", (text) => {
    expect(floorText(parseFloor(text, graph), graph)).toBe(text);
  });

  it.each([
    ["recal=0.9", 'Did you mean "recall"?'],
    ["recall", "is no floor"],
    ["recall=95", "is no floor"],
    ["recall=", "is no floor"],
    ["present/f1=0.5", 'No metric named "f1"'],
    ["presnt/recall=0.5", 'Did you mean "present"?'],
    ["person.x/recall=0.5", "task with recall end to end"],
  ])("%s is refused", (text, said) => {
    expect(() => parseFloor(text, graph)).toThrow(said);
  });
});

describe("a floor that is not reached", () => {
  const said = (text: string, best: number, neverDue: string[], nothingToFind: string[], fruitful: number): string => {
    const places = (paths: string[]) => paths.map((path) => graph.tasks.findIndex((task) => task.path === path));
    const barren = { neverDue: places(neverDue), nothingToFind: places(nothingToFind), fruitful };
    return unreachedText({ floor: parseFloor(text, graph), best, barren }, graph);
  };

  it("has a best value, unless there is nothing to find", () => {
    expect(said("recall=0.9", 0.81239, [], [], 2)).toBe(
      "no thresholds that were tried reach --at-least recall=0.9 on valid: the best for it alone is 0.8123. Ask for less",
    );
    expect(said("recall=0.9", 0, ["person.shirt"], ["present"], 0)).toBe(
      "On valid there is nothing that could reach --at-least recall=0.9: no label of present is a yes, and no question of person.shirt is due. Leave it out",
    );
    expect(said("recall=0.9", 0.5, [], ["present"], 1)).toContain(
      "is 0.5, where no label of present is a yes, and counts as 0. Ask for less, or of single tasks: TASK/recall=…",
    );
  });
});
