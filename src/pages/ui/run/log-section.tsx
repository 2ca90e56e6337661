/** @file The end of what a run printed, growing while it runs. */
import { useState } from "preact/hooks";
import type { LogAnswer } from "../../../ui/api/types.js";
import { Section } from "../../components/section.js";
import { useAnswer } from "../shared/answer.js";
import { linesOf } from "../shared/text.js";

export function LogSection({ id, isLive }: { readonly id: string; readonly isLive: boolean }) {
  const [lines, setLines] = useState(100);
  const { value } = useAnswer<LogAnswer>(`/api/runs/${encodeURIComponent(id)}/log?lines=${lines}`, { isLive });
  if (value === null || value.lines.length === 0) return null;
  return (
    <Section id="log" title="Output">
      {value.is_cut ? (
        <p>
          <button type="button" class="quiet" onClick={() => setLines(Math.min(5000, lines * 5))}>
            Earlier lines
          </button>
        </p>
      ) : null}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard */}
      <pre class="log" tabIndex={0}>
        {linesOf(value.lines.join("\n"), 300_000)}
      </pre>
    </Section>
  );
}
