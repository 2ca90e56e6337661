/** @file Tags, the note, and the trash of a run. */
import { useState } from "preact/hooks";
import type { ListedRun } from "../../../records/list-runs.js";
import { edit } from "./api.js";
import { EditFrame } from "./edit-frame.js";
import { lineOf } from "./text.js";

export type Editable = Pick<ListedRun, "id" | "name" | "tags" | "note" | "deleted_at">;

interface EditDialogProps {
  readonly run: Editable;
  onClose(hasChanged: boolean): void;
}

export function EditDialog({ run, onClose }: EditDialogProps) {
  const [tags, setTags] = useState(run.tags.join(", "));
  const [note, setNote] = useState(run.note ?? "");
  const send = async (change: Parameters<typeof edit>[1]): Promise<void> => {
    await edit(run.id, change);
    onClose(true);
  };
  const isTrash = run.deleted_at !== null;
  return (
    <EditFrame
      id="edit"
      title={lineOf(run.name, 100)}
      isTrash={isTrash}
      // what was left as it was may have become another in another tab meanwhile
      onSave={() => send({ ...tagChange(run.tags, tags), ...(note === (run.note ?? "") ? {} : { note }) })}
      onTrash={() => send({ trash: !isTrash })}
      onCancel={() => onClose(false)}
    >
      <label>
        Tags, separated by commas
        <input name="tags" value={tags} onInput={({ currentTarget }) => setTags(currentTarget.value)} />
      </label>
      <label>
        Note
        <textarea name="note" rows={4} value={note} onInput={({ currentTarget }) => setNote(currentTarget.value)} />
      </label>
    </EditFrame>
  );
}

function tagChange(before: readonly string[], text: string): { add_tags: string[]; remove_tags: string[] } {
  const after = tagsOf(text);
  // a tag with a comma in it stays: it cannot be written here
  const kept = before.filter((tag) => tag.includes(","));
  return {
    add_tags: after.filter((tag) => !before.includes(tag) && !kept.some((one) => one.includes(tag))),
    remove_tags: before.filter((tag) => !after.includes(tag) && !kept.includes(tag)),
  };
}

/** @param text tags, separated by commas */
export function tagsOf(text: string): string[] {
  return text
    .split(",")
    .map((tag) => tag.trim())
    .filter((tag) => tag !== "");
}
