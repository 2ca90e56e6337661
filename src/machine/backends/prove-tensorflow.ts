/** @file A process that trains a few steps on tensorflow and on cpu, and prints what both came to as a line of JSON. */
import { proveBackend } from "../speed-check.js";

export interface Proof {
  /** Version of the library. */
  readonly tensorflow: string;
  readonly losses: readonly number[];
}

const { device, losses } = await proveBackend("tensorflow");
const proof: Proof = { tensorflow: /\d[\w.-]*/.exec(device)?.[0] ?? "unknown", losses };
process.stdout.write(`${JSON.stringify(proof)}\n`);
