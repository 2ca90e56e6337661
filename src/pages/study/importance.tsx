/** @file How much of the objective's variance each setting explains by itself, as bars in a table. */
import type { StudyReport } from "../../reporting/document.js";
import { Name } from "../components/name.js";
import { Table } from "../components/table.js";

const WIDTH = 96;

export function Importance({ study: { importance } }: { readonly study: StudyReport }) {
  if (importance === null || importance.length < 2) return null;
  return (
    <>
      <h3>What makes the difference</h3>
      <Table
        caption="Share of a random forest's variance that a setting explains by itself (functional ANOVA)"
        sortable={false}
        rows={importance}
        keyOf={({ parameter }) => parameter}
        columns={[
          {
            ...{ key: "setting", label: "setting", value: ({ parameter }) => parameter },
            show: ({ parameter }) => <Name text={parameter} />,
          },
          {
            ...{ key: "importance", label: "importance", numeric: true, value: ({ importance: share }) => share },
            show: ({ importance: share }) => share.toFixed(2),
          },
          {
            ...{ key: "bar", label: "", value: () => null },
            show: ({ importance: share }) => (
              <svg class="share" width={WIDTH} height="10" aria-hidden="true">
                <rect width={Math.max(1, Math.round(share * WIDTH))} height="10" rx="2" />
              </svg>
            ),
          },
        ]}
      />
    </>
  );
}
