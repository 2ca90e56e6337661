/** @file What is published of tfjs's types fits the real ones; checked by the compiler alone. */
import type * as core from "@tensorflow/tfjs-core";
import type * as real from "@tensorflow/tfjs-layers";
import type * as publishedCore from "../../types/tfjs-core.js";
import type * as published from "../../types/tfjs-layers.js";

type RealLayers = typeof real.layers;
type Layers = typeof published.layers;
/** Options of a layer. */
type Options<Of, Name extends keyof Of> = Of[Name] extends (options: infer Given) => unknown ? Given : never;

/** Layers that tfjs has and the published types lack. */
type Missing = Exclude<keyof RealLayers, keyof Layers | "Layer" | "RNN" | "RNNCell" | "input">;
export const missing: [Missing] extends [never] ? true : Missing = true;

/** Layers whose options the published types refuse. */
type Refused = {
  [Name in keyof Layers & keyof RealLayers]: Options<RealLayers, Name> extends Options<Layers, Name> ? never : Name;
}[keyof Layers & keyof RealLayers];
export const refused: [Refused] extends [never] ? true : Refused = true;

export const tensor = (value: core.Tensor): publishedCore.Tensor => value;
export const symbolic = (value: real.SymbolicTensor): published.SymbolicTensor => value;
export const model = (value: real.LayersModel): published.LayersModel => value;
