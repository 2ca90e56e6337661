/** @file Colours of how much something matters. */

export type Colour = readonly [red: number, green: number, blue: number];

/** What cannot matter. */
export const UNREACHABLE: Colour = [60, 70, 90];

/**
 * Dark red over orange to pale yellow: lighter is more, for colour-blind eyes and in print too.
 * @param heat from 0 to 1
 * @returns 0 to 255 each
 */
export function heatColour(heat: number): Colour {
  return [255 * Math.min(1, 0.5 + heat), 255 * Math.max(0, 1.25 * heat - 0.25), 160 * Math.max(0, 2 * heat - 1)];
}
