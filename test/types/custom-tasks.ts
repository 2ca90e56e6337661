/** @file What the compiler refuses of own and known tasks: every line below a directive must not compile. */
import { binary, defineTask, defineTasks, known } from "dnn-cool";

const functions = {
  parse: Number,
  loss: () => 0,
  activation: (logits: readonly number[]) => logits,
  decoder: { parameters: [], decode: () => 0 },
  metrics: {},
};
const angle = defineTask({ ...functions, name: "angle", width: 2 });
const flag = defineTask({ ...functions, name: "flag", width: 1, gate: "truth" });
const point = defineTask({
  ...functions,
  name: "point",
  width: 2,
  answerWidth: 2,
  parse: () => [0, 0],
  decoder: { parameters: [1], decode: ([a = 0, b = 0], [scale = 1]) => [scale * a, scale * b] },
  metrics: { spread: { compute: (rows) => rows[0]?.label[1] ?? null, higherIsBetter: true } },
});

export const tasks = defineTasks({
  features: ["f"],
  tasks: {
    wrist: angle({ column: "wrist_angle", lossWeight: 2 }),
    flag: flag(),
    spot: point(),
    member: known(),
    asked: binary(),
  },
}).flow("main", (flow, { f }, out) => {
  const wrist = out.add(flow.wrist(f));
  const isOn = out.add(flow.flag(f).given(wrist.atLeast(90).and(out.wrist.below(180))));
  const member = out.add(flow.member());
  out.add(
    flow
      .asked(f)
      .given(isOn.and(isOn.atLeast(0.9).not(), member))
      .weighted(2),
  );

  // @ts-expect-error a number with bounds is no condition by itself
  flow.asked(f).given(wrist);
  // @ts-expect-error an answer of several numbers has no bounds
  out.spot.atLeast(1);
  // @ts-expect-error nor is it a condition
  flow.asked(f).given(out.spot);
  // @ts-expect-error a known task has no bounds
  out.member.below(1);
  // @ts-expect-error a known task reads no feature
  flow.member(f);
  // @ts-expect-error a custom task reads one
  flow.wrist();
  // @ts-expect-error a bound is a number
  wrist.atLeast("90");
});

// @ts-expect-error a known task has no loss to weigh
known({ lossWeight: 2 });
// @ts-expect-error a task has no such option
angle({ columns: "wrist_angle" });
// @ts-expect-error a definition has a loss
defineTask({
  name: "lossless",
  width: 1,
  parse: Number,
  activation: functions.activation,
  decoder: functions.decoder,
  metrics: {},
});
// @ts-expect-error the answer is one number
defineTask({ ...functions, name: "list", width: 1, decoder: { parameters: [], decode: () => [0, 0] } });
// @ts-expect-error the label is two numbers
defineTask({ ...functions, name: "pair", width: 2, answerWidth: 2, parse: () => 0 });
// @ts-expect-error a metric says which way it is better
defineTask({ ...functions, name: "metric", width: 1, metrics: { m: { compute: () => 0 } } });
// @ts-expect-error there are two kinds of gates
defineTask({ ...functions, name: "gate", width: 1, gate: "bare" });
