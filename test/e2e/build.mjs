// vitest's global set-up: the command line under test is built from today's sources

import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build, setUp } from "../../scripts/setup.mjs";
import { startCompiled } from "../support/compiled.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));

export function setup() {
  // the dependencies are there, since vitest is one of them; only their own set-up may have been skipped
  if (existsSync(`${root}node_modules/.set-up`)) setUp();
  else build();
  startCompiled();
}
