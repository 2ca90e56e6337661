// removes what an earlier build left, so that a deleted source leaves no command behind
import { rmSync } from "node:fs";

for (const name of ["dist", "oclif.manifest.json"])
  rmSync(new URL(`../${name}`, import.meta.url), { recursive: true, force: true });
