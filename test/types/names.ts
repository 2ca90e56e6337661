/** @file What the compiler refuses: every line below a directive is a mistake that must not compile. */
import {
  binary,
  boundedRegression,
  box,
  classification,
  defineProject,
  defineTasks,
  image,
  multilabel,
  ordinal,
  point,
  regression,
  type SymbolicTensor,
} from "dnn-cool";

const declared = defineTasks({
  features: ["features", "place"],
  tasks: {
    blocked: binary(),
    color: classification({ classes: ["red", "green"] }),
    marks: multilabel({ labels: ["stripe", "dot"] }),
    x: boundedRegression({ max: 16 }),
    grade: ordinal({ levels: ["mild", "severe"] }),
    price: regression({ loss: "huber", delta: 2 }),
    face: box({ columns: ["x", "y", "w", "h"], scale: "image" }),
  },
});

export const tasks = declared
  .flow("inner", (flow, x, out) => {
    out.add(flow.x(x.place));
  })
  .flow("full", (flow, x, out) => {
    const blocked = out.add(flow.blocked(x.features));
    out.add(flow.color(x.features).given(blocked.not().and(out.blocked)));
    out.add(flow.marks(x.features).given(out.color.is("red").or(out.color.isOneOf(["red", "green"]))));
    out.add(flow.inner(x).given(out.marks.has("dot")).as("other"));
    out.add(flow.x(x.place).given(out.get("other.x").atLeast(3)));

    out.add(flow.grade(x.features).given(out.add(flow.price(x.features)).below(12.5)));
    out.add(
      flow
        .color(x.features)
        .as("later")
        .given(out.grade.atLeast("severe").or(out.grade.below("severe"))),
    );

    // @ts-expect-error unknown level
    out.grade.atLeast("sever");
    // @ts-expect-error a level is no index
    out.grade.atLeast(1);
    // @ts-expect-error a grade is no condition by itself
    flow.color(x.features).given(out.grade);
    out.add(flow.face(x.features));
    // @ts-expect-error no condition reads a box
    out.face.atLeast(1);
    // @ts-expect-error a bound is a number
    out.price.atLeast("12");
    // @ts-expect-error unknown task
    flow.blokced(x.features);
    // @ts-expect-error unknown feature
    flow.blocked(x.feature);
    // @ts-expect-error a flow declared later, or nowhere
    flow.outer(x);
    // @ts-expect-error a flow takes all features
    flow.inner(x.features);
    // @ts-expect-error a task takes one feature
    flow.blocked(x);
    // @ts-expect-error unknown gate
    out.blokced;
    // @ts-expect-error unknown gate by path
    out.get("other.z");
    // @ts-expect-error unknown class
    out.color.is("blue");
    // @ts-expect-error unknown class among known ones
    out.color.isOneOf(["red", "blue"]);
    // @ts-expect-error unknown label
    out.marks.has("dots");
    // @ts-expect-error a regression has no classes
    out.x.is("red");
    // @ts-expect-error a bound is a number
    out.x.atLeast("3");
    // @ts-expect-error a classification is no condition by itself
    flow.x(x.place).given(out.color);
    // @ts-expect-error nor is a multilabel
    flow.x(x.place).given(out.marks);
    // @ts-expect-error nor a regression
    flow.color(x.features).given(out.x);
    // @ts-expect-error nor is a flow, which adds no gate
    flow.color(x.features).given(out.add(flow.inner(x)));
    // @ts-expect-error a condition is combined with conditions only
    out.blocked.and(out.color);
  });

const data = { table: "labels.csv", inputs: { image: image({ column: "img", size: [16, 16] }) } } as const;
declare const tensor: SymbolicTensor;
const trunk = () => ({ features: tensor, place: tensor });

defineProject({ name: "sound", tasks, flow: "inner", data, trunk });
// @ts-expect-error unknown flow
defineProject({ name: "flow", tasks, flow: "outer", data, trunk });
// @ts-expect-error the trunk misses a feature
defineProject({ name: "missing", tasks, flow: "full", data, trunk: () => ({ features: tensor }) });
defineProject({
  name: "unknown",
  tasks,
  flow: "full",
  data,
  // @ts-expect-error the trunk has a feature of a wrong name
  trunk: () => ({ features: tensor, plaec: tensor }),
});
defineProject({
  name: "excess",
  tasks,
  flow: "full",
  data,
  // @ts-expect-error the trunk has a feature too many
  trunk: () => ({ features: tensor, place: tensor, more: tensor }),
});
defineProject({
  name: "input",
  tasks,
  flow: "full",
  data,
  // @ts-expect-error unknown input
  trunk: ({ picture }) => ({ features: picture, place: picture }),
});
// @ts-expect-error unknown setting
defineProject({ name: "setting", tasks, flow: "full", data, trunk, train: { batchsize: 8 } });
// @ts-expect-error unknown key
defineProject({ name: "key", tasks, flow: "full", data, trunk, trian: { epochs: 3 } });
// @ts-expect-error unknown kind of optimizer
defineProject({ name: "kind", tasks, flow: "full", data, trunk, train: { optimizer: { kind: "adamax" } } });

// @ts-expect-error a regression needs a maximum or a scale
boundedRegression({ min: 0 });
// @ts-expect-error a box has columns
box({ scale: "image" });
// @ts-expect-error an unknown format
box({ columns: ["x", "y", "w", "h"], format: "yxyx" });
// @ts-expect-error a scale is the image's
point({ columns: ["x", "y"], scale: "image-width" });
// @ts-expect-error levels are a list
ordinal({ levels: "mild" });
// @ts-expect-error an unknown loss
regression({ loss: "hubber" });
// @ts-expect-error classes are a list
classification({ classes: "red" });
// @ts-expect-error pixels are counted in height and width
image({ column: "img", size: [16] });
