/** @file Whether tests that need TensorFlow's native library can run here. Why not is printed. */
import { beforeEach } from "vitest";
import { openBackend } from "../../src/engine/backends/choose.js";
import { BackendError } from "../../src/errors.js";

/** Opens the backend; prints why tests are skipped where it is not installed. */
export function hasTensorflow(): Promise<boolean> {
  return isInstalled;
}

const isInstalled = open();

async function open(): Promise<boolean> {
  try {
    await openBackend("tensorflow");
    return true;
  } catch (error) {
    if (!(error instanceof BackendError) || process.env.COOL_REQUIRE_TENSORFLOW === "1") throw error;
    process.stderr.write(`skipped, because TensorFlow cannot be tested here: ${error.message}\n`);
    return false;
  }
}

/** Skips every test of a file where the library is not installed. */
export function needsTensorflow(): void {
  beforeEach(async (context) => {
    if (!(await isInstalled)) context.skip("TensorFlow is not installed");
  });
}
