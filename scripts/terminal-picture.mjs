// Draws what commands print as a picture of a terminal: node scripts/terminal-picture.mjs OUT.svg DIR COMMAND…
// e.g. node scripts/terminal-picture.mjs docs/terminal.svg examples/home-security "cool explain images/00001.png"
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const [out, dir, ...commands] = process.argv.slice(2);
const cli = fileURLToPath(new URL("../bin/run.js", import.meta.url));
const [charWidth, lineHeight, margin, header] = [8.43, 20, 22, 38];

const lines = commands.flatMap((command, i) => {
  const { stdout } = spawnSync(process.execPath, [cli, ...command.split(" ").slice(1)], { cwd: dir, encoding: "utf8" });
  return [...(i === 0 ? [] : [""]), `$ ${command}`, ...stdout.trimEnd().split("\n")];
});
const width = Math.ceil(Math.max(...lines.map((line) => line.length)) * charWidth + 2 * margin);
const height = header + lines.length * lineHeight + margin;

const escapeXml = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
const span = (text, colour) => `<tspan fill="${colour}">${escapeXml(text)}</tspan>`;

/** Colours by meaning: prompt, tree lines, names of tasks, values. */
function coloured(line) {
  if (line.startsWith("$ ")) return span("$ ", "#7ee787") + span(line.slice(2), "#f0f6fc");
  const [, tree = "", rest = ""] = /^([│├└─\s]*)(.*)$/.exec(line) ?? [];
  const [name, ...values] = rest.split(" | ");
  return span(tree, "#6e7681") + span(name, "#79c0ff") + values.map((value) => answer(` | ${value}`)).join("");
}

function answer(text) {
  const [, before = text, decoded = "", after = ""] = /^( \| decoded: )(\[[^\]]*\])(.*)$/.exec(text) ?? [];
  return span(before, "#8b949e") + span(decoded, "#ffa657") + span(after, "#8b949e");
}

const text = lines
  .map(
    (line, i) =>
      `<text x="${margin}" y="${header + (i + 1) * lineHeight}" xml:space="preserve">${coloured(line)}</text>`,
  )
  .join("\n");
const dots = ["#ff5f57", "#febc2e", "#28c840"]
  .map((fill, i) => `<circle cx="${margin + i * 20}" cy="20" r="6" fill="${fill}"/>`)
  .join("");
writeFileSync(
  out,
  `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">
<title>${escapeXml(commands.join("; "))} in a terminal</title>
<rect width="100%" height="100%" rx="10" fill="#0d1117"/>${dots}
<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="14">
${text}
</g>
</svg>
`,
);
