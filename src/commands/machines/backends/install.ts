/** @file `cool backends install`: a faster backend, in a cache of dnn-cool's own. */
import * as Args from "@oclif/core/args";
import * as Flags from "@oclif/core/flags";
import { CoolCommand } from "../../../cli/command.js";
import { type InstallResult, installTensorflow } from "../../../machine/backends/install-tensorflow.js";

export default class BackendsInstall extends CoolCommand {
  static override summary = "Install a faster backend for all projects of this user";
  static override description =
    "tensorflow is TensorFlow's native library through tfjs-node. It goes into a cache folder (DNN_COOL_CACHE, else the user's cache), never into node_modules. Where the package's own download host cannot be reached, the library is taken from PyPI's TensorFlow wheel, which pip fetches from whatever index it is configured for, and the binding is built on this machine, with a C++ compiler, make and Python. A few training steps are the proof; if anything fails, nothing is left of it.";
  static override examples = [
    "<%= config.bin %> <%= command.id %> tensorflow",
    "<%= config.bin %> <%= command.id %> tensorflow --gpu",
    "<%= config.bin %> <%= command.id %> tensorflow --wheel tensorflow_cpu-2.21.0-cp311-cp311-manylinux_2_27_x86_64.whl",
  ];
  static override args = {
    backend: Args.string({ description: "what to install", options: ["tensorflow"], required: true }),
  };
  static override flags = {
    gpu: Flags.boolean({ summary: "tfjs-node-gpu, for NVIDIA's GPUs with CUDA" }),
    wheel: Flags.file({ summary: "take the library from this wheel of TensorFlow, without any download of one" }),
    force: Flags.boolean({ summary: "install again what is there" }),
  };

  async run(): Promise<InstallResult> {
    const { flags } = await this.parse(BackendsInstall);
    const result = await this.interruptible((signal) =>
      installTensorflow({
        flavour: flags.gpu ? "gpu" : "cpu",
        wheel: flags.wheel,
        force: flags.force,
        signal,
        log: (line) => this.note(line),
      }),
    );
    const { package: name, version, tensorflow, dir, changed } = result;
    this.log(`${name} ${version} with TensorFlow ${tensorflow} is ${changed ? "" : "already "}installed in ${dir}`);
    return result;
  }
}
