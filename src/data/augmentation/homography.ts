/** @file Plane projective maps of a picture: rotation, perspective, and how they follow one another. */
import { at, f64At } from "../../arrays.js";

/**
 * A map of the plane, row by row: (x, y) goes to ((a x + b y + c) / w, (d x + e y + f) / w) with w = g x + h y + i. Places
 * are fractions of the picture's width and height, from its upper left corner.
 */
export type Homography = readonly [
  a: number,
  b: number,
  c: number,
  d: number,
  e: number,
  f: number,
  g: number,
  h: number,
  i: number,
];

/** A place in the plane. */
export type Place = readonly [x: number, y: number];

/** Where a place goes. */
export function mapPlace([a, b, c, d, e, f, g, h, i]: Homography, [x, y]: Place): Place {
  const w = g * x + h * y + i;
  return [(a * x + b * y + c) / w, (d * x + e * y + f) / w];
}

/** First `first`, then `second`. */
export function compose(second: Homography, first: Homography): Homography {
  const product = Float64Array.from({ length: 9 }, (_, cell) => {
    const [row, column] = [Math.floor(cell / 3), cell % 3];
    return (
      at(second, row * 3) * at(first, column) +
      at(second, row * 3 + 1) * at(first, 3 + column) +
      at(second, row * 3 + 2) * at(first, 6 + column)
    );
  });
  return homographyOf(product);
}

/** The way back, up to a factor that no place sees: the adjugate. */
export function inverse([a, b, c, d, e, f, g, h, i]: Homography): Homography {
  return [
    e * i - f * h,
    c * h - b * i,
    b * f - c * e,
    f * g - d * i,
    a * i - c * g,
    c * d - a * f,
    d * h - e * g,
    b * g - a * h,
    a * e - b * d,
  ];
}

/**
 * A turn about the picture's centre.
 * @param degrees clockwise, as the picture is seen
 * @param aspect width of the picture in pixels by its height, so that a circle stays one
 */
export function rotation(degrees: number, aspect: number): Homography {
  const [sin, cos] = [Math.sin((degrees * Math.PI) / 180), Math.cos((degrees * Math.PI) / 180)];
  // x and y minus a half, in units of the height: (u, v) = (x · aspect, y)
  const [b, d] = [-sin / aspect, sin * aspect];
  return [cos, b, 0.5 - 0.5 * (cos + b), d, cos, 0.5 - 0.5 * (d + cos), 0, 0, 1];
}

/**
 * The map of the picture's corners to four others (Heckbert, Fundamentals of Texture Mapping and Image Warping, 1989,
 * section 2.2.3).
 * @param corners where the upper left, upper right, lower right and lower left corner go, of a convex quadrangle
 */
export function toQuadrangle(corners: readonly [Place, Place, Place, Place]): Homography {
  const [[x0, y0], [x1, y1], [x2, y2], [x3, y3]] = corners;
  const [sumX, sumY] = [x0 - x1 + x2 - x3, y0 - y1 + y2 - y3];
  const [dx1, dx2, dy1, dy2] = [x1 - x2, x3 - x2, y1 - y2, y3 - y2];
  const determinant = dx1 * dy2 - dx2 * dy1;
  const g = (sumX * dy2 - dx2 * sumY) / determinant;
  const h = (dx1 * sumY - sumX * dy1) / determinant;
  return [x1 - x0 + g * x1, x3 - x0 + h * x3, x0, y1 - y0 + g * y1, y3 - y0 + h * y3, y0, g, h, 1];
}

function homographyOf(cells: Float64Array): Homography {
  const [a, b, c, d, e, f, g, h, i] = Array.from({ length: 9 }, (_, cell) => f64At(cells, cell));
  return [a, b, c, d, e, f, g, h, i] as unknown as Homography;
}
