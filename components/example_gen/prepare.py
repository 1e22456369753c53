"""Preparing a data set of TFDS, from archives on disk or from the network. Runs in the worker process.

TFDS looks for an archive by its original name in a folder, and downloads what it does not find: without a network it retries for
minutes before it says so. Here a folder means no download at all, and a download starts only where a network answers.
"""

import contextlib
import difflib
import errno
import re
import shutil
import tempfile
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from components import progress
from components.compat import tfds as tfds_compat
from components.example_gen import tfds as source
from configs.errors import HubelError, UsageError

PROBE_SECONDS = 4
ANY_HOST = "https://storage.googleapis.com"  # where TFDS keeps what has no address of its own
LISTED = 8  # archives named in a message
_SCRATCH = ".preparing-"
_STAGED = (f"{_SCRATCH}*", "*/incomplete.*", "*/*/incomplete.*")  # folders of ours and of TFDS that are not finished


def prepare(name: str, datasets: str, archives: str | None) -> str:
    """Prepare a data set under `datasets`, whole or not at all; the caller holds the workspace's lock.

    Args:
        name: NAME[/CONFIG][:VERSION].
        archives: folder of the archives under their publisher's names; None: download them.

    Returns:
        The folder of the prepared version, which may have been there before.

    Raises:
        UsageError: for an unknown data set, or archives that are not in the folder.
        HubelError: where no network answers, an archive is damaged, or TFDS fails.
    """
    import tensorflow_datasets as tfds

    from components.compat.beam import RUNNER

    root = Path(datasets)
    source.parsed(name)
    builder = _builder(name, root)
    folder = Path(builder.data_path)
    if folder.is_dir():
        return str(folder)
    if archives is None and builder.name != "digits":
        _need_network(builder, name)
    _clear(root)
    with _scratch(root) as scratch, _told(archives is None), _without_downloads(builder, archives, name):
        config = tfds.download.DownloadConfig(
            manual_dir=archives,
            # of its own, because TFDS names what it extracts by the archive alone: MNIST's and Fashion-MNIST's have the same names
            extract_dir=str(scratch / "extracted"),
            try_download_gcs=archives is None,
            beam_runner=RUNNER,  # for the few that TFDS prepares by Beam
        )
        downloads = scratch / "downloads" if archives else root / "downloads"
        try:
            builder.download_and_prepare(download_dir=str(downloads), download_config=config)
        except Exception as error:
            with contextlib.suppress(OSError):  # not empty: another version is there
                folder.parent.rmdir()
            raise _plain(error, builder, name, archives) from error
    return str(folder)


def _builder(name: str, root: Path):
    import tensorflow_datasets as tfds

    import components.example_gen.digits  # noqa: F401 importing it registers it

    known = tfds.list_builders(with_community_datasets=False)
    base = source.parsed(name)[0]
    if base not in known:
        nearest = difflib.get_close_matches(base, known, 3)
        raise UsageError(
            f"TFDS has no data set {base!r}" + (f"; did you mean {' or '.join(nearest)}?" if nearest else "."),
            "https://www.tensorflow.org/datasets/catalog/overview lists all of them.",
        )
    try:
        return tfds.builder(name, data_dir=str(root))
    except (AssertionError, ValueError) as error:
        said = (str(error).partition('}": ')[2] or str(error)).partition(". ")[0].strip(" .")
        raise UsageError(f"TFDS has no data set {name!r}: {said}.", _configs(base)) from None


def _configs(name: str) -> str:
    import tensorflow_datasets as tfds

    configs = [config.name for config in tfds.builder_cls(name).BUILDER_CONFIGS]
    return f"Its configs: {', '.join(configs[:20])}{' ...' if len(configs) > 20 else ''}." if configs else ""


def _need_network(builder, name: str) -> None:
    """Raise HubelError unless the data set's own host answers within seconds."""
    if builder.MANUAL_DOWNLOAD_INSTRUCTIONS:
        raise UsageError(
            f"The archives of {name} cannot be downloaded by a program: {_line(builder.MANUAL_DOWNLOAD_INSTRUCTIONS)}",
            f"Get them by hand, then: hubel datasets prepare {name} --from DIR",
        )
    url = next((url for url in builder.url_infos if url.startswith("http")), ANY_HOST)
    size = sum(info.size for info in builder.url_infos.values())
    much = f" ({size / 2**20:,.0f} MiB)" if size else ""
    if not answers(url, PROBE_SECONDS):
        names = _files(builder, list(builder.url_infos))
        raise HubelError(
            f"{name} would be downloaded{much}, but {url.split('/')[2]} does not answer.",
            f"Put its archives ({names}) into a folder, then: hubel datasets prepare {name} --from DIR",
        )
    progress.emit("step", what=f"Downloading {name}{much}", done=0, of=None)


