/** @file Whole runs on tensorflow. */
import { describeRuns } from "../parity/run-cases.js";
import { needsTensorflow } from "./installed.js";

needsTensorflow();
describeRuns("tensorflow");
