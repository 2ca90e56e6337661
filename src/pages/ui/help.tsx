/** @file Keys, and the language of conditions. */
import { useEffect, useRef } from "preact/hooks";
import { about } from "./shared/first.js";

const KEYS: readonly (readonly [keys: string, meaning: string])[] = [
  ["/", "search"],
  ["j k ↓ ↑", "next and previous run"],
  ["Enter", "open the run"],
  ["x", "choose the run, or not"],
  ["X", "choose all from the one that was chosen before (shift and click)"],
  ["a", "choose all, or none"],
  ["c", "compare those that were chosen"],
  ["?", "this help"],
];
const EDIT_KEYS: typeof KEYS = [
  ["s", "star, or no star"],
  ["e", "tags and note"],
  ["E", "tags, stars and trash of all that were chosen"],
];
const CONDITIONS: readonly (readonly [condition: string, meaning: string])[] = [
  ["state = running", "by a column: name, project, tag, seed, epochs, duration, git_branch, …"],
  ["train.batchSize in (16, 32)", "by a setting"],
  ["valid/door_open/f1_score > 0.9", "by a metric: split/task/metric, @predicted, @end_to_end"],
  ["monitored > 0.9 and starred", "by the metric that the run was watched by"],
  ['started > "2 days ago"', "by time"],
  ['name ~ "base*" or note like "%wider%"', "by a pattern"],
  ["not (tag is null)", "what has a value"],
];

export function Help({ onClose }: { onClose(): void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (dialog.current?.open === false) dialog.current.showModal();
  }, []);
  return (
    <dialog ref={dialog} class="card help" aria-labelledby="help-title" onClose={onClose}>
      <h2 id="help-title">Help</h2>
      <h3>Keys</h3>
      <dl>
        {[...KEYS, ...(about().can_edit ? EDIT_KEYS : [])].map(([keys, meaning]) => (
          <div key={keys}>
            <dt>
              <kbd>{keys}</kbd>
            </dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
      <h3>Conditions</h3>
      <dl>
        {CONDITIONS.map(([condition, meaning]) => (
          <div key={condition}>
            <dt>
              <code>{condition}</code>
            </dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
      <p class="muted">
        Operators: = != &lt; &lt;= &gt; &gt;=, in (…), ~ "glob*", like "sql%", is null, and, or, not. The same as{" "}
        <code>cool runs list --where</code>.
      </p>
      <form method="dialog">
        <button type="submit">Close</button>
      </form>
    </dialog>
  );
}
