// vitest's global set-up: threads and processes that tests start run what is compiled, where that is up to date: through
// jiti each takes seconds of processor time to load. Not while files are watched, for then what is compiled grows old
import { isBuilt } from "../../scripts/setup.mjs";

export function setup({ config }) {
  if (!config.watch && isBuilt()) startCompiled();
}

export function startCompiled() {
  process.env.DNN_COOL_COMPILED_ENTRIES = "1";
}
