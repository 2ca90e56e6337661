/** @file A confusion matrix as a table: rows are labels, columns answers, darker where more of the row's answers are. */
import type { ConfusionReport } from "../../../reporting/document.js";

export function Confusion({ confusion }: { readonly confusion: ConfusionReport }) {
  const { split, classes, counts, total } = confusion;
  const right = counts.reduce((sum, row, i) => sum + (row[i] ?? 0), 0);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
    <section class="table confusion" tabIndex={0} aria-label={`Confusion on ${split}`}>
      <table>
        <caption>
          Confusion on {split}: {right} of {total} right. Rows are labels, columns answers.
        </caption>
        <thead>
          <tr>
            <th scope="col">label</th>
            {classes.map((name) => (
              <th key={name} scope="col" class="number">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {classes.map((name, i) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              {(counts[i] ?? []).map((count, j) => (
                <td key={classes[j]} class={`number ${shade(counts[i] ?? [], count, i === j)}`}>
                  {count}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** Ten steps of the row's share. */
function shade(row: readonly number[], count: number, isRight: boolean): string {
  const total = row.reduce((sum, own) => sum + own, 0);
  if (count === 0 || total === 0) return "none";
  return `${isRight ? "right" : "wrong"} shade-${Math.max(1, Math.round((10 * count) / total))}`;
}
