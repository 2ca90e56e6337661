/** @file Number columns that together are one figure on the picture: the sides of a box, the coordinates of a point. */
import { at, f64At } from "../arrays.js";
import { groupsOf, isWithin, type Measured, unitOf } from "./places.js";
import type { PictureSize } from "./pictures.js";
import type { TaskRole } from "./task-role.js";

/** What `box` or `point` is declared with. */
export interface Figure {
  readonly kind: "box" | "point";
  /** What it is called: `face_box`. */
  readonly name: string;
  /** In the order of the format; of a point x and y. */
  readonly columns: readonly string[];
  /** null: a point. */
  readonly format: "xywh" | "cxcywh" | "xyxy" | null;
  /** `image`: pixels of the row's picture; null: fractions of it. */
  readonly scale: "image" | null;
}

/** A figure, and the rows that have all of its numbers, as one label that no condition reads. */
export interface FoundFigure {
  readonly figure: Figure;
  readonly role: TaskRole;
}

/**
 * Figures among the regressions, whose labels all lie on the pictures that were measured.
 * @param train rows of the train split: one at least must have the whole figure
 */
export function figuresOf(
  regressions: readonly TaskRole[],
  sizes: readonly PictureSize[],
  train: Int32Array,
): FoundFigure[] {
  return [...groupsOf(regressions)].flatMap(([thing, group]) => {
    const parts = partsOf(group);
    const unit = unitOf(group, sizes);
    if (parts === null || unit === null) return [];
    const { kind, format, roles } = parts;
    const first = at(roles, 0);
    const values = first.labels.values.map((_, row) =>
      roles.some(({ labels }) => Number.isNaN(f64At(labels.values, row))) ? Number.NaN : 0,
    );
    if (!train.some((row) => f64At(values, row) === 0)) return [];
    if (format !== null && !areBoxes(format, roles, values, unit === "pixels" ? sizes : [])) return [];
    const figure: Figure = {
      ...{ kind, format, columns: roles.map(({ column }) => column), scale: unit === "pixels" ? "image" : null },
      name: thing === "" ? kind : `${thing}_${kind}`,
    };
    return [{ figure, role: { ...first, labels: { name: first.column, form: { kind: "none" }, values } } }];
  });
}

interface Parts {
  readonly kind: Figure["kind"];
  readonly format: Figure["format"];
  readonly roles: readonly TaskRole[];
}

/** Its numbers in the order of a format; null where they make no figure. */
function partsOf(group: readonly Measured[]): Parts | null {
  const of = (measures: Measured["measures"]) =>
    group.filter((each) => each.measures === measures).map(({ role }) => role);
  const [xs, ys, widths, heights] = [of("x"), of("y"), of("width"), of("height")];
  const counts = [xs, ys, widths, heights].map(({ length }) => length).join();
  const roles = [...xs, ...ys, ...widths, ...heights];
  switch (counts) {
    case "1,1,0,0":
      return { kind: "point", format: null, roles };
    case "1,1,1,1": {
      const isCentre = group.some(({ role }) => CENTRE.test(role.column));
      return { kind: "box", format: isCentre ? "cxcywh" : "xywh", roles };
    }
    case "2,2,0,0": {
      const [[left, right], [top, bottom]] = [lowerFirst(xs), lowerFirst(ys)];
      return { kind: "box", format: "xyxy", roles: [left, top, right, bottom].filter((role) => role !== undefined) };
    }
    default:
      return null;
  }
}

const CENTRE = /(^|[_\s.-])(c[xy]|cent(er|re)[_-]?[xy]|[xy][_-]?cent(er|re))$/i;

function lowerFirst(roles: readonly TaskRole[]): readonly TaskRole[] {
  const low = (role: TaskRole): number => role.range?.[0] ?? 0;
  return [...roles].sort((a, b) => low(a) - low(b) || (a.range?.[1] ?? 0) - (b.range?.[1] ?? 0));
}

/** Whether no box has a negative size, or reaches beyond its picture; without sizes beyond the whole. */
function areBoxes(
  format: NonNullable<Figure["format"]>,
  roles: readonly TaskRole[],
  values: Float64Array,
  sizes: readonly PictureSize[],
): boolean {
  const edges = (row: number): readonly [left: number, top: number, right: number, bottom: number] => {
    const [a = 0, b = 0, c = 0, d = 0] = roles.map(({ labels }) => f64At(labels.values, row));
    switch (format) {
      case "xyxy":
        return [a, b, c, d];
      case "xywh":
        return [a, b, a + c, b + d];
      case "cxcywh":
        return [a - c / 2, b - d / 2, a + c / 2, b + d / 2];
      default:
        return format satisfies never;
    }
  };
  const isBox = (row: number): boolean => {
    const [left, top, right, bottom] = edges(row);
    return Number.isNaN(f64At(values, row)) || (left <= right && top <= bottom);
  };
  const isOn = (row: number, width: number, height: number): boolean => {
    const [left, top, right, bottom] = edges(row);
    const fits = isWithin(left, width) && isWithin(right, width) && isWithin(top, height) && isWithin(bottom, height);
    return fits || Number.isNaN(f64At(values, row));
  };
  if (!values.every((_, row) => isBox(row))) return false;
  return sizes.length === 0
    ? values.every((_, row) => isOn(row, 1, 1))
    : sizes.every(({ row, width, height }) => isOn(row, width, height));
}
