/** @file The gradient of 1 − GIoU with respect to centre and size of boxes, as tensor ops: `tasks/boxes.ts` in columns. */
import * as tf from "@tensorflow/tfjs-core";
import { at } from "../../arrays.js";
import { EPSILON } from "../../tasks/boxes.js";

/** Along one axis, each [rows, 1]. */
interface AxisOverlap {
  readonly low: tf.Tensor;
  readonly high: tf.Tensor;
  readonly labelLow: tf.Tensor;
  readonly labelHigh: tf.Tensor;
  readonly own: tf.Tensor;
  readonly label: tf.Tensor;
  readonly shared: tf.Tensor;
  readonly around: tf.Tensor;
}

/**
 * ∂(1 − GIoU)/∂(centre, size), [rows, 4].
 * @param boxes centre and size, [rows, 4]
 * @param labels the same of the labels
 */
export function boxGradient(boxes: tf.Tensor, labels: tf.Tensor): tf.Tensor {
  const [own, wanted] = [tf.split(boxes, 4, 1), tf.split(labels, 4, 1)];
  const x = overlapAlong(own, wanted, 0);
  const y = overlapAlong(own, wanted, 1);
  const intersection = tf.mul(x.shared, y.shared);
  const union = tf.sub(tf.add(tf.mul(x.own, y.own), tf.mul(x.label, y.label)), intersection);
  const around = tf.mul(x.around, y.around);
  const areas = {
    intersection,
    uncovered: tf.sub(around, union),
    u: tf.add(union, EPSILON),
    c: tf.add(around, EPSILON),
  };
  const overlaps = tf.cast(tf.greater(intersection, 0), "float32");
  const alongX = edgeSlopes(x, y, overlaps, areas);
  const alongY = edgeSlopes(y, x, overlaps, areas);
  return tf.concat(
    [
      tf.add(alongX.low, alongX.high),
      tf.add(alongY.low, alongY.high),
      tf.mul(tf.sub(alongX.high, alongX.low), 0.5),
      tf.mul(tf.sub(alongY.high, alongY.low), 0.5),
    ],
    1,
  );
}

function overlapAlong(own: readonly tf.Tensor[], wanted: readonly tf.Tensor[], axis: 0 | 1): AxisOverlap {
  const edges = (numbers: readonly tf.Tensor[]): [tf.Tensor, tf.Tensor] => {
    const half = tf.mul(at(numbers, axis + 2), 0.5);
    return [tf.sub(at(numbers, axis), half), tf.add(at(numbers, axis), half)];
  };
  const [[low, high], [labelLow, labelHigh]] = [edges(own), edges(wanted)];
  return {
    ...{ low, high, labelLow, labelHigh },
    own: tf.sub(high, low),
    label: tf.sub(labelHigh, labelLow),
    shared: tf.maximum(tf.sub(tf.minimum(high, labelHigh), tf.maximum(low, labelLow)), 0),
    around: tf.sub(tf.maximum(high, labelHigh), tf.minimum(low, labelLow)),
  };
}

interface Areas {
  readonly intersection: tf.Tensor;
  /** Of the smallest box around both what neither covers. */
  readonly uncovered: tf.Tensor;
  readonly u: tf.Tensor;
  readonly c: tf.Tensor;
}

/** Slopes in both edges along one axis; what an edge sweeps as it grows is as long as the other axis' extents. */
function edgeSlopes(axis: AxisOverlap, other: AxisOverlap, overlaps: tf.Tensor, areas: Areas) {
  const truth = (condition: tf.Tensor): tf.Tensor => tf.cast(condition, "float32");
  const slope = (outwards: 1 | -1, isInside: tf.Tensor, isBeyond: tf.Tensor): tf.Tensor => {
    const grownShared = tf.mul(tf.mul(overlaps, truth(isInside)), tf.mul(other.shared, outwards));
    const grownAround = tf.mul(truth(isBeyond), tf.mul(other.around, outwards));
    const grownUnion = tf.sub(tf.mul(other.own, outwards), grownShared);
    const { intersection, uncovered, u, c } = areas;
    const ofIou = tf.sub(tf.div(tf.mul(intersection, grownUnion), tf.square(u)), tf.div(grownShared, u));
    const ofRest = tf.sub(
      tf.div(tf.sub(grownAround, grownUnion), c),
      tf.div(tf.mul(uncovered, grownAround), tf.square(c)),
    );
    return tf.add(ofIou, ofRest);
  };
  const { low, high, labelLow, labelHigh } = axis;
  return {
    low: slope(-1, tf.greater(low, labelLow), tf.less(low, labelLow)),
    high: slope(1, tf.less(high, labelHigh), tf.greater(high, labelHigh)),
  };
}
