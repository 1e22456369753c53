"""`hubel tensorboard`, worker side: TensorBoard's own server, which runs until this process is told to end. Without TensorFlow."""

import signal
import threading

from components import progress
from components.compat import tensorboard
from configs.errors import HubelError

RELOAD = 5  # s between looks for new events
SAMPLES = "images=100,scalars=10000"  # of a series that are shown; of images TensorBoard keeps 10 by default


def tensorboard_of(folder: str, host: str, port: int) -> dict[str, str]:
    """Serve a folder of logs until SIGTERM. Tells `tensorboard` {url} once it answers.

    Args:
        port: 0 for any that is free.

    Returns:
        {url}.

    Raises:
        HubelError: for a port that is taken, or a host that is not this machine's.
    """
    tensorboard.without_tensorflow()
    from tensorboard import program

    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    flags = ["--logdir", folder, "--host", host, "--port", str(port), "--load_fast", "false", "--window_title", "hubel"]
    flags += ["--reload_interval", str(RELOAD), "--samples_per_plugin", SAMPLES]
    try:
        url = tensorboard.launch(flags)
    except program.TensorBoardPortInUseError:
        raise HubelError(f"Port {port} of {host} is taken.", "Choose another with --port; 0 is any that is free.") from None
    except program.TensorBoardServerException as error:
        told = " ".join(error.msg.split()).rstrip(".")
        raise HubelError(f"TensorBoard cannot listen at {host}:{port}: {told}.", "See --host and --port.") from None
    progress.emit("tensorboard", url=url)
    stop.wait()
    return {"url": url}
