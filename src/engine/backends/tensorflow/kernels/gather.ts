/** @file Rows picked by index without a look at the indices from JavaScript, which would fetch them from the device. */
import {
  backend_util,
  GatherV2,
  type GatherV2Attrs,
  type GatherV2Inputs,
  type KernelConfig,
  scalar,
  type Tensor,
} from "@tensorflow/tfjs-core";
import type { Binding, OpAttribute } from "../binding.js";

interface NodeBackend {
  readonly binding: Binding;
  executeSingleOutput(name: string, attributes: readonly OpAttribute[], inputs: readonly unknown[]): Tensor;
  typeAttributeFromTensor(tensor: unknown): number;
}

/** tfjs-node's own asserts in JavaScript what TensorFlow checks itself: that every index is in range. */
export const gather: KernelConfig = {
  kernelName: GatherV2,
  backendName: "tensorflow",
  kernelFunc({ inputs, backend, attrs }) {
    const { x, indices } = inputs as GatherV2Inputs;
    const { axis, batchDims } = attrs as unknown as GatherV2Attrs;
    const native = backend as unknown as NodeBackend;
    const { binding } = native;
    // throws where the shapes do not fit
    backend_util.segment_util.collectGatherOpShapeInfo(x as Tensor, indices as Tensor, axis, batchDims);
    const type = (name: string, tensor: unknown): OpAttribute => ({
      name,
      type: binding.TF_ATTR_TYPE,
      value: native.typeAttributeFromTensor(tensor),
    });
    const axisTensor = scalar(axis, "int32");
    const attributes = [
      { name: "batch_dims", type: binding.TF_ATTR_INT, value: batchDims },
      type("Tparams", x),
      type("Tindices", indices),
      type("Taxis", axisTensor),
    ];
    const rows = native.executeSingleOutput(GatherV2, attributes, [x, indices, axisTensor]);
    axisTensor.dispose();
    return rows;
  },
};
