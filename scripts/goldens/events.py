#!/usr/bin/env python3
"""Makes crates/train/src/record/golden/events.tfevents with TensorBoard's own messages and writer, or reads a run.

    python scripts/goldens/events.py > crates/train/src/record/golden/events.tfevents
    python scripts/goldens/events.py read RUN_FOLDER

Made with tensorboard 2.21.0. `read` prints what TensorBoard shows of a run, after it forgot what a resumed run did again.
"""
import io
import sys

from tensorboard.backend.event_processing import event_accumulator
from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter


def scalar(tag, value):
    return Summary(value=[Summary.Value(tag=tag, simple_value=value)])


def write():
    events = [
        Event(wall_time=1_700_000_000.25, file_version="brain.Event:2"),
        Event(wall_time=1_700_000_000.5, step=301, session_log=SessionLog(status=SessionLog.START)),
        Event(wall_time=1_700_000_001.0, step=301, summary=scalar("train/loss", 0.1)),
        Event(wall_time=1_700_000_002.0, step=60_000, summary=scalar("validation/" + "long " * 40, float("nan"))),
        Event(wall_time=1_700_000_003.0, step=1 << 40, summary=scalar("größe", -1e30)),
    ]
    memory = io.BytesIO()
    writer = RecordWriter(memory)
    for event in events:
        writer.write(event.SerializeToString())
    writer.flush()
    sys.stdout.buffer.write(memory.getvalue())


def read(folder):
    run = event_accumulator.EventAccumulator(folder)
    run.Reload()
    for tag in run.Tags()["scalars"]:
        print(tag, [(event.step, event.value) for event in run.Scalars(tag)])


read(sys.argv[2]) if sys.argv[1:2] == ["read"] else write()
