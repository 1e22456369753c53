"""What a run of a TensorFlow session leaves in memory once it fails: TensorFlow alone, nothing of hubel.

    .venv/bin/python -m benchmarks.tensorflow_failures [--runs N]

A graph of one assertion (tf.ensure_shape), by itself and within functions that call each other, is run through a v1 Session's
callable, with a timeout of 30 s and without, on what it takes and on what it refuses. Printed are the bytes a run by which that
has grown which glibc has handed out (mallinfo2, of 2.33 or later), of two times so many runs: what falls to 0 settles, what stays
is kept.

TensorFlow keeps a reference to the rendezvous of each run, or call of a function, that was aborted (`aborted_rendezs_` of
tensorflow/core/framework/local_rendezvous.h, "We deliberately leak one reference of the aborted rendezvous here"), and nothing
that Python can call lets go of them. A session that has one device and no timeout runs in the caller's thread and needs none; a
call of a function does.
"""

import argparse
import contextlib
import ctypes
import gc
import os
from collections.abc import Callable

import numpy as np

FIELDS = ("arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost")


class Mallinfo(ctypes.Structure):
    """glibc's struct mallinfo2."""

    _fields_ = [(name, ctypes.c_size_t) for name in FIELDS]


def in_use() -> int:
    """Bytes that glibc's malloc has handed out, of all arenas and by mmap. Raises SystemExit where there is no mallinfo2."""
    try:
        ask = ctypes.CDLL(None).mallinfo2
    except AttributeError:
        raise SystemExit("This needs mallinfo2, of glibc 2.33 or later") from None
    ask.restype = Mallinfo
    gc.collect()
    told = ask()
    return told.uordblks + told.hblkhd


def growth(run: Callable[[], object], runs: int) -> tuple[float, float]:
    """Bytes a run, of the first `runs` after as many that settle, and of the next."""
    seen = []
    for _ in range(3):
        for _ in range(runs):
            run()
        seen.append(in_use())
    return (seen[1] - seen[0]) / runs, (seen[2] - seen[1]) / runs


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=2000)
    asked = parser.parse_args()
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import tensorflow as tf
    from tensorflow.core.protobuf import config_pb2

    def checked(x):
        return tf.identity(tf.ensure_shape(x, [None, 2]))

    plain = checked
    for depth in range(3):
        with tf.Graph().as_default():
            x = tf.compat.v1.placeholder(tf.float32, None, name="x")
            tf.identity(plain(x), name="y")
            options = tf.compat.v1.ConfigProto()
            options.graph_options.rewrite_options.disable_meta_optimizer = True  # which would take the functions apart
            session = tf.compat.v1.Session(config=options)
        for timeout in (0, 30_000):
            of_callable = config_pb2.CallableOptions(feed=["x:0"], fetch=["y:0"])
            of_callable.run_options.timeout_in_ms = timeout
            ask = session._make_callable_from_options(of_callable)
            for rows, word in ((np.ones((1, 2), np.float32), "answers"), (np.ones((1, 3), np.float32), "refuses")):

                def run(ask=ask, rows=rows):
                    with contextlib.suppress(tf.errors.InvalidArgumentError):
                        ask(rows)

                first, second = growth(run, asked.runs)
                print(
                    f"{depth} functions, timeout {timeout // 1000:2} s, {word}: {first:7.1f} {second:7.1f} bytes a run", flush=True
                )
        plain = tf.function(plain, autograph=False)


if __name__ == "__main__":
    main()
