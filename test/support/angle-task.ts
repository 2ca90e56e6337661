/** @file A custom task for tests: an angle in degrees as a point on the circle, as a user would define it. */
import { defineTask } from "../../src/project/define-task.js";

/**
 * Logits (c, s) are pulled towards (cos θ, sin θ); they are activated onto the unit circle and decoded by atan2, plus
 * an offset in degrees, which is tuned to the circular mean of the errors.
 */
export const angle = defineTask({
  name: "angle",
  width: 2,
  parse(cell) {
    const degrees = Number(cell);
    return degrees >= 0 && degrees < 360 ? degrees : { problem: "is no angle from 0 up to 360 degrees" };
  },
  loss([c = 0, s = 0], degrees) {
    const radians = (degrees * Math.PI) / 180;
    return (c - Math.cos(radians)) ** 2 + (s - Math.sin(radians)) ** 2;
  },
  gradient([c = 0, s = 0], degrees) {
    const radians = (degrees * Math.PI) / 180;
    return [2 * (c - Math.cos(radians)), 2 * (s - Math.sin(radians))];
  },
  activation([c = 0, s = 0]) {
    const radius = Math.hypot(c, s) || 1;
    return [c / radius, s / radius];
  },
  decoder: {
    parameters: [0],
    decode: ([c = 0, s = 0], [offset = 0]) => ((Math.atan2(s, c) * 180) / Math.PI + offset + 720) % 360,
    tune(rows) {
      let [x, y] = [0, 0];
      for (const { activated, label } of rows) {
        const [c = 0, s = 0] = activated;
        const error = (label * Math.PI) / 180 - Math.atan2(s, c);
        [x, y] = [x + Math.cos(error), y + Math.sin(error)];
      }
      return [(Math.atan2(y, x) * 180) / Math.PI];
    },
  },
  metrics: {
    mean_angular_deviation: {
      higherIsBetter: false,
      compute(rows) {
        let sum = 0;
        for (const { decoded, label } of rows) sum += 180 - Math.abs(180 - Math.abs(decoded - label));
        return sum / rows.length;
      },
    },
    within_five_degrees: {
      higherIsBetter: true,
      compute(rows) {
        let hits = 0;
        for (const { decoded, label } of rows) hits += 180 - Math.abs(180 - Math.abs(decoded - label)) <= 5 ? 1 : 0;
        return hits / rows.length;
      },
    },
  },
  likelihood: "gaussian",
});
