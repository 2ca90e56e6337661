/** @file New data beside train, and the rows that are furthest. */
import type { JudgedTest } from "../../analysis/drift/tests.js";
import { cellText } from "../text.js";
import { displayWidth } from "./display-width.js";
import { TERMINAL } from "./table-layout.js";
import { drawTable, formatMetric } from "./tables.js";

const TITLES = { input: "inputs", features: "features", asked: "asked", answer: "answers, where asked" } as const;

const NAME = 17;
const SHOWN = 9;

/** One row per test, under its kind; `!` marks a drift. */
export function driftTable(tests: readonly JudgedTest[]): string {
  const head = ["", "shown", "train", "new", "95 %", "effect", "p"];
  const body = (["input", "features", "asked", "answer"] as const).flatMap((kind) => {
    const own = tests.filter((test) => test.kind === kind);
    if (own.length === 0) return [];
    return [[{ content: TITLES[kind], colSpan: head.length }], ...own.map(rowOf)];
  });
  return [drawTable(head, body, [2, 3, 4, 5, 6]), NOTE].join("\n");
}

const NOTE =
  "!: a drift. effect: population stability index, of features the area under the\nROC curve of old and new; p: by Holm's method over all tests";

function rowOf({ name, shown, train, now, interval, effect, p_adjusted, drift }: JudgedTest): string[] {
  return [
    `  ${cellText(name.length <= NAME ? name : `…${name.slice(1 - NAME)}`)}`,
    cellText(shown.length <= SHOWN ? shown : `${shown.slice(0, SHOWN - 1)}…`),
    number(train),
    number(now),
    interval === null ? "–" : `±${number((interval[1] - interval[0]) / 2)}`,
    `${number(effect.value)}${drift ? " !" : "  "}`,
    p_adjusted === null ? "–" : p_adjusted < 1e-4 ? "<0.0001" : p_adjusted.toFixed(4),
  ];
}

/** As many digits as show a change. */
function number(value: number | null): string {
  if (value === null) return "–";
  const size = Math.abs(value);
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 3);
}

/** What `cool drift` ends with, in lines that fit a terminal. */
export function driftVerdict(
  tests: readonly Pick<JudgedTest, "kind" | "name" | "drift">[],
  { rows, enough }: { readonly rows: number; readonly enough: boolean },
): string {
  const counted = `${rows} ${rows === 1 ? "row" : "rows"}`;
  const found = tests.filter(({ drift }) => drift);
  if (found.length === 0) {
    if (enough) return `no drift is seen in ${counted}`;
    return `nothing can be said of ${counted}: no change in so few can be told from chance`;
  }
  const names = found.map(({ kind, name }) => cellText(kind === "asked" ? `how often ${name} is asked` : name));
  const lines = [`drift in ${counted}:`];
  names.forEach((name, i) => {
    const [last, text] = [lines[lines.length - 1] ?? "", i < names.length - 1 ? `${name},` : name];
    if (displayWidth(last) + 1 + displayWidth(text) <= TERMINAL) lines[lines.length - 1] = `${last} ${text}`;
    else lines.push(`  ${text}`);
  });
  return lines.join("\n");
}

interface FarRow {
  readonly input: string;
  readonly distance: number;
  readonly beyond: number;
}

export function furthestTable(rows: readonly FarRow[]): string {
  return drawTable(
    ["furthest rows", "distance", "nearer in train"],
    rows.map(({ input, distance, beyond }) => [
      cellText(input),
      formatMetric(distance),
      `${(100 * beyond).toFixed(1)} %`,
    ]),
    [1, 2],
  );
}
