/**
 * @file Logs scalars with tfjs-node's summaryFileWriter: `tfjs_node.cjs FOLDER COUNT`; prints the seconds from the first
 * point to the last byte, or null where it is not installed.
 */
const [folder, count] = process.argv.slice(2);

function openWriter() {
  try {
    return require("@tensorflow/tfjs-node").node.summaryFileWriter(folder);
  } catch {
    return null;
  }
}

const writer = openWriter();
if (writer === null) process.stdout.write("null\n");
else {
  const start = performance.now();
  for (let step = 0; step < Number(count); step++) writer.scalar("person_present/loss", step * 0.5, step);
  writer.flush();
  process.stdout.write(`${JSON.stringify({ seconds: (performance.now() - start) / 1000 })}\n`);
}
