"""From YAML to RunConfig: `extends`, `--set`, one validation, and errors that name the key and the nearest known one."""

import difflib
import functools
import itertools
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from configs.errors import UsageError
from configs.schema.base import Slice
from configs.schema.model import ModelConfig
from configs.schema.run import RunConfig
from configs.schema.train import OptimizerConfig, ScheduleConfig

SHIPPED = Path(__file__).parent
MAX_BYTES = 1_000_000
MAX_SHOWN = 100  # characters of a wrong value in a message
NOT_SEARCHED = (
    "tune", "name", "data", "push", "beam", "evaluate", "anomaly", "transform", "model.name", "model.initial", "model.members"
)  # fmt: skip
NOT_SEARCHED_IN_TRANSFER = ("model", "transfer.source", "transfer.shots")
DEFAULT_NAMES = MappingProxyType(
    {
        path: kind.model_fields["name"].default
        for path, kind in {
            ("model",): ModelConfig,
            ("train", "optimizer"): OptimizerConfig,
            ("train", "schedule"): ScheduleConfig,
        }.items()
    }
)
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
    nearest = difflib.get_close_matches(config, known, 1)
    raise UsageError(
        f"There is no config {_short(config)}, neither shipped nor as a file.",
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
    _check_space(config, where)
    return config


def checked(kind: type[SliceT], tree: Mapping[str, Any], where: str, hint: str) -> SliceT:
    """A slice from a tree. Raises UsageError that lists every wrong key of `where`."""
    try:
        return kind.model_validate(tree)
    except ValidationError as error:
        problems = dict.fromkeys(_sentence(e, tree, kind) for e in error.errors(include_url=False))
        raise UsageError(f"Config {where}: {'; '.join(problems)}.", hint) from None


def override(config: SliceT, values: Mapping[str, Any]) -> SliceT:
    """The config, or a slice of one, with dotted paths replaced and validated anew; nothing else changes. Raises UsageError."""
    changes = (_nested(dotted.split("."), value) for dotted, value in values.items())
    tree = _merged(config.model_dump(mode="json", exclude_unset=True), changes)
    try:
        return type(config).model_validate(tree)
    except ValidationError as error:
        raise UsageError(f"{'; '.join(_sentence(e, tree) for e in error.errors(include_url=False))}.") from None


def dump(config: RunConfig) -> str:
    """The resolved config as YAML, as it is kept beside a run."""
    return yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


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
        found = beside if os.path.isfile(beside) else find(base.removesuffix(".yaml"))
    except UsageError as error:
        raise UsageError(f"Config {path} extends {_short(base)}: {error.message}", error.hint) from None
    return _changed(read(found, (*seen, path)), [tree])


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
        tree = _without_renamed(tree, change, DEFAULT_NAMES)
        kept = [*(_without_renamed(earlier, change) for earlier in kept), change]
    return _merged(tree, kept)


def _without_renamed(base: Any, over: Any, defaults: Mapping[tuple[str, ...], str] = MappingProxyType({}), path=()) -> Any:
    """`base` without the contents of mappings below its top to which `over` gives another `name`.

    Args:
        defaults: names of mappings that do not say theirs, by path.
    """
    if isinstance(base, list) and isinstance(over, Mapping):  # by index, or by the name of an item's one key; see _merge
        return [_without_renamed(item, over.get(str(at), over), defaults, (*path, str(at))) for at, item in enumerate(base)]
    if not (isinstance(base, Mapping) and isinstance(over, Mapping)):
        return base
    name = base.get("name", defaults.get(path))
    if path and name is not None and over.get("name", name) != name:
        return {}
    return {
        key: _without_renamed(value, over[key], defaults, (*path, key)) if key in over else value for key, value in base.items()
    }


def _merged(tree: dict, changes: Iterable[Mapping[str, Any]]) -> dict:
    """The tree with one change after the other merged over it."""
    return functools.reduce(_merge, changes, tree)


def _merge(base: Any, over: Any) -> Any:
    """Mappings merge key by key; a list with {index: value}, or where its items are named by their one key with {name: value},
    item by item, and a new name comes last; anything else replaces."""
    if isinstance(base, Mapping) and isinstance(over, Mapping):
        return {**base, **{k: _merge(base.get(k), v) for k, v in over.items()}}
    if isinstance(base, list) and isinstance(over, Mapping) and over:
        if all(_is_index(key, base) for key in over):
            return _items_merged(base, {int(key): value for key, value in over.items()})
        if not any(str(key).isdigit() for key in over) and all(isinstance(item, str) or _is_named(item) for item in base):
            places = {name: place for place, item in enumerate(base) if isinstance(item, Mapping) for name in item}
            new = [{name: value} for name, value in over.items() if name not in places]
            return _items_merged(base, {places[name]: {name: value} for name, value in over.items() if name in places}) + new
    return over


def _items_merged(base: list, over: Mapping[int, Any]) -> list:
    return [_merge(item, over[place]) if place in over else item for place, item in enumerate(base)]


def _is_named(item: Any) -> bool:
    return isinstance(item, Mapping) and len(item) == 1


def _is_index(key: Any, items: list) -> bool:
    return isinstance(key, str) and key.isascii() and key.isdigit() and int(key) < len(items)


def _assigned(assignment: str) -> dict:
    dotted, equals, text = assignment.partition("=")
    keys = dotted.strip().split(".")
    if not equals or not all(keys):
        raise UsageError(f"--set {assignment!r} is not KEY=VALUE.", "For example: --set train.optimizer.learning_rate=3e-4")
    try:
        return _nested(keys, _parse(text))
    except yaml.YAMLError:
        raise UsageError(f"--set {dotted}: the value {_short(text)} is not valid YAML.", "Quote it, or mind brackets.") from None


def _nested(keys: Sequence[str], value: Any) -> dict:
    for key in reversed(keys):
        value = {key: value}
    return value


def _sentence(error: Mapping[str, Any], tree: Mapping[str, Any], kind: type[Slice] = RunConfig) -> str:
    where = ".".join(str(part) for part in error["loc"]) or "the config"
    if error["type"] == "extra_forbidden":
        known = _known_keys(error["loc"][:-1], kind)
        nearest = difflib.get_close_matches(str(error["loc"][-1]), known, 1)
        return f"unknown key {where}" + (f" (did you mean {nearest[0]}?)" if nearest else f" (known here: {', '.join(known)})")
    if error["type"] == "missing":
        return f"{where} is missing"
    message = error["msg"].removeprefix("Value error, ")
    return f"{_written(error['loc'], tree) or where} = {_short(error['input'])}: {message[0].lower()}{message[1:]}"


def _written(loc: Sequence[str | int], tree: Any) -> str:
    """The part of a location that the tree has: pydantic puts the kinds of a union behind it ("materialize.bool")."""
    found = []
    for part in loc:
        if not ((isinstance(tree, Mapping) and part in tree) or (isinstance(tree, list) and isinstance(part, int))):
            break
        tree = tree[part]
        found.append(str(part))
    return ".".join(found)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= MAX_SHOWN else f"{text[: MAX_SHOWN - 3]}..."


def _known_keys(loc: Sequence[str | int], kind: type[Slice]) -> list[str]:
    """Keys of the slice at a location, found by walking the schema's own annotations."""
    schema = kind.model_json_schema()
    node = schema
    for part in loc:
        node = _resolve(schema, node)
        if isinstance(part, int):
            node = node.get("items", {})
        else:
            node = node.get("properties", {}).get(part) or node.get("additionalProperties") or {}
    return sorted(_resolve(schema, node).get("properties", {}))


def _resolve(schema: dict, node: dict) -> dict:
    for option in (node, *node.get("anyOf", ())):
        if "$ref" in option:
            return schema["$defs"][option["$ref"].rsplit("/", 1)[1]]
    return node


def _check_space(config: RunConfig, where: str) -> None:
    """The search space may only name paths of this config that Trainer reads alone, and values it would accept."""
    settled = (*NOT_SEARCHED, "augment", "seed") if config.copies else NOT_SEARCHED
    if config.transfer is not None:
        settled += NOT_SEARCHED_IN_TRANSFER
    for dotted in config.tune.space:
        if any(f"{dotted}.".startswith(f"{fixed}.") for fixed in settled):
            raise UsageError(
                f"Config {where}: tune.space cannot search {dotted}: it is settled before the search starts.",
                "Search keys of train or model.options.",
            )
    written = config.model_dump(mode="json", exclude_unset=True)
    values = [(dotted, value) for dotted, drawn in config.tune.space.items() for value in drawn.examples]
    pairs = [pair for pair in itertools.combinations(values, 2) if pair[0][0] != pair[1][0]]  # such as adam and a momentum
    for tried in [*((one,) for one in values), *pairs]:
        tree = written
        for dotted, value in tried:
            tree = _merge(tree, _nested(dotted.split("."), value))
        try:
            RunConfig.model_validate(tree)
        except ValidationError as error:
            keys = " with ".join(f"tune.space.{dotted}" for dotted, _ in tried)
            problem = _sentence(error.errors(include_url=False)[0], tree)
            hint = "Each value must be one the key accepts." if len(tried) == 1 else "Any two of their values must go together."
            raise UsageError(f"Config {where}: {keys}: {problem}.", hint) from None


def workspace_default() -> str:
    """HUBEL_WORKSPACE, or ./workspace."""
    return os.environ.get("HUBEL_WORKSPACE") or "workspace"
