/** @file `cool sweep list`: the studies of a store. */
import { CoolCommand } from "../../../cli/command.js";
import { numberText, studiesTable } from "../../../cli/sweep/study-tables.js";
import {
  bestTrials,
  definitionOf,
  listStudies,
  type StudySummary,
  studySummary,
} from "../../../sweeping/study/study-document.js";

export default class SweepList extends CoolCommand {
  static override summary = "List the studies of a store, newest first";
  static override examples = ["<%= config.bin %> <%= command.id %>"];

  async run(): Promise<{ studies: StudySummary[] }> {
    const { flags } = await this.parse(SweepList);
    const found = await this.withStore(flags, (store) =>
      listStudies(store).map((group) => {
        const definition = definitionOf(store, group);
        const trials = store.readTrials(group.id);
        const best = new Set(bestTrials(definition, trials));
        const values = trials
          .filter(({ number }) => best.has(number))
          .map(({ objectives }) => (objectives ?? []).map(numberText).join(", "));
        return {
          summary: studySummary(group, definition, trials),
          best: values.length > 3 ? `${values.length} trials` : values.join("\n"),
        };
      }),
    );
    if (!this.jsonEnabled()) {
      if (found.length === 0)
        this.log("No studies yet. Make one with: cool sweep --set train.optimizer.learningRate=1e-4..1e-2:log");
      else this.log(studiesTable(found.map(({ summary, best }) => ({ ...summary, best }))));
    }
    return { studies: found.map(({ summary }) => summary) };
  }
}
