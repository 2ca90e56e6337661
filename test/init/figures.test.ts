/** @file Columns of numbers that are boxes and points. */
import { expect, test } from "vitest";
import { figuresOf } from "../../src/init/figures.js";
import { guessColumns } from "../../src/init/guess-columns.js";
import { ROWS, table } from "./table.js";

const SIZES = Array.from({ length: ROWS }, (_, row) => ({ row, width: 100, height: 50 }));
const TRAIN = Int32Array.from({ length: ROWS }, (_, row) => row);

/** Figures of a table of pictures, each as its declaration. */
function figures(columns: Readonly<Record<string, (row: number) => number | "">>, sizes = SIZES) {
  const roles = guessColumns(table({ img: (row) => `${row}.png`, ...columns }));
  const labels = roles.flatMap((role) => (role.role === "task" && role.kind === "regression" ? [role] : []));
  return figuresOf(labels, sizes, TRAIN).map(({ figure }) => figure);
}

const sides = {
  x: (row: number) => row % 40,
  y: (row: number) => row % 20,
  w: (row: number) => 10 + (row % 30),
  h: (row: number) => 5 + (row % 25),
};

test("four columns are a box in pixels of the row's picture, two a point", () => {
  const both = { face_x: sides.x, face_y: sides.y, face_w: sides.w, face_h: sides.h, nose_x: sides.x, nose_y: sides.y };
  expect(figures(both)).toEqual([
    {
      kind: "box",
      name: "face_box",
      columns: ["face_x", "face_y", "face_w", "face_h"],
      format: "xywh",
      scale: "image",
    },
    { kind: "point", name: "nose_point", columns: ["nose_x", "nose_y"], format: null, scale: "image" },
  ]);
});

test("the format follows from the columns' names, whatever their order", () => {
  const corners = {
    ymax: (row: number) => 20 + (row % 30),
    xmin: sides.x,
    ymin: sides.y,
    xmax: (row: number) => 40 + ((row * 7) % 60),
  };
  expect(figures(corners)).toMatchObject([
    { name: "box", format: "xyxy", columns: ["xmin", "ymin", "xmax", "ymax"], scale: "image" },
  ]);
  const centre = {
    cx: (row: number) => 0.3 + (row % 7) / 20,
    cy: (row: number) => 0.3 + (row % 5) / 20,
    w: (row: number) => 0.1 + (row % 4) / 10,
    h: (row: number) => 0.1 + (row % 3) / 10,
  };
  expect(figures(centre)).toMatchObject([{ format: "cxcywh", columns: ["cx", "cy", "w", "h"], scale: null }]);
});

test("what reaches beyond its picture, or has a negative size, is no box", () => {
  expect(figures(sides, [{ row: 39, width: 40, height: 50 }])).toEqual([]);
  const turned = {
    xmin: sides.x,
    ymin: sides.y,
    xmax: (row: number) => 40 - (row % 40),
    ymax: (row: number) => 20 + (row % 30),
  };
  expect(figures(turned)).toEqual([]);
});

test("numbers that measure nothing on the picture are none", () => {
  expect(figures({ price: sides.x, weight: sides.y, height: sides.h })).toEqual([]);
});
