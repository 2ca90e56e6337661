/** @file How far a run is, as lists and pages say it. */

/**
 * `3/10`; `3` where nobody says how many there are to be, and `–` where there are none, as in runs of other programs.
 * @param planned null: not known
 */
export function epochsText(done: number, planned: number | null): string {
  if (planned === null) return done === 0 ? "–" : String(done);
  return `${done}/${planned}`;
}
