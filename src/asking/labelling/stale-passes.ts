/** @file The files of a labelling project: those of an earlier call are written anew or removed, others never. */
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { UsageError } from "../../errors.js";

/** Files of a pass. */
export const PASS_FILES = { config: "config.xml", tasks: "tasks.json" } as const;

/** Folder of a pass, the first of which is that of the project itself. */
export function passFolder(folder: string, pass: number): string {
  return pass === 1 ? folder : join(folder, `pass-${pass}`);
}

/** What stands above every task, and tells a configuration of `cool ask` from others. */
export const PASS_HEADER = '<Header value="$ask"/>';

/** @throws UsageError where a pass would be written over files that `cool ask` has not written */
export function refuseOtherPasses(folder: string): void {
  for (let pass = 1; pass === 1 || existsSync(passFolder(folder, pass)); pass++) {
    const target = passFolder(folder, pass);
    const [config, tasks] = [join(target, PASS_FILES.config), join(target, PASS_FILES.tasks)];
    if (existsSync(config) ? isOwn(config) : !existsSync(tasks)) continue;
    const file = existsSync(config) ? config : tasks;
    throw new UsageError(
      `${file} is there already, and is not of a labelling project that cool ask has written. Name another folder with --label-studio, or move it away.`,
      { file },
    );
  }
}

function isOwn(config: string): boolean {
  try {
    return readFileSync(config, "utf8").includes(PASS_HEADER);
  } catch {
    return false;
  }
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
