/** @file Whether this machine can run the webgpu backend, in software if need be. Why not is printed. */
import { existsSync } from "node:fs";
import { beforeEach } from "vitest";
import { openBackend } from "../../src/engine/backends/choose.js";
import { findWebgpuPackages } from "../../src/engine/backends/webgpu/packages.js";

/** SwiftShader, which comes with Debian's chromium: slow, and the same everywhere. */
const SOFTWARE_DRIVER = "/usr/lib/chromium/vk_swiftshader_icd.json";

/** The software driver, unless the environment names another. Processes that tests start inherit it. */
if (process.env.VK_DRIVER_FILES === undefined && existsSync(SOFTWARE_DRIVER)) {
  process.env.VK_DRIVER_FILES = SOFTWARE_DRIVER;
}

const reason = await reasonToSkip();
if (reason !== null) process.stderr.write(`webgpu tests are skipped: ${reason}\n`);

/** null where the backend opens. */
async function reasonToSkip(): Promise<string | null> {
  if (findWebgpuPackages() === null) {
    return "no packages: lay webgpu@0.6 and @tensorflow/tfjs-backend-webgpu@4.22.0 into node_modules, as .ci/run does";
  }
  try {
    await openBackend("webgpu");
    return null;
  } catch (error) {
    return `${(error as Error).message} For a software driver: apt-get install chromium libvulkan1`;
  }
}

/** Skips every test of a file where the backend does not open. */
export function needsWebgpu(): void {
  beforeEach((context) => {
    if (reason !== null) context.skip(reason);
  });
}
