/** @file The layout of TensorBoard's Custom Scalars page: several tags in one chart. */
import { encodeMessage, type ProtoWriter } from "../../protobuf/wire.js";
import { CATEGORY, CHART, LAYOUT, MARGIN, MULTILINE, SERIES } from "./schema.js";

export type CustomChart =
  /** One line per tag that matches one of the regular expressions. */
  | { readonly title: string; readonly tags: readonly string[] }
  /** A line between two bounds, all three given as exact tags. */
  | { readonly title: string; readonly margins: readonly MarginSeries[] };

export interface MarginSeries {
  readonly value: string;
  readonly lower: string;
  readonly upper: string;
}

export interface CustomScalarsLayout {
  readonly categories: readonly {
    readonly title: string;
    readonly charts: readonly CustomChart[];
    /** Folded when the page opens; default false. */
    readonly closed?: boolean;
  }[];
}

/** Where the plugin looks for the layout. */
export const CUSTOM_SCALARS_TAG = "custom_scalars__config__";

export function encodeLayout({ categories }: CustomScalarsLayout): Uint8Array {
  return encodeMessage((out) => {
    for (const { title, charts, closed = false } of categories) {
      const category = out.begin(LAYOUT.category);
      out.string(CATEGORY.title, title);
      for (const chart of charts) writeChart(out, chart);
      out.boolean(CATEGORY.closed, closed);
      out.end(category);
    }
  });
}

function writeChart(out: ProtoWriter, chart: CustomChart): void {
  const start = out.begin(CATEGORY.chart);
  out.string(CHART.title, chart.title);
  if ("tags" in chart) {
    const content = out.begin(CHART.multiline);
    for (const tag of chart.tags) out.string(MULTILINE.tag, tag);
    out.end(content);
  } else {
    const content = out.begin(CHART.margin);
    for (const { value, lower, upper } of chart.margins) {
      const series = out.begin(MARGIN.series);
      out.string(SERIES.value, value);
      out.string(SERIES.lower, lower);
      out.string(SERIES.upper, upper);
      out.end(series);
    }
    out.end(content);
  }
  out.end(start);
}
