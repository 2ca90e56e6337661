/** @file Errors as a user and a program read them. */
import { describe, expect, it } from "vitest";
import { CoolError, InterruptedError, nearestNames, sentence, UnknownNameError, UsageError } from "../src/errors.js";

describe("nearestNames", () => {
  it.each([
    ["accurracy", ["accuracy", "precision"], ["accuracy"]],
    ["rde", ["red", "green", "blue"], ["red"]],
    ["plaec", ["features", "place"], ["place"]],
    ["face_x", ["face_x1", "face_x2", "body_x1"], ["face_x1", "face_x2"]],
    ["color", ["square.color", "square.marks"], ["square.color"]],
    ["face_x", ["person.face.face_x1", "person.face.face_y1"], ["person.face.face_x1"]],
    ["batchsize", ["train.batchSize", "train.epochs"], ["train.batchSize"]],
    ["dor_open", ["door_locked", "hall.door_open", "door_open"], ["door_open", "hall.door_open"]],
    ["Door_Open", ["door_open"], ["door_open"]],
    ["ab", ["xy", "cd"], []],
    ["", ["a"], ["a"]],
  ])("of %j among %j are %j", (name, known, nearest) => {
    expect(nearestNames(name, known)).toEqual(nearest);
  });

  it("are at most three, the nearest first", () => {
    expect(nearestNames("face_x1", ["face_x12", "face_x123", "face_x3", "face_x1", "face_x2"])).toEqual([
      "face_x1",
      "face_x12",
      "face_x123",
    ]);
  });
});

describe("UnknownNameError", () => {
  it("suggests the nearest name, in words and as facts", () => {
    const error = new UnknownNameError("task", "face_x", ["face_x1", "door"], 'flow "main"');
    expect(error.message).toBe('No task named "face_x" in flow "main". Did you mean "face_x1"?');
    expect(error.toJSON()).toEqual({
      error: "UnknownNameError",
      message: error.message,
      facts: { kind: "task", name: "face_x", known: ["face_x1", "door"], nearest: ["face_x1"] },
    });
  });

  it("lists what there is where nothing is near", () => {
    expect(new UnknownNameError("run", "zzz", ["base", "wide"]).message).toBe(
      'No run named "zzz". Known: "base", "wide".',
    );
    expect(new UnknownNameError("run", "zzz", []).message).toBe('No run named "zzz". There is none.');
    const many = Array.from({ length: 15 }, (_, i) => `run-${i}`);
    expect(new UnknownNameError("run", "zzz", many).message).toMatch(/"run-11", … \(15 in all\)\.$/);
  });
});

it("every error knows its exit code", () => {
  expect([CoolError, UsageError, InterruptedError].map((kind) => new kind("x").exitCode)).toEqual([1, 2, 130]);
  expect(new UnknownNameError("task", "a", [], undefined, { exitCode: 2 }).exitCode).toBe(2);
});

it("a sentence ends in one mark", () => {
  expect([sentence("a"), sentence("a."), sentence("a?")]).toEqual(["a.", "a.", "a?"]);
});
