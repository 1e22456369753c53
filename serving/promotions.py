"""Which version of a model clients get: `stable`, and `canary` beside it after a push. A record of who replaced whom, and TF
Serving's model.config that follows from it.

Both lie in the folder of the models, and are replaced whole, under one lock. What is on record and not there any more answers
nobody; what is there and not on record, such as a version that was copied in by hand, answers nobody before it is promoted. Of a
model without any record, pushed before there was one, the highest version is stable, and each was before the next.
"""

import contextlib
import datetime
import getpass
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from configs import atomic, locking, paths
from configs.errors import HubelError, UsageError
from serving import layout

STABLE, CANARY = "stable", "canary"
CONFIG, RECORD, LOCK = "model.config", "promotions.json", ".promotions.lock"
PUSH, PROMOTE, ROLLBACK, EARLIER = "push", "promote", "rollback", "earlier"  # EARLIER: pushed before there was a record
PATIENCE = 60  # seconds that one waits for another who writes


@dataclass(frozen=True)
class Entry:
    """One change on record: `version` got a label, in the place of `replaced`; `when` is ISO 8601, None of what was there before
    there was a record."""

    label: str
    version: int
    replaced: int | None
    by: str
    when: str | None = None
    user: str | None = None
    reason: str | None = None


@dataclass(frozen=True)
class State:
    """Of one model, by its versions that are there: those with labels, and `before`, which a rollback goes back to.

    `missing`: the version that is on record as stable and is not there. `is_recorded`: whether there is any record of the model.
    """

    versions: tuple[int, ...]
    stable: int | None
    canary: int | None
    before: int | None
    missing: int | None
    is_recorded: bool

    @property
    def labels(self) -> dict[str, int]:
        """Label -> version."""
        return {name: version for name, version in ((STABLE, self.stable), (CANARY, self.canary)) if version is not None}

    @property
    def loaded(self) -> list[int]:
        """The versions that a server loads. The one before is among them, so that a rollback waits for no loading, unless it is
        above the stable one: TF Serving answers who names neither version nor label with the highest that is loaded."""
        is_below = self.before is not None and self.stable is not None and self.before < self.stable
        return sorted({*self.labels.values(), *([self.before] if is_below else [])})

    @property
    def kept(self) -> set[int]:
        """The versions that must stay in their place: what is labelled and, where there is a record, what a rollback goes to."""
        return {*self.labels.values(), *([self.before] if self.is_recorded and self.before is not None else [])}

    def remarks(self, name: str) -> list[str]:
        """Sentences on what a person should know of it, mostly none."""
        if self.missing is None:
            return []
        now = f"Version {self.stable}, which was before it, is" if self.stable is not None else "No version is stable now"
        ends = " stable now." if self.stable is not None else f": `hubel promote {name}/VERSION` makes one."
        return [f"Version {self.missing} of {name} is on record as stable and is not there any more. {now}{ends}"]


@dataclass(frozen=True)
class Change:
    """What became of the label `stable` of a model: `was` and `now` are versions, None where there was none."""

    model: str
    was: int | None
    now: int
    state: State
    skipped: tuple[int, ...] = ()  # versions that a rollback would have gone back to first, and that are not there


@contextlib.contextmanager
def held(models: Path, what: str, patience: float = PATIENCE) -> Iterator[None]:
    """Hold the lock of a folder of models while something is written; who comes meanwhile waits.

    Args:
        what: is being done, for whoever waits in vain.

    Raises:
        HubelError: where another process has it for longer than `patience`, seconds.
    """
    models.mkdir(parents=True, exist_ok=True)
    end = time.monotonic() + patience
    with contextlib.ExitStack() as stack:
        while True:
            try:
                stack.enter_context(locking.hold(models / LOCK, what))
                break
            except locking.Held as other:
                if time.monotonic() >= end:
                    message = f"The served models in {models} are being changed by {other.holder}."
                    raise HubelError(message, "Wait for it, then try again.") from None
            time.sleep(0.02)
        yield


def is_held(models: Path) -> bool:
    """Whether somebody is writing."""
    return locking.holder(models / LOCK) is not None


