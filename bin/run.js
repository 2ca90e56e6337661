#!/usr/bin/env node
import module from "node:module";

// compiled code is kept between calls, where Node can do that (since 22.1)
module.enableCompileCache?.();
const main = new URL("../dist/bundle/cli/main.js", import.meta.url).href;
try {
  await import(main);
} catch (error) {
  // a checkout, not a package
  if (error?.code !== "ERR_MODULE_NOT_FOUND" || error.url !== main) throw error;
  process.stderr.write("Error: This checkout of dnn-cool has not been built. Run: npm run setup\n");
  process.exitCode = 1;
}
