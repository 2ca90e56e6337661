"""Prints what TensorBoard's own readers find in log folders, as JSON.

Input on stdin: {"folders": [path, ...], "reader": "accumulator" | "data-server"}.
"accumulator" reads scalars and the graph with EventAccumulator, and everything else with the accumulator behind
`tensorboard --load_fast=false`. "data-server" asks the server behind the default `tensorboard`.
"""

import hashlib
import json
import math
import sys
import time

from google.protobuf import json_format
from tensorboard.backend.event_processing import event_accumulator
from tensorboard.backend.event_processing import event_file_loader
from tensorboard.backend.event_processing import plugin_event_accumulator
from tensorboard.plugins.custom_scalar import layout_pb2
from tensorboard.plugins.hparams import plugin_data_pb2 as hparams_pb2
from tensorboard.plugins.pr_curve import plugin_data_pb2 as pr_curve_pb2
from tensorboard.util import tensor_util
from tensorboard.backend.event_processing import io_wrapper

ALL = 0
GRAPH_TAG = "__run_graph__"


def number(value):
    """JSON has no NaN and no infinities: they travel as strings."""
    value = float(value)
    return value if math.isfinite(value) else str(value).replace("inf", "Infinity").replace("nan", "NaN")


def image(data):
    return {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}


def element(value):
    if not isinstance(value, bytes):
        return number(value)
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return image(value)


def tensor(array):
    return {
        "dtype": str(array.dtype),
        "shape": list(array.shape),
        "values": [element(value) for value in array.flatten().tolist()],
    }


def picture(strings):
    width, height, *encoded = strings
    return {"width": int(width), "height": int(height), "images": [image(data) for data in encoded]}


def point(event, value):
    return {"step": event.step, "wallTime": event.wall_time, **value}


def plugin_message(plugin, content):
    message = {
        "hparams": hparams_pb2.HParamsPluginData,
        "pr_curves": pr_curve_pb2.PrCurvePluginData,
    }.get(plugin)
    return json_format.MessageToDict(message.FromString(content)) if message else None


def attribute(value):
    kind = value.WhichOneof("value")
    if kind == "s":
        return value.s.decode("utf-8")
    if kind == "list":
        return [[dimension.size for dimension in shape.dim] for shape in value.list.shape]
    return getattr(value, kind)


def graph(accumulator):
    if not accumulator.Tags()["graph"]:
        return None
    return [
        {
            "name": node.name,
            "op": node.op,
            "inputs": list(node.input),
            "attributes": {key: attribute(value) for key, value in node.attr.items()},
        }
        for node in accumulator.Graph().node
    ]


def session_logs(folder):
    logs = []
    for path in sorted(io_wrapper.ListDirectoryAbsolute(folder)):
        if not io_wrapper.IsTensorFlowEventsFile(path):
            continue
        for event in event_file_loader.LegacyEventFileLoader(path).Load():
            if event.HasField("session_log"):
                logs.append({"status": event.session_log.status, "step": event.step})
    return logs


def read_with_accumulator(folder):
    plain = event_accumulator.EventAccumulator(folder, size_guidance={"scalars": ALL, "tensors": ALL}).Reload()
    full = plugin_event_accumulator.EventAccumulator(folder, size_guidance={"tensors": ALL}).Reload()
    result = {
        "scalars": {
            tag: [point(event, {"value": number(event.value)}) for event in plain.Scalars(tag)]
            for tag in plain.Tags()["scalars"]
        },
        "tensors": {},
        "images": {},
        "layouts": {},
        "metadata": {},
        "graph": graph(plain),
        "sessionLogs": session_logs(folder),
    }
    for tag in full.Tags()["tensors"]:
        metadata = full.SummaryMetadata(tag)
        plugin = metadata.plugin_data.plugin_name
        result["metadata"][tag] = {
            "plugin": plugin,
            "description": metadata.summary_description,
            "dataClass": metadata.data_class,
            "message": plugin_message(plugin, metadata.plugin_data.content),
        }
        events = full.Tensors(tag)
        if tag == GRAPH_TAG or plugin == "scalars":
            continue
        if plugin == "images":
            result["images"][tag] = [point(event, picture(event.tensor_proto.string_val)) for event in events]
        elif plugin == "custom_scalars":
            layout = layout_pb2.Layout.FromString(events[-1].tensor_proto.string_val[0])
            result["layouts"][tag] = json_format.MessageToDict(layout)
        else:
            result["tensors"][tag] = [
                point(event, tensor(tensor_util.make_ndarray(event.tensor_proto))) for event in events
            ]
    return result


def start_data_server(folder):
    from tensorboard.data import server_ingester
    from tensorboard.util import grpc_util

    ingester = server_ingester.SubprocessServerDataIngester(
        server_binary=server_ingester.get_server_binary(),
        logdir=folder,
        reload_interval=0,
        channel_creds_type=grpc_util.ChannelCredsType.LOCAL,
        samples_per_plugin={"scalars": ALL, "tensors": ALL, "images": ALL, "histograms": ALL, "pr_curves": ALL},
    )
    ingester.start()
    return ingester  # its server ends with this process


def read_with_data_server(folder):
    from tensorboard.data import provider as data_provider
    from tensorboard import context

    ctx = context.RequestContext()
    everything = {"experiment_id": "", "downsample": 1_000_000}
    server = start_data_server(folder)
    provider = server.data_provider

    def snapshot():
        result = {"scalars": {}, "tensors": {}, "images": {}}
        for plugin in provider.list_plugins(ctx, experiment_id=""):
            scalars = provider.read_scalars(ctx, plugin_name=plugin, **everything)
            tensors = provider.read_tensors(ctx, plugin_name=plugin, **everything)
            for run, tags in scalars.items():
                for tag, points in tags.items():
                    result["scalars"][f"{run}/{tag}"] = [point(p, {"value": number(p.value)}) for p in points]
            for run, tags in tensors.items():
                for tag, points in tags.items():
                    result["tensors"][f"{run}/{tag}"] = [point(p, tensor(p.numpy)) for p in points]
            if plugin != "images":
                continue
            for run, tags in provider.read_blob_sequences(ctx, plugin_name=plugin, **everything).items():
                for tag, points in tags.items():
                    blobs = [[provider.read_blob(ctx, blob_key=v.blob_key) for v in p.values] for p in points]
                    result["images"][f"{run}/{tag}"] = [
                        point(p, picture(strings)) for p, strings in zip(points, blobs)
                    ]
        return result

    # the server answers while it still loads: wait until two answers in a row agree
    previous, current = None, snapshot()
    deadline = time.monotonic() + 20
    while (previous != current or not any(current.values())) and time.monotonic() < deadline:
        time.sleep(0.3)
        previous, current = current, snapshot()
    return current


READERS = {"accumulator": read_with_accumulator, "data-server": read_with_data_server}

if __name__ == "__main__":
    request = json.load(sys.stdin)
    json.dump([READERS[request["reader"]](folder) for folder in request["folders"]], sys.stdout, allow_nan=False)
