/** @file What training and evaluation see of a project's data. */
import type { Split } from "../tasks/evaluation.js";
import type { Labels } from "../tasks/index.js";

/** Declares an image input: a column of paths, relative to the table. */
export interface ImageInputSpec {
  readonly kind: "image";
  readonly column: string;
  /** [height, width] in pixels that images are resized to (stretched: both axes keep their own scale). */
  readonly size: readonly [height: number, width: number];
  /** 3 (RGB, default) or 1 (grey). */
  readonly channels: 1 | 3;
}
export type InputSpec = ImageInputSpec;

/** Decoded pixels of one image column, readable row by row without decoding again. */
export interface PixelSource {
  readonly spec: ImageInputSpec;
  /** Path of each row's image, relative to the table's folder, as written in the table. */
  readonly paths: readonly string[];
  /** Size of the original image (after EXIF orientation), one per row. */
  readonly originalWidth: Float32Array;
  readonly originalHeight: Float32Array;
  /**
   * Copies the pixels of some rows, [rows.length, height, width, channels], into `out` from its start.
   * @param rows row numbers of the dataset
   */
  read(rows: ArrayLike<number>, out: Uint8Array): void;
  close(): void;
}

/** A row that was left out, and why. */
export interface SkippedRow {
  /** 1-based row of the table, not counting the header. */
  readonly row: number;
  readonly sample: string;
  readonly reason: string;
}

/** A labelled table whose images are decoded. Rows are numbered from 0, skipped ones left out. */
export interface Dataset {
  readonly rows: number;
  /** Unique name of each row: its image path, with `#<row>` where a path occurs more than once. */
  readonly ids: readonly string[];
  /** Row numbers of each split, ascending. */
  readonly splits: Readonly<Record<Split, Int32Array>>;
  /** Labels of each task of the graph, in its order, over all rows. */
  readonly labels: readonly Labels[];
  /** Named inputs. */
  readonly inputs: Readonly<Record<string, PixelSource>>;
  readonly skipped: readonly SkippedRow[];
  /** sha256 over the table's content and the images' contents, hex. */
  readonly digest: string;
  close(): void;
}
