/** @file Logs scalars with our writer: `ours.ts FOLDER COUNT`; prints the seconds from the first point to the last byte. */
import { openEventWriter } from "../../src/logging/tensorboard/index.js";
import { print } from "../report.js";

const [folder = "", count = "0"] = process.argv.slice(2);
const writer = openEventWriter(folder);
const start = performance.now();
for (let step = 0; step < Number(count); step++) writer.scalar("person_present/loss", step * 0.5, step);
writer.close();
print(JSON.stringify({ seconds: (performance.now() - start) / 1000 }));
