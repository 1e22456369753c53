"""TensorFlow: its private name that the server needs."""

from collections.abc import Callable, Sequence

import numpy as np


def callable_of(session, feeds: Sequence[str], fetches: Sequence[str], timeout_ms: int = 0) -> Callable[..., list[np.ndarray]]:
    """What runs a session: arrays of `feeds` in, arrays of `fetches` out, both names of tensors.

    `Session.run` and the public `make_callable` compare shapes with the graph's before they run anything and refuse, with errors of
    their own, what TF Serving lets through to the kernels. This is the call that TF Serving makes.

    Args:
        timeout_ms: after which a run ends with DEADLINE_EXCEEDED; 0 for never.
    """
    from tensorflow.core.protobuf import config_pb2

    options = config_pb2.CallableOptions(feed=feeds, fetch=fetches)
    options.run_options.timeout_in_ms = timeout_ms
    return session._make_callable_from_options(options)
