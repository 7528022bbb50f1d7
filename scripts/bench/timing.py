"""Timing of the accelerator workloads, the same for each framework."""
import json
import statistics
import time


def sample(step, seconds):
    """The seconds of each call, after warming up: 5 calls at least."""
    begin, warm = time.perf_counter(), 0
    while warm < 3 or time.perf_counter() - begin < 0.5:
        step()
        warm += 1
    times, begin = [], time.perf_counter()
    while len(times) < 5 or time.perf_counter() - begin < seconds:
        start = time.perf_counter()
        step()
        times.append(time.perf_counter() - start)
    return times


def run(workloads, arguments, peer, note):
    """Times those workloads, functions that make a step by their names, that `arguments.filter` names, and prints a line
    for each in the form of `xtask bench --json`."""
    parts = [part for part in arguments.filter.split(",") if part]
    for name, prepare in workloads.items():
        if parts and not any(part in name for part in parts):
            continue
        times = sample(prepare(), arguments.seconds)
        record = {
            "peer": peer if arguments.precision == "f32" else f"{peer}-{arguments.precision}",
            "w": name,
            "median_ms": round(statistics.median(times) * 1e3, 4),
            "min_ms": round(min(times) * 1e3, 4),
            "n": len(times),
            "note": note,
        }
        print(json.dumps(record), flush=True)
