/** @file Whole runs on webgpu. */
import { describeRuns } from "../parity/run-cases.js";
import { needsWebgpu } from "./device.js";

needsWebgpu();
describeRuns("webgpu");
