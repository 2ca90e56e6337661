/** @file What users lose, and whom to blame for it, as a picture: a bar for each task, cut into what it loses to whom. */
import type { Blame, TaskBlame } from "../../analysis/blame/blame.js";
import { points } from "../../analysis/blame/headline.js";
import { at } from "../../arrays.js";
import type { FlowGraph } from "../../flow/graph.js";
import { shortNames } from "../../tasks/short-names.js";
import { COLOURS, loadSharp, rectangle, svgDocument, textElement } from "./svg.js";
import { fitEnd, fitMiddle, fitStart, type TextStyle, textWidth } from "./text.js";

const FORMATS = ["png", "svg"] as const;
export type BlameFormat = (typeof FORMATS)[number];

export function isBlameFormat(text: string): text is BlameFormat {
  return FORMATS.some((format) => format === text);
}

/** In every picture that is drawn here, so that it can be told from other files. */
const MARK = "drawn by cool blame";

/** Whether a file is a picture of {@link drawBlame}, which may be drawn anew. */
export function isBlamePicture(file: Buffer): boolean {
  return file.includes(MARK);
}

const WIDTH = 1100;
const MARGIN = 24;
const TITLE: TextStyle = { size: 26, weight: 600 };
const PLAIN: TextStyle = { size: 20, weight: 400 };
const SMALL: TextStyle = { size: 16, weight: 400 };
const NAMES = 330;
const VALUES = 90;
const ROW = 40;
const BAR = 26;
const INDENT = 18;
const LEGEND_ROW = 28;

/** Of gates, told apart also without colour by their order; more than these share the last one's. */
const GATE_COLOURS = ["#c2410c", "#b8860b", "#7c3aed", "#be185d", "#0e7490", "#4d7c0f", "#78350f", "#334155"] as const;
const RIGHT = "#2457a7";
const OWN = "#b6bfcc";

/** @returns the picture's file */
export async function drawBlame(
  graph: FlowGraph,
  blame: Blame,
  headline: string,
  format: BlameFormat,
): Promise<Buffer> {
  // indented rows belong to the gate above them
  const places = treeOrder(graph);
  const tasks = blame.tasks
    .filter(({ gap }) => gap !== null)
    .sort((a, b) => places.indexOf(a.task_path) - places.indexOf(b.task_path));
  const gates = [...new Set(tasks.flatMap(({ gates: own }) => own.map(({ gate }) => gate)))];
  const names = shortNames(graph.tasks.map(({ path }) => path));
  const legend = drawLegend(gates, names);
  const top = MARGIN + 78 + legend.height;
  const height = top + tasks.length * ROW + MARGIN;
  const elements = [
    `<desc>${MARK}</desc>`,
    rectangle(0, 0, WIDTH, height, { fill: COLOURS.paper }),
    textElement(fitEnd(headline, WIDTH - 2 * MARGIN, TITLE), MARGIN, MARGIN + 24, TITLE),
    textElement(
      `Of 100 answers due or given on ${blame.split}, how many are right, and who loses the others`,
      MARGIN,
      MARGIN + 54,
      {
        ...PLAIN,
        colour: COLOURS.muted,
      },
    ),
    ...legend.elements,
    ...tasks.flatMap((task, i) => {
      const { task_path: path } = task;
      return drawTask(task, { name: names.get(path) ?? path, depth: depthOf(graph, path), gates, y: top + i * ROW });
    }),
  ];
  const drawing = svgDocument(WIDTH, height, elements);
  if (format === "svg") return drawing;
  const { default: open } = await loadSharp();
  return open(drawing)
    .flatten({ background: COLOURS.paper })
    .withExif({ IFD0: { Software: MARK } })
    .png()
    .toBuffer();
}

const colourOf = (gates: readonly string[], gate: string): string =>
  at(GATE_COLOURS, Math.min(gates.indexOf(gate), GATE_COLOURS.length - 1));

/** Paths of all tasks, each followed by those that hang under it. */
function treeOrder({ tasks }: Pick<FlowGraph, "tasks">, parent: string | null = null): string[] {
  return tasks.filter((task) => task.parent === parent).flatMap(({ path }) => [path, ...treeOrder({ tasks }, path)]);
}

function depthOf({ tasks }: Pick<FlowGraph, "tasks">, path: string): number {
  const parent = tasks.find((task) => task.path === path)?.parent ?? null;
  return parent === null ? 0 : 1 + depthOf({ tasks }, parent);
}

function drawLegend(
  gates: readonly string[],
  names: ReadonlyMap<string, string>,
): { readonly height: number; readonly elements: string[] } {
  const entries = [
    { name: "right", colour: RIGHT },
    ...gates.map((gate) => ({ name: `lost to ${names.get(gate) ?? gate}`, colour: colourOf(gates, gate) })),
    { name: "the task's own errors", colour: OWN },
  ];
  let [x, y] = [MARGIN, MARGIN + 70];
  const elements = entries.flatMap(({ name, colour }) => {
    const text = fitMiddle(name, WIDTH / 2, SMALL);
    const width = 34 + textWidth(text, SMALL);
    if (x + width > WIDTH - MARGIN) [x, y] = [MARGIN, y + LEGEND_ROW];
    const drawn = [rectangle(x, y, 16, 16, { fill: colour }), textElement(text, x + 22, y + 14, SMALL)];
    x += width;
    return drawn;
  });
  return { height: y + LEGEND_ROW - MARGIN - 60, elements };
}

/** Where a task's bar is drawn, and how it is called. */
interface TaskPlace {
  readonly name: string;
  readonly depth: number;
  readonly gates: readonly string[];
  readonly y: number;
}

function drawTask(task: TaskBlame, { name, depth, gates, y }: TaskPlace): string[] {
  const indent = Math.min(depth, 5) * INDENT;
  const left = MARGIN + NAMES + VALUES;
  const room = WIDTH - MARGIN - left;
  const lost = task.gates.map(({ gate, share }) => ({ share: Math.max(0, share), colour: colourOf(gates, gate) }));
  const parts = [{ share: task.end_to_end ?? 0, colour: RIGHT }, ...lost, { share: task.own_error ?? 0, colour: OWN }];
  // where an error of a gate helps, what the others cost is more than is lost: the bar stays whole
  const whole = Math.max(
    1,
    parts.reduce((sum, { share }) => sum + share, 0),
  );
  let x = left;
  const bars = parts.map(({ share, colour }) => {
    const width = (room * share) / whole;
    x += width;
    return rectangle(x - width, y, width, BAR, { fill: colour });
  });
  return [
    textElement(fitStart(name, NAMES - indent - 12, PLAIN), MARGIN + indent, y + 20, PLAIN),
    textElement(points(task.end_to_end ?? 0), left - 16, y + 20, { ...PLAIN, weight: 600, anchor: "end" }),
    ...bars,
  ];
}
