"""The options of these scripts, their way of timing and their lines: as ../timing.ts and ../line.ts."""

import argparse
import json
import statistics
import time

WARM_STEPS, WARM_TIME, LONGEST_WARM_UP, SLOW_STEP = 3, 0.5, 4.0, 3.0
LEAST_STEPS, LEAST_TIME, MOST_TIME = 10, 1.0, 6.0


def options():
    parser = argparse.ArgumentParser()
    parser.add_argument("--peer", required=True, help="the name of the column")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--only", help="these workloads, separated by commas; all by default")
    parser.add_argument("--round", type=int, help="written into every line")
    return parser.parse_args()


def _seconds(step):
    start = time.perf_counter()
    step()
    return time.perf_counter() - start


def _samples(step):
    """Seconds of steps after a warm-up; a first step as slow as SLOW_STEP is its own."""
    spent = first = _seconds(step)
    done = 1
    while first < SLOW_STEP and spent <= LONGEST_WARM_UP and (spent < WARM_TIME or done < WARM_STEPS):
        spent += _seconds(step)
        done += 1
    samples = []
    while sum(samples) < MOST_TIME and (len(samples) < LEAST_STEPS or sum(samples) < LEAST_TIME):
        samples.append(_seconds(step))
    return samples


def _figures(make_step):
    step = make_step()
    check = [float(f"{step():.7g}") for _ in range(3)]
    samples = _samples(step)
    median, least = statistics.median(samples), min(samples)
    return {"ms": 1000 * median, "n": len(samples), "min": 1000 * least, "check": check}


def run(asked, steps):
    """One line for each wanted workload. `steps`: from names to makers of a step that returns its loss."""
    wanted = list(steps) if asked.only is None else asked.only.split(",")
    for name, make_step in steps.items():
        if name not in wanted:
            continue
        line = {"peer": asked.peer, "workload": name}
        try:
            line |= _figures(make_step)
        except Exception as error:  # What a library cannot do is a result, too.
            reason = str(error).split("\n")[0] or repr(error)
            line |= {"ms": None, "n": 0, "reason": reason[:300]}
        if asked.round is not None:
            line["round"] = asked.round
        print(json.dumps(line), flush=True)