def answers(url: str, seconds: float) -> bool:
    """Whether an HTTP server answers at all, whatever it says, through the proxy that the environment names."""
    heard = threading.Event()

    def ask():
        request = urllib.request.Request(url, method="HEAD")  # noqa: S310 only http: see the caller
        try:
            urllib.request.urlopen(request, timeout=seconds).close()  # noqa: S310
        except urllib.error.HTTPError:
            pass  # an answer
        except (OSError, ValueError):
            return
        heard.set()

    asking = threading.Thread(target=ask, daemon=True)  # looking a name up has no time limit of its own
    asking.start()
    asking.join(seconds)
    return heard.is_set()


def unfinished(folder: Path) -> list[Path]:
    """What killed preparations left; nobody else prepares while the workspace's lock is held."""
    return sorted(path for staged in _STAGED for path in folder.glob(staged))


def _clear(folder: Path) -> None:
    for left in unfinished(folder):
        shutil.rmtree(left, ignore_errors=True)


@contextlib.contextmanager
def _scratch(root: Path) -> Iterator[Path]:
    root.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=_SCRATCH, dir=root, ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@contextlib.contextmanager
def _without_downloads(builder, archives: str | None, name: str) -> Iterator[None]:
    """Within it, an archive that a folder does not have is an error instead of a download. All of them are named at once."""
    if archives is None:
        yield
        return
    missing = []

    def refused(url: str) -> LookupError:
        missing.append(url)
        return LookupError(url)

    try:
        with tfds_compat.downloading(refused):
            yield
    except HubelError:
        if missing:
            raise _missing(builder, missing, archives, name) from None
        raise


def _missing(builder, urls: list[str], archives: str, name: str) -> UsageError:
    known = [info.filename for url in urls if (info := builder.url_infos.get(url)) and info.filename]
    if len(known) < len(urls):
        return UsageError(
            f"{name} cannot be prepared from a folder: TFDS knows no file name for {', '.join(urls[:3])}.",
            f"With a network: hubel datasets prepare {name}",
        )
    size = next(info.size for info in builder.url_infos.values() if info.filename == known[0])
    beside = next((path.parent for path in sorted(Path(archives).glob(f"*/{known[0]}")) if path.stat().st_size == size), None)
    return UsageError(
        f"{archives} does not have the archives of {name}: {_files(builder, urls)}.",
        f"They are in {beside}: --from {beside}" if beside else "Put them there under exactly these names, or name another folder.",
    )


def _files(builder, urls: list[str]) -> str:
    """Archives by the name under which TFDS looks for them."""
    infos = builder.url_infos
    names = sorted({infos[url].filename or url if url in infos else url for url in urls})
    return ", ".join(names[:LISTED]) + (f" and {len(names) - LISTED} more" if len(names) > LISTED else "")


def _plain(error: Exception, builder, name: str, archives: str | None) -> HubelError:
    """Any exception of TFDS as one sentence."""
    text = str(error)
    if type(error).__name__ == "NonMatchingChecksumError":
        named = re.search(r"Artifact (\S+), downloaded to (.+), has wrong checksum", text)
        url, path = named.groups() if named else ("its address", "An archive")
        return HubelError(f"{path} is not what its publisher offers: its checksum is another.", f"Get it again from {url}")
    if getattr(error, "errno", None) == errno.ENOSPC or "No space left" in text or "Not enough disk space" in text:
        return HubelError(f"The disk is full: {_line(text)}", "Free some space, or choose another disk with --workspace.")
    by_hand = builder.MANUAL_DOWNLOAD_INSTRUCTIONS
    if archives and by_hand and ("No such file" in text or isinstance(error, AssertionError)):
        return UsageError(f"{archives} does not have the archives of {name}: {_line(text)}", f"TFDS says: {_line(by_hand)}")
    return HubelError(f"TFDS could not prepare {name}: {type(error).__name__}: {_line(text)}", "The log has the whole story.")


def _line(text: str) -> str:
    return " ".join(text.split())[:300]


@contextlib.contextmanager
def _told(is_downloaded: bool) -> Iterator[None]:
    """Within it, TFDS's progress bars are progress events: `step` with what, done, of (None: nobody knows)."""
    wanted = re.compile("Generating .* examples|Shuffling" + ("|Dl Size" if is_downloaded else ""))

    def step(text: str, done: float, of: float | None) -> None:
        if wanted.match(text):
            what = "Downloading, MiB" if text.startswith("Dl") else "Writing" if text.startswith("Shuffling") else text
            progress.emit("step", what=what, done=done, of=of)

    with tfds_compat.progress_told(step):
        yield
