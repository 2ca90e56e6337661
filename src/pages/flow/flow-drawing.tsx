/** @file The flow as a drawing: tasks in layers, what opens them on the edges, their scores in them. */
import type { FlowReport } from "../../reporting/document.js";
import { layOut, NODE_HEIGHT, NODE_WIDTH, type PlacedNode } from "./layout.js";

/** What is said of a task in its node. */
export interface NodeScore {
  /** Name of the metric. */
  readonly metric: string;
  readonly text: string;
  /** Whether it is marked: it does not beat a constant answer. */
  readonly weak: boolean;
}

export interface FlowDrawingProps {
  readonly flow: FlowReport;
  /** Where a click on a task leads, such as `#task-3`. */
  hrefOf(path: string): string;
  scoreOf(path: string): NodeScore | null;
}

export function FlowDrawing({ flow, hrefOf, scoreOf }: FlowDrawingProps) {
  const { width, height, nodes, edges } = layOut(flow);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
    <section class="flow card" tabIndex={0} aria-label={`Drawing of the flow ${flow.name}`}>
      <svg xmlns="http://www.w3.org/2000/svg" width={width} height={height} viewBox={`0 0 ${width} ${height}`}>
        <title>{`${nodes.length} tasks, each of which leads to its part of the page`}</title>
        <defs>
          <marker id="flow-arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto">
            <path class="arrow" d="M0 0 L8 4 L0 8 z" />
          </marker>
        </defs>
        {edges.map(({ edge, path }) => (
          <path key={`${edge.from} ${edge.to}`} class="edge" d={path} marker-end="url(#flow-arrow)" />
        ))}
        {edges.map(({ edge, labelX, labelY }) => (
          <text key={`${edge.from} ${edge.to}`} class="edge-label" x={labelX} y={labelY} text-anchor="end">
            {fitted(edge.label, 18)}
          </text>
        ))}
        {nodes.map((placed) => (
          <Node
            key={placed.node.path}
            placed={placed}
            href={hrefOf(placed.node.path)}
            score={scoreOf(placed.node.path)}
          />
        ))}
      </svg>
    </section>
  );
}

interface NodeProps {
  readonly placed: PlacedNode;
  readonly href: string;
  readonly score: NodeScore | null;
}

function Node({ placed: { node, x, y }, href, score }: NodeProps) {
  const { path, name, kind, condition } = node;
  const prefix = path.slice(0, Math.max(0, path.length - name.length - 1));
  const said = [
    `${path}, ${kind}`,
    condition === null ? "always asked" : `asked where ${condition}`,
    ...(score === null
      ? []
      : [`${score.metric} ${score.text}${score.weak ? ", no better than a constant answer" : ""}`]),
  ].join("; ");
  return (
    <a href={href} class={score?.weak === true ? "node weak" : "node"} aria-label={said}>
      <title>{said}</title>
      <rect x={x} y={y} width={NODE_WIDTH} height={NODE_HEIGHT} rx="7" />
      <text class="prefix" x={x + 10} y={y + 15}>
        {prefix === "" ? kind : fittedEnd(prefix, 28)}
      </text>
      <text x={x + 10} y={y + 31}>
        {fitted(name, 24)}
      </text>
      {score === null ? null : (
        <>
          <text class="metric" x={x + 10} y={y + 46}>
            {fitted(score.metric, 16)}
          </text>
          <text class="score" x={x + NODE_WIDTH - 10} y={y + 46} text-anchor="end">
            {score.weak ? "! " : ""}
            {score.text}
          </text>
        </>
      )}
    </a>
  );
}

function fitted(text: string, letters: number): string {
  return text.length <= letters ? text : `${text.slice(0, letters - 1)}…`;
}

function fittedEnd(text: string, letters: number): string {
  return text.length <= letters ? text : `…${text.slice(1 - letters)}`;
}
