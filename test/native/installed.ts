/** @file Whether this machine has TensorFlow's library for the native tests. Why not is printed. */
import { beforeEach } from "vitest";
import { openBackend } from "../../src/engine/backend.js";

const reason = await reasonToSkip();
if (reason !== null) process.stderr.write(`native tests are skipped: ${reason}\n`);

/** null where the backend opens. */
async function reasonToSkip(): Promise<string | null> {
  try {
    await openBackend("tensorflow");
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

/** Skips every test of a file where the backend does not open. */
export function needsTensorflow(): void {
  beforeEach((context) => {
    if (reason !== null) context.skip(reason);
  });
}
