/** @file Texts of a drawing that are cut off where there is no room for them. */

/** Pixels of a letter of the drawings' small texts. */
const LETTER = 6.6;

/** @param room in pixels */
export function fitted(text: string, room: number): string {
  const letters = [...text];
  const most = Math.max(3, Math.floor(room / LETTER));
  return letters.length <= most ? text : `${letters.slice(0, most - 1).join("")}…`;
}
