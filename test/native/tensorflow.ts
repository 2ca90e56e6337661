/** @file Whether tests that need TensorFlow's native library can run here. */
import { openBackend } from "../../src/engine/backends/choose.js";
import { BackendError } from "../../src/errors.js";
import { needs } from "../support/needs.js";

const missing = await reasonAgainst();

async function reasonAgainst(): Promise<string | null> {
  try {
    await openBackend("tensorflow");
    return null;
  } catch (error) {
    if (!(error instanceof BackendError) || process.env.COOL_REQUIRE_TENSORFLOW === "1") throw error;
    return error.message;
  }
}

/** Skips every test of a file where the library is not installed. */
export function needsTensorflow(): void {
  needs(missing);
}
