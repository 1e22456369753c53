"""The process of a worker that a crew starts, `python -m tuner.worker_process`: a configs.child that is told what worker.Worker
takes."""

from pathlib import Path

from configs import child

RENEW = 75  # exit code of a worker that has grown and is to be started anew


def main() -> None:
    """One worker of a crew."""
    child.serve(_work)


def _work(told, send) -> int:
    with child.importing():
        from components import progress
        from tuner import worker

    progress.listen(send)
    try:
        worker.Worker(Path(told["folder"]), told["address"], told["name"]).search()
    except worker.Renewed:
        return RENEW
    except worker.Over:
        pass
    return 0


if __name__ == "__main__":
    main()
