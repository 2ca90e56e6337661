#!/usr/bin/env node
import module from "node:module";

// compiled code is kept between calls, where Node can do that (since 22.1)
module.enableCompileCache?.();
await import("../dist/bundle/cli/main.js");
