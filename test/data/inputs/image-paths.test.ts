/** @file Pictures that folders and patterns name. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { imagePaths } from "../../../src/data/inputs/image-paths.js";
import { newFolder } from "../files.js";

function pictures(...names: readonly string[]): string {
  const folder = newFolder();
  for (const name of names) {
    mkdirSync(join(folder, name, ".."), { recursive: true });
    writeFileSync(join(folder, name), "");
  }
  return folder;
}

test("a folder is all pictures in it and below, by name; a file is itself, whatever its name", async () => {
  const folder = pictures("b.png", "a.JPG", "below/c.webp", "notes.txt", "a[1].png");
  mkdirSync(join(folder, "folder.png"));
  const inside = ["a.JPG", "a[1].png", "b.png", "below/c.webp"].map((name) => join(folder, name));
  expect(await imagePaths([folder])).toEqual(inside);
  const named = [join(folder, "a[1].png"), join(folder, "notes.txt"), "is/not/there.png"];
  expect(await imagePaths(named)).toEqual(named);
});

test("a pattern is what matches it", async () => {
  const folder = pictures("1.png", "2.png", "10.png", "1.txt", "below/3.png");
  expect(await imagePaths([join(folder, "?.png")])).toEqual([join(folder, "1.png"), join(folder, "2.png")]);
  expect(await imagePaths([join(folder, "**/*.png"), join(folder, "1.png")])).toHaveLength(5);
  expect(await imagePaths([join(folder, "1.*")])).toEqual([join(folder, "1.png")]);
});

test("a folder or a pattern without pictures is said so", async () => {
  const folder = pictures("notes.txt");
  await expect(imagePaths([folder])).rejects.toThrow(`There are no pictures in ${folder}: a picture ends with`);
  await expect(imagePaths([join(folder, "*.png")])).rejects.toThrow("There are no pictures in");
});
