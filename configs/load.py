"""From YAML to RunConfig: `extends`, `--set`, one validation, and errors that name the key and the nearest known one."""

import difflib
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from configs import searched
from configs.errors import UsageError
from configs.override import DEFAULT_NAMES
from configs.schema.base import Slice
from configs.schema.run import RunConfig
from configs.sentences import sentence, short
from configs.trees import merged, nested, without_renamed

SHIPPED = Path(__file__).parent
ENDINGS = (".yaml", ".yml")
MAX_BYTES = 1_000_000
SliceT = TypeVar("SliceT", bound=Slice)


class _Loader(yaml.SafeLoader):
    """Safe YAML that reads 3e-4 as a number (YAML 1.1 alone does not), and refuses a key written twice and aliases, with which
    a few lines can stand for a value that never ends."""

    def compose_node(self, parent, index):
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()
            problem = f"alias *{event.anchor} is not read here; write the value out, or use extends"
            raise yaml.composer.ComposerError(None, None, problem, event.start_mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node, deep=False):
        seen = set()
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"key {key.value!r} is written twice", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"^[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+$"), list("-+0123456789")
)


def names() -> list[str]:
    """Names of the shipped configs, tiny twins left out."""
    return sorted(p.stem for p in SHIPPED.glob("*.yaml") if not p.stem.endswith(".tiny"))


def header(path: Path) -> str:
    """The comment on top of a config: command, hardware, minutes, expected score."""
    lines = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            break
        lines.append(line.lstrip("# ").rstrip())
    return "\n".join(lines)


def find(config: str) -> Path:
    """The file of a shipped config's name or of a path. Raises UsageError where there is none."""
    shipped = SHIPPED / f"{config}.yaml"
    if re.fullmatch(r"[A-Za-z0-9_.-]+", config) and os.path.isfile(shipped):  # isfile: False, not OSError, for a name too long
        return shipped
    if os.path.isfile(config):
        return Path(config)
    known = names()
    if config.endswith(ENDINGS):
        name = Path(config).stem
        raise UsageError(
            f"There is no config {short(config)}: the file is not there.",
            f"The shipped one is called {name}." if name in known else f"Check its path, which starts from {os.getcwd()}.",
        )
    nearest = difflib.get_close_matches(config, known, 1)
    raise UsageError(
        f"There is no config {short(config)}, neither shipped nor as a file.",
        f"Did you mean {nearest[0]!r}?"
        if nearest
        else f"Shipped configs: {', '.join(known)}; `hubel list configs` describes them.",
    )


def load(config: str, assignments: Sequence[str] = (), changes: Sequence[Mapping[str, Any]] = (), where: str = "") -> RunConfig:
    """Read, merge and validate a config.

    Args:
        config: a shipped config's name or a path to a YAML file.
        assignments: `dotted.path=value` strings, the last one wins; values are YAML.
        changes: mappings that are merged over the file before, one after the other. Where one of them, or of the assignments, gives
            a mapping another name, what the file and those before said of the old name falls away.
        where: what messages name instead of the file.

    Raises:
        UsageError: for anything wrong with either; the message names the key.
    """
    path = find(config)
    return validate(_changed(read(path), [*changes, *map(_assigned, assignments)]), where or str(path))


def assigned(assignments: Sequence[str]) -> dict:
    """The tree that `--set` makes by itself. Raises UsageError for what is not KEY=VALUE."""
    return _changed({}, [*map(_assigned, assignments)])


def validate(tree: Mapping[str, Any], where: str) -> RunConfig:
    """RunConfig from a merged tree. Raises UsageError that lists every wrong key of `where`."""
    config = checked(RunConfig, tree, where, "docs/configuration.md lists every key.")
    if not config.tune.is_auto:  # what that is, the model's record says
        searched.check(config, config.tune.space, where)
    return config


