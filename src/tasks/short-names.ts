/** @file Paths of tasks, as short as they can be told apart. */

/** The shortest ends of paths that are no other's, too. */
export function shortNames(paths: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    paths.map((path) => {
      const parts = path.split(".");
      for (let count = 1; count < parts.length; count++) {
        const end = parts.slice(-count).join(".");
        if (paths.every((other) => other === path || (other !== end && !other.endsWith(`.${end}`)))) return [path, end];
      }
      return [path, path];
    }),
  );
}
