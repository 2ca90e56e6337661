/** @file Passes of a labelling project that an earlier call wrote and a later one has no use for. */
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";

/** Files of a pass. */
export const PASS_FILES = { config: "config.xml", tasks: "tasks.json" } as const;

/** Folder of a pass, the first of which is that of the project itself. */
export function passFolder(folder: string, pass: number): string {
  return pass === 1 ? folder : join(folder, `pass-${pass}`);
}

/**
 * Removes the files of passes beyond the last one: their tasks would be labelled for nothing.
 * @param passes how many there are now
 */
export function removePasses(folder: string, passes: number): void {
  for (let pass = passes + 1; existsSync(join(passFolder(folder, pass), PASS_FILES.config)); pass++) {
    for (const name of Object.values(PASS_FILES)) rmSync(join(passFolder(folder, pass), name), { force: true });
  }
}