def history(models: Path) -> dict[str, list[Entry]]:
    """Every change on record by model, oldest first. Raises HubelError for a record that cannot be read."""
    file = models / RECORD
    try:
        kept = json.loads(file.read_text())
        if not isinstance(kept, dict):
            raise ValueError("it holds no object")
        return {name: [Entry(**entry) for entry in entries] for name, entries in kept.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise HubelError(
            f"The record of what is stable, {file}, cannot be read ({error}).",
            "Restore it, or move it away: then the highest version of each model is taken for stable.",
        ) from None


def state(base: Path) -> State:
    """Of the model whose versions are in a folder. Raises HubelError as `history`."""
    return _state(base, history(base.parent).get(base.name, ()))


def states(models: Path) -> dict[str, State]:
    """Of all models in a folder that have a version, by name. Raises HubelError as `history`."""
    known = history(models)
    bases = sorted(path for path in models.iterdir() if layout.versions(path)) if models.is_dir() else []
    return {base.name: _state(base, known.get(base.name, ())) for base in bases}


def pushed(base: Path, version: int) -> None:
    """Put on record that a version is about to appear: the only one there is stable, any other a canary. For who holds the lock."""
    now = state(base)
    others = set(now.versions) - {version}
    label, replaced = (CANARY, now.canary) if others else (STABLE, None)
    _add(base, now, Entry(label, version, replaced, PUSH))


def promote(base: Path, version: int | None = None, reason: str | None = None) -> Change:
    """Make a version stable, by default the canary.

    Raises:
        UsageError: where there is no such version, or no canary, or files of it are missing; says what there is.
        HubelError: as `held` and `history`.
    """
    check(base)
    with held(base.parent, f"hubel promote {base.name}"):
        now = state(base)
        wanted = now.canary if version is None else version
        if wanted is None:
            raise UsageError(
                f"{base.name} has no canary to promote: {_told(now)}.",
                f"Name the version that shall be stable, such as {base.name}/{now.versions[-1]}.",
            )
        if wanted not in layout.numbered(base):
            _need(base.name, wanted, now)
        _need_whole(base, wanted, now)
        return _moved(base, now, wanted, PROMOTE, reason)


def rollback(base: Path, reason: str | None = None) -> Change:
    """Make stable again what was before the stable version.

    Raises:
        UsageError: where nothing was, or files of it are missing.
        HubelError: as `held` and `history`.
    """
    check(base)
    with held(base.parent, f"hubel rollback {base.name}"):
        now = state(base)
        if now.before is None:
            raise UsageError(
                f"There is nothing to roll {base.name} back to: {_told(now)}, and none that is there was stable before.",
                f"There are: {', '.join(map(str, now.versions))}. `hubel promote {base.name}/VERSION` makes any of them stable.",
            )
        _need_whole(base, now.before, now)
        stack, _ = _stack(history(base.parent).get(base.name, ()))
        skipped = [each for each in stack[stack.index(now.before) :] if each not in now.versions] if stack else []
        return _moved(base, now, now.before, ROLLBACK, reason, tuple(skipped))


def check(base: Path) -> None:
    """Raise UsageError where a model has no version; names the models that have."""
    if not layout.versions(base):
        raise _not_there(base.name, base.parent)


def write(models: Path) -> None:
    """Write model.config anew, in one step. For who holds the lock."""
    atomic.write_text(models / CONFIG, text(models))


def text(models: Path, base_path: str | None = None) -> str:
    """TF Serving's ModelServerConfig of all models in a folder, as text: the versions that are loaded, and their labels.

    Args:
        base_path: of the folder as the server sees it, such as the path in a container; None: as it is here.

    Raises:
        UsageError: for a path that is not absolute, which TF Serving refuses.
        HubelError: as `history`.
    """
    from google.protobuf import text_format
    from tensorflow_serving.config import model_server_config_pb2

    if base_path is not None and not base_path.startswith("/") and not paths.is_url(base_path):
        raise UsageError(f"The base path {base_path!r} is not absolute.", "TF Serving takes absolute paths alone, such as /models.")
    seen = str(models.resolve()) if base_path is None else base_path.rstrip("/")
    config = model_server_config_pb2.ModelServerConfig()
    config.model_config_list.SetInParent()
    for name, of in states(models).items():
        if of.loaded:
            model = config.model_config_list.config.add(name=name, base_path=f"{seen}/{name}", model_platform="tensorflow")
            model.model_version_policy.specific.versions.extend(of.loaded)
            model.version_labels.update(of.labels)
    return text_format.MessageToString(config)


def base_of(model: str, models: Path) -> tuple[Path, int | None]:
    """Folder of a model's versions, and the version, of NAME[/VERSION] in `models`, or of a path to the one or the other.

    Raises:
        UsageError: where no such model has a version; names those that have.
    """
    name, _, last = model.rstrip("/").rpartition("/")
    version = layout.number(last) if name else None
    name = name if version is not None else model.rstrip("/")
    place = models / name
    if name and not layout.versions(place) and layout.versions(Path(name).expanduser()):
        place = Path(name).expanduser().resolve()
    if not name or (place.parent != models and not layout.versions(place)):
        raise _not_there(model, models)
    check(place)
    return place, version


def as_json(entries: Sequence[Entry]) -> list[dict]:
    """As `history` has them."""
    return [asdict(entry) for entry in entries]


def _not_there(model: str, models: Path) -> UsageError:
    known = sorted(states(models))
    hint = f"There: {', '.join(known)}." if known else "Nothing was pushed yet: `hubel run` trains and pushes one."
    return UsageError(f"There is no served model {model!r} in {models}.", hint)


def _told(now: State) -> str:
    return "no version is stable" if now.stable is None else f"version {now.stable} is stable"


def _need(name: str, version: int, now: State) -> None:
    if version not in now.versions:
        raise UsageError(
            f"There is no version {version} of {name}.", f"There are: {', '.join(f'{name}/{each}' for each in now.versions)}."
        )


def _need_whole(base: Path, version: int, now: State) -> None:
    if why := layout.damage(base / str(version)):
        others = [f"{base.name}/{each}" for each in now.versions if not layout.damage(base / str(each))]
        raise UsageError(
            f"Version {version} of {base.name} is damaged: {why}. Nothing was changed.",
            f"These are not: {', '.join(others)}; or push it again." if others else "Push it again.",
        )


def _moved(base: Path, now: State, version: int, by: str, reason: str | None, skipped: tuple[int, ...] = ()) -> Change:
    if version != now.stable or not now.is_recorded or now.missing is not None:
        _add(base, now, Entry(STABLE, version, now.stable if now.missing is None else now.missing, by, reason=reason))
    write(base.parent)
    return Change(base.name, now.stable, version, state(base), skipped)


def _add(base: Path, now: State, entry: Entry) -> None:
    """Append to the record of a model; one that had none begins with what was pushed before."""
    known = history(base.parent)
    entries = known.setdefault(base.name, [])
    if not entries:
        earlier = [each for each in now.versions if (each, entry.by) != (entry.version, PUSH)]
        before = [None, *earlier[:-1]] if earlier else []
        entries += [Entry(STABLE, each, replaced, EARLIER) for each, replaced in zip(earlier, before, strict=True)]
    if (entry.label, entry.version) != (STABLE, now.stable) or now.is_recorded or entry.by == PUSH:
        when = datetime.datetime.now().astimezone().isoformat(timespec="seconds")
        entries.append(Entry(entry.label, entry.version, entry.replaced, entry.by, when, user(), entry.reason))
    kept: Mapping[str, list[dict]] = {name: as_json(of) for name, of in known.items()}
    atomic.write_text(base.parent / RECORD, json.dumps(kept, indent=1))


def user() -> str | None:
    """Who is logged in; None where nobody has a name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # such as of a container's number without a name
        return None


def _state(base: Path, entries: Sequence[Entry]) -> State:
    there = tuple(layout.versions(base))
    if not entries:
        stable, before = (there[-1] if there else None), (there[-2] if there[1:] else None)
        return State(there, stable, None, before, None, False)
    stack, canary = _stack(entries)
    left = [version for version in stack if version in there]
    stable, before = (left[-1] if left else None), (left[-2] if left[1:] else None)
    missing = stack[-1] if stack and stack[-1] not in there else None
    return State(there, stable, canary if canary in there and canary != stable else None, before, missing, True)


def _stack(entries: Sequence[Entry]) -> tuple[list[int], int | None]:
    """Versions that were stable, each once, the last of them is; and the canary."""
    stack: list[int] = []
    canary = None
    for entry in entries:
        if entry.by == PUSH:  # a number that was free again is of another model now
            stack = [version for version in stack if version != entry.version]
        if entry.label == CANARY:
            canary = entry.version
            continue
        if entry.by == ROLLBACK and entry.version in stack:
            del stack[stack.index(entry.version) + 1 :]
        else:
            stack = [version for version in stack if version != entry.version] + [entry.version]
        canary = None if canary == entry.version else canary
    return stack, canary