def checked(kind: type[SliceT], tree: Mapping[str, Any], where: str, hint: str) -> SliceT:
    """A slice from a tree. Raises UsageError that lists every wrong key of `where`."""
    try:
        return kind.model_validate(tree)
    except ValidationError as error:
        problems = dict.fromkeys(sentence(e, tree, kind) for e in error.errors(include_url=False))
        raise UsageError(f"Config {where}: {'; '.join(problems)}.", hint) from None


def dump(config: RunConfig) -> str:
    """The resolved config as YAML, as it is kept beside a run."""
    return yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


def written(config: RunConfig) -> dict[str, Any]:
    """The keys that a config was given, values as JSON has them: `validate` makes the same config of them in any process."""
    return config.model_dump(mode="json", exclude_unset=True)


def read(path: Path, seen: tuple[Path, ...] = ()) -> dict:
    """The keys of a file, merged over those of what it extends. Raises UsageError where it is no mapping in YAML."""
    path = path.resolve()
    if path in seen:
        raise UsageError(f"Config {seen[0]}: extends goes in a circle through {path.name}.", "Break the circle.")
    try:
        if path.stat().st_size > MAX_BYTES:
            raise UsageError(f"Config {path} has more than {MAX_BYTES} bytes.", "Is it a config at all?")
        tree = _parse(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"Config {path} cannot be read: {error}.", "Check the path and its permissions.") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" line {mark.line + 1}," if mark else ""
        raise UsageError(
            f"Config {path},{line} is not valid YAML: {getattr(error, 'problem', error)}.", "Mind indentation and colons."
        ) from None
    if not isinstance(tree, dict):
        raise UsageError(f"Config {path} holds {type(tree).__name__}, not a mapping of keys.", "See configs/digits_lenet5.yaml.")
    if isinstance(tree.get("augment"), str):
        tree["augment"] = [tree["augment"]]  # a policy, to which steps can be added
    base = tree.pop("extends", None)
    if base is None:
        return tree
    if not isinstance(base, str):
        raise UsageError(
            f"Config {path}: extends must name one config; got {base!r}.", "Write extends: NAME or extends: FILE.yaml."
        )
    beside = path.parent / base
    try:
        is_shipped = os.path.isfile(SHIPPED / base) and "/" not in base
        file = beside if os.path.isfile(beside) else find(base.removesuffix(".yaml") if is_shipped else base)
    except UsageError as error:
        hint = f"A file that is extended is looked for in {path.parent} first." if base.endswith(ENDINGS) else error.hint
        raise UsageError(f"Config {path} extends {short(base)}: {error.message}", hint) from None
    return _changed(read(file, (*seen, path)), [tree])


def _parse(text: str) -> Any:
    """The value of a YAML text. Raises yaml.YAMLError."""
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506 a SafeLoader
    except RecursionError:
        raise yaml.YAMLError("it is nested too deep") from None


def _changed(tree: dict, changes: Sequence[Mapping[str, Any]]) -> dict:
    """A config's tree with one change after the other merged over it.

    Where a change names another model, optimizer or the like, what was said of the old one before falls away first, so that it does
    not matter which of `model.name` and `model.options` stands before the other.
    """
    kept: list[Mapping] = []
    for change in changes:
        tree = without_renamed(tree, change, DEFAULT_NAMES)
        kept = [*(without_renamed(earlier, change) for earlier in kept), change]
    return merged(tree, kept)


def _assigned(assignment: str) -> dict:
    dotted, equals, text = assignment.partition("=")
    keys = dotted.strip().split(".")
    if not equals or not all(keys):
        raise UsageError(f"--set {assignment!r} is not KEY=VALUE.", "For example: --set train.optimizer.learning_rate=3e-4")
    try:
        return nested(keys, _parse(text))
    except yaml.YAMLError:
        raise UsageError(f"--set {dotted}: the value {short(text)} is not valid YAML.", "Quote it, or mind brackets.") from None
