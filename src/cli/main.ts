/** @file The command line, which bin/run.js starts. */
import { execute } from "@oclif/core/execute";

// a stack trace names lines of the sources, not of the bundle; reading the maps takes time that others need not spend
if (process.env.DEBUG !== undefined) process.setSourceMapsEnabled(true);
await execute({ dir: import.meta.url });
