/** @file Whether tests that need TensorFlow's native library can run here. */
import { openBackend } from "../../src/engine/backend.js";
import { BackendError } from "../../src/errors.js";

/** Opens the backend; prints why tests are skipped where it is not installed. */
export async function hasTensorflow(): Promise<boolean> {
  try {
    await openBackend("tensorflow");
    return true;
  } catch (error) {
    if (!(error instanceof BackendError) || process.env.COOL_REQUIRE_TENSORFLOW === "1") throw error;
    process.stderr.write(`skipped, because TensorFlow cannot be tested here: ${error.message}\n`);
    return false;
  }
}
