/** @file Whole runs on tensorflow. */
import { describeRuns } from "../parity/run-cases.js";
import { needsTensorflow } from "./tensorflow.js";

needsTensorflow();
describeRuns("tensorflow");
