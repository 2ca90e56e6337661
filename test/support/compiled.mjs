// vitest's global set-up: threads and processes that tests start run what is compiled, where that is up to date: through
// jiti each takes seconds of processor time to load
import { isBuilt } from "../../scripts/setup.mjs";

export function setup() {
  if (isBuilt()) startCompiled();
}

export function startCompiled() {
  process.env.DNN_COOL_COMPILED_ENTRIES = "1";
}
