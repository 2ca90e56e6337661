/** @file A small addon built beside tfjs-node's binding, for TensorFlow libraries that talk on stderr when loaded. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { MUTE_ADDON } from "../../engine/backends/tensorflow/package.js";

/**
 * TensorFlow 2.21 prints a line about oneDNN while the dynamic linker initialises it, before any setting of its log
 * level is read. So stderr is closed for that moment, which only native code can do without a gap.
 */
const CODE = `#include <fcntl.h>
#include <node_api.h>
#include <unistd.h>
static int kept = -1;
static napi_value Mute(napi_env, napi_callback_info) {
  int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (kept < 0 && nowhere >= 0) {
    kept = fcntl(2, F_DUPFD_CLOEXEC, 3);
    if (kept >= 0) dup2(nowhere, 2);
  }
  if (nowhere >= 0) close(nowhere);
  return nullptr;
}
static napi_value Unmute(napi_env, napi_callback_info) {
  if (kept >= 0) {
    dup2(kept, 2);
    close(kept);
    kept = -1;
  }
  return nullptr;
}
NAPI_MODULE_INIT() {
  napi_property_descriptor functions[] = {
      {"mute", nullptr, Mute, nullptr, nullptr, nullptr, napi_default, nullptr},
      {"unmute", nullptr, Unmute, nullptr, nullptr, nullptr, napi_default, nullptr}};
  napi_define_properties(env, exports, 2, functions);
  return exports;
}
`;

const TARGET = `'targets' : [{
    'target_name' : '${MUTE_ADDON}',
    'sources' : ['binding/${MUTE_ADDON}.cc'],
  }, {`;

/** Changes of binding.gyp: the addon is a target of its own, and is copied to where the binding goes. */
const CHANGES: readonly (readonly [string, string])[] = [
  ["'targets' : [{", TARGET],
  ['"dependencies": [ "<(module_name)" ]', `"dependencies": [ "<(module_name)", "${MUTE_ADDON}" ]`],
  ['"<(PRODUCT_DIR)/<(module_name).node"', `"<(PRODUCT_DIR)/<(module_name).node", "<(PRODUCT_DIR)/${MUTE_ADDON}.node"`],
];

/** Adds it to what node-gyp builds from the package; leaves the sources of another release of it alone. */
export function addMuteAddon(packageDir: string): void {
  const file = join(packageDir, "binding.gyp");
  const text = readFileSync(file, "utf8");
  if (!CHANGES.every(([old]) => text.includes(old))) return;
  writeFileSync(join(packageDir, "binding", `${MUTE_ADDON}.cc`), CODE);
  writeFileSync(
    file,
    CHANGES.reduce((changed, [old, replacement]) => changed.replace(old, () => replacement), text),
  );
}
