/** @file The head of every panel: which task, and what is shown of it. */
import { COLOURS, textElement } from "./svg.js";
import { fitEnd, fitMiddle, type TextStyle, textWidth } from "./text.js";

const MARGIN = 12;
const NAME: TextStyle = { size: 32, weight: 600 };
const PLAIN: TextStyle = { size: 26, weight: 400 };

/**
 * Two lines of 90 pixels together: the task's name after that of its flow, and a subtitle.
 * @param path of the task; shortened where it does not fit, its own name last
 * @param width pixels of the panel
 */
export function drawTitle(path: string, subtitle: string, width: number): string[] {
  const room = width - 2 * MARGIN;
  const at = path.lastIndexOf(".") + 1;
  const name = fitMiddle(path.slice(at), room, NAME);
  const left = room - textWidth(name, NAME);
  const flow = left < 60 ? "" : fitMiddle(path.slice(0, at), left, PLAIN);
  const muted = { ...PLAIN, colour: COLOURS.muted };
  return [
    textElement(flow, MARGIN, 38, muted),
    textElement(name, MARGIN + textWidth(flow, PLAIN), 38, NAME),
    textElement(fitEnd(subtitle, room, PLAIN), MARGIN, 76, muted),
  ];
}
