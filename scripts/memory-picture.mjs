// Draws what `npm run bench:replicas` measured of memory: node scripts/memory-picture.mjs OUT.svg RESULTS.json
// e.g. node scripts/memory-picture.mjs docs/replicas.svg bench/results/replicas.json
import { readFileSync, writeFileSync } from "node:fs";

const [out, results] = process.argv.slice(2);
const { memory } = JSON.parse(readFileSync(results, "utf8"));
const measured = Object.fromEntries(memory.map((each) => [each.way, each]));
const groups = [
  { title: "everything gathered on one side", ...measured.gathered },
  { title: "dnn-cool: reduced where it is made", ...measured.balanced },
];
const [width, margin, label, barHeight, gap, header] = [720, 22, 170, 22, 8, 74];
const most = Math.max(...groups.flatMap(({ coordinator, replica }) => [coordinator, replica]));
const scale = (width - 2 * margin - label - 90) / most;
const groupHeight = 30 + 2 * (barHeight + gap) + 14;
const height = header + groups.length * groupHeight + margin - 10;

const text = (x, y, content, { fill = "#8b949e", size = 14 } = {}) =>
  `<text x="${x}" y="${y}" fill="${fill}" font-size="${size}">${content}</text>`;

function bar(y, name, megabytes, fill) {
  const length = Math.max(2, megabytes * scale);
  return [
    text(margin, y + 16, name),
    `<rect x="${margin + label}" y="${y}" width="${length.toFixed(1)}" height="${barHeight}" rx="4" fill="${fill}"/>`,
    text(margin + label + length + 10, y + 16, `${megabytes.toFixed(0)} MB`, { fill: "#f0f6fc" }),
  ].join("\n");
}

const drawn = groups.map(({ title, coordinator, replica }, i) => {
  const y = header + i * groupHeight;
  return [
    text(margin, y + 14, title, { fill: "#79c0ff" }),
    bar(y + 28, "coordinating side", coordinator, coordinator > 1.2 * replica ? "#ff7b72" : "#ffa657"),
    bar(y + 28 + barHeight + gap, i === 0 ? "the other replica" : "each of 2 replicas", replica, "#3fb950"),
  ].join("\n");
});
const title = "Peak memory of a step with a softmax over 8,000 classes for every token";
writeFileSync(
  out,
  `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">
<title>${title}</title>
<rect width="100%" height="100%" rx="10" fill="#0d1117"/>
<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace">
${text(margin, 40, title, { fill: "#f0f6fc", size: 15 })}
${drawn.join("\n")}
</g>
</svg>
`,
);
