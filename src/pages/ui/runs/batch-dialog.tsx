/** @file The same change of several runs: tags, the star, and the trash. */
import { useState } from "preact/hooks";
import type { RunEdit } from "../../../ui/api/types.js";
import { editAll } from "../shared/api.js";
import { tagsOf } from "../shared/edit-dialog.js";
import { EditFrame } from "../shared/edit-frame.js";

/** What was done, for words and for undoing it. */
export interface BatchOutcome {
  /** Runs that were changed: with one of a group all of it may come into the trash. */
  readonly ids: readonly string[];
  readonly edit: RunEdit;
}

interface BatchDialogProps {
  readonly ids: readonly string[];
  /** Whether they are looked at in the trash. */
  readonly isTrash: boolean;
  /** @param outcome null: nothing was changed */
  onClose(outcome: BatchOutcome | null): void;
}

const STARS = { keep: "as they are", on: "star all", off: "star none" } as const;

export function BatchDialog({ ids, isTrash, onClose }: BatchDialogProps) {
  const [added, setAdded] = useState("");
  const [removed, setRemoved] = useState("");
  const [star, setStar] = useState("keep");
  const send = async (edit: RunEdit): Promise<void> => {
    const { runs } = await editAll({ runs: ids, ...edit });
    onClose({ ids: runs.map(({ id }) => id), edit });
  };
  const change: RunEdit = {
    add_tags: tagsOf(added),
    remove_tags: tagsOf(removed),
    ...(star === "keep" ? {} : { starred: star === "on" }),
  };
  return (
    <EditFrame
      id="batch"
      title={runsText(ids.length)}
      isTrash={isTrash}
      onSave={() => send(change)}
      onTrash={() => send({ trash: !isTrash })}
      onCancel={() => onClose(null)}
    >
      <label>
        Tags to add, separated by commas
        <input name="add" value={added} onInput={({ currentTarget }) => setAdded(currentTarget.value)} />
      </label>
      <label>
        Tags to remove
        <input name="remove" value={removed} onInput={({ currentTarget }) => setRemoved(currentTarget.value)} />
      </label>
      <label>
        Stars{" "}
        <select name="star" value={star} onChange={({ currentTarget }) => setStar(currentTarget.value)}>
          {Object.entries(STARS).map(([value, name]) => (
            <option key={value} value={value}>
              {name}
            </option>
          ))}
        </select>
      </label>
    </EditFrame>
  );
}

/** What was done, with a way back for the trash, as `cool runs restore` is one. */
export function BatchNotice({ outcome, onUndo }: { readonly outcome: BatchOutcome; onUndo(): void }) {
  const { ids, edit } = outcome;
  return (
    <p class="notice" role="status">
      {runsText(ids.length)}{" "}
      {edit.trash === undefined ? "changed." : edit.trash ? "moved to the trash." : "brought back."}{" "}
      {edit.trash === undefined ? null : (
        <button type="button" onClick={onUndo}>
          Undo
        </button>
      )}
    </p>
  );
}

function runsText(count: number): string {
  return count === 1 ? "1 run" : `${count} runs`;
}
