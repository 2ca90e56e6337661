"""Logs scalars with a Python writer: python_writers.py SIDE FOLDER COUNT.

Prints the seconds from the first point to the last byte, or null where the side is not installed.
"""

import json
import sys
import time


def tensorboard_writer(folder):
    from tensorboard.compat.proto import event_pb2, summary_pb2
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    writer = EventFileWriter(folder)

    def scalar(tag, value, step):
        summary = summary_pb2.Summary(value=[summary_pb2.Summary.Value(tag=tag, simple_value=value)])
        writer.add_event(event_pb2.Event(wall_time=time.time(), step=step, summary=summary))

    return scalar, writer.close


def torch_writer(folder):
    from torch.utils.tensorboard import SummaryWriter

    writer = SummaryWriter(folder)
    return writer.add_scalar, writer.close


def tensorboardx_writer(folder):
    from tensorboardX import SummaryWriter

    writer = SummaryWriter(folder)
    return writer.add_scalar, writer.close


SIDES = {"tensorboard": tensorboard_writer, "torch": torch_writer, "tensorboardX": tensorboardx_writer}

if __name__ == "__main__":
    side, folder, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    try:
        scalar, close = SIDES[side](folder)
    except ImportError:
        print("null")
        sys.exit()
    start = time.perf_counter()
    for step in range(count):
        scalar("person_present/loss", step * 0.5, step)
    close()
    print(json.dumps({"seconds": time.perf_counter() - start}))
