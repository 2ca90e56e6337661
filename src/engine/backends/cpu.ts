/** @file tfjs's plain JavaScript backend: slow, and the reference that the others are tested against. */
import { type Backend, type OpenedBackend, prepareCore } from "./backend.js";

/** tfjs in plain JavaScript: slow, and everywhere. */
export const cpu: Backend = { devices: ["cpu"], open: openCpu };

async function openCpu(): Promise<OpenedBackend> {
  const tf = await prepareCore();
  const { version_cpu: version } = await import("@tensorflow/tfjs-backend-cpu");
  const { mendAveragePooling } = await import("./padded-average.js");
  mendAveragePooling("cpu");
  await tf.setBackend("cpu");
  withoutGreeting(tf);
  return { version, device: "plain JavaScript", threads: 1 };
}

/** The cpu backend greets with an advertisement on its first tensor, unless it takes itself for already used. */
function withoutGreeting(tf: typeof import("@tensorflow/tfjs-core")): void {
  const backend = tf.engine().backend as unknown as { firstUse: boolean };
  backend.firstUse = false;
}
