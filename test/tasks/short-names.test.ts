/** @file Names of tasks that are as short as they are clear. */
import { expect, test } from "vitest";
import { shortNames } from "../../src/tasks/short-names.js";

test("a path is told by its last part, or by more where another one ends so", () => {
  const names = shortNames(["open", "face.x", "body.x", "face.size", "a.face.y", "b.face.y"]);
  expect([...names.values()]).toEqual(["open", "face.x", "body.x", "size", "a.face.y", "b.face.y"]);
});
