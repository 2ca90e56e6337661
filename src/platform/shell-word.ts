/** @file Words of a command line that a user is shown, to be typed as they stand. */

/** A word as a POSIX shell reads it: quoted where it has a blank or another character with a meaning. */
export function shellWord(word: string): string {
  return /^[\w./:@%+=,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
