#!/usr/bin/env node
// the CLI from today's sources: builds first where they are newer than the last build
import { setUp } from "../scripts/setup.mjs";

setUp();
await import("./run.js");
