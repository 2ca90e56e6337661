/** @file The rules of docs/track.md: names of other programs as split, task and metric. */
import { describe, expect, test } from "vitest";
import { groupsOf, NameReader } from "../../src/tracking/names.js";

const read = (name: string, patterns: readonly (string | RegExp)[] = []): string => {
  const { split, taskPath, metricName } = new NameReader(patterns).read(name, "train");
  return `${split} ${taskPath} ${metricName}`;
};

describe("a name is read by the rules", () => {
  test.each([
    ["loss", "train _total loss"],
    ["train/loss", "train _total loss"],
    ["loss/train", "train _total loss"],
    ["Loss/test", "test _total Loss"],
    ["val_loss", "valid _total loss"],
    ["loss_val", "valid _total loss"],
    ["train_loss_epoch", "train _total loss_epoch"],
    ["eval/loss", "valid _total loss"],
    ["dev/f1", "valid _total f1"],
    ["door/f1_score", "train door f1_score"],
    ["valid/door/f1_score", "valid door f1_score"],
    ["door/val_f1", "valid door f1"],
    ["metrics/mAP50(B)", "train metrics mAP50(B)"],
    ["_total/loss", "train _total loss"],
    ["value_loss", "train _total value_loss"],
    ["test", "train _total test"],
  ])("%s", (name, expected) => {
    expect(read(name)).toBe(expected);
  });

  test.each(["a/b/c", "train/a/b/c", "mean loss", "a//b", "/loss", "train/", "_system/gpu"])(
    "%s fits none, and is kept whole",
    (name) => {
      expect(read(name)).toBe(`train _foreign ${name}`);
    },
  );

  test("the split that is given counts for names that tell none", () => {
    const names = new NameReader();
    expect(names.read("loss", "test").split).toBe("test");
    expect(names.read("val_loss", "test").split).toBe("valid");
    // the same name again, with another split
    expect(names.read("loss", "train").split).toBe("train");
  });
});

describe("patterns of the user's own come first", () => {
  test("with split, task and metric", () => {
    const pattern = String.raw`^(?<task>\w+)\.(?<split>tr|train|val)-(?<metric>.+)$`;
    expect(read("door.val-f1", [pattern])).toBe("valid door f1");
    // "tr" is no word of a split: the next rule reads it
    expect(read("door.tr-f1", [pattern])).toBe("train _total door.tr-f1");
    expect(read("loss/train", [pattern])).toBe("train _total loss");
  });

  test("without a task they mean the total", () => {
    expect(read("ppl@test", [/^(?<metric>\w+)@(?<split>\w+)$/g])).toBe("test _total ppl");
  });

  test("one that is no regular expression, or has no metric, is refused", () => {
    expect(() => new NameReader(["(?<metric>"])).toThrow('The pattern of names "(?<metric>" is no regular expression');
    expect(() => new NameReader(["^(?<split>train)"])).toThrow('has no group "metric"');
  });

  test("its groups are known without a match", () => {
    expect(groupsOf(/loss: (?<loss>\S+) acc: (?<acc>\S+)/u)).toEqual(["loss", "acc"]);
    expect(groupsOf(/(\d+)/)).toEqual([]);
  });
});

test("a name that cannot be shown is refused with its length", () => {
  expect(() => read("x".repeat(10_000))).toThrow("has 10000 characters; shorten it to 200");
  expect(() => read("")).toThrow("must not be empty");
  expect(() => read("a\nb")).toThrow("control character");
});
