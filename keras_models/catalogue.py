"""What models there are, read from the sources: importing nothing of them, in milliseconds."""

import ast
import difflib
import functools
import re
from collections.abc import Iterable, Mapping
from importlib.machinery import PathFinder
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from configs.errors import UsageError
from keras_models.record import CLASSIFICATION, ENTRIES, Record, claim

FAMILIES = Path(__file__).parent  # each sub-package of it may hold families


def catalog() -> dict[str, Record]:
    """The record of every model that ships, by name in alphabetical order.

    Raises:
        ValueError: for an argument that is no literal, a decorator out of place or a name given twice; says which file and line.
    """
    return dict(_scan(FAMILIES))


def check(name: str) -> Record:
    """The record that `building.get` will find, without importing it; see there.

    A dotted path's file is looked for; whether it defines the function shows only when it is imported.

    Raises:
        UsageError: for an unknown name, or a dotted path to a module that does not exist.
    """
    if is_path(name):
        module, function = split(name)
        origin = locate(module, name)
        try:
            registered = dict(_read(origin, module)) if origin else {}
        except (OSError, SyntaxError, ValueError) as error:
            raise UsageError(f"Model {name!r}: {origin} cannot be read: {error}.", "Importing it in Python shows more.") from None
        return own(name, module, registered.get(function))
    if name in ENTRIES:
        return ENTRIES[name].record()
    by_name = {called: record for record in catalog().values() for called in (record.name, *record.aliases)}
    if name in by_name:
        return by_name[name]
    nearest = difflib.get_close_matches(name, by_name, 3)
    raise UsageError(
        f"There is no model {name!r}" + (f"; did you mean {' or '.join(map(repr, nearest))}?" if nearest else "."),
        f"{_variants(name, by_name)}`hubel list models` shows every name; "
        "a builder of one's own is given as package.module:function.",
    )


def is_path(name: str) -> bool:
    """Whether it is a dotted path to a builder of one's own, and no name."""
    return "." in name or ":" in name


def split(path: str) -> tuple[str, str]:
    """Module and function of a dotted path. Raises UsageError for what is none."""
    module, _, function = path.rpartition(":" if ":" in path else ".")
    if not all(part.isidentifier() for part in (*module.split("."), function)):
        raise UsageError(f"{path!r} is not a path to a builder.", "Write package.module:function.")
    return module, function


def locate(module: str, asked: str) -> Path | None:
    """File of a module, found without running anything but the finders; None where it has no Python source.

    Raises UsageError if there is no such module."""
    top, *rest = module.split(".")
    try:
        spec, so_far = find_spec(top), top
    except ValueError:  # a running script has no spec
        spec, so_far = None, top
    for part in rest:
        if spec is None or not spec.submodule_search_locations:
            break
        so_far = f"{so_far}.{part}"
        spec = PathFinder.find_spec(so_far, spec.submodule_search_locations)
    if spec is None or so_far != module:
        raise UsageError(
            f"Model {asked!r}: there is no module {module if spec else so_far}.",
            f"Its file must lie in the folder where hubel is started, here {Path.cwd()}, in one on PYTHONPATH, or in an installed "
            "package.",
        )
    return Path(spec.origin) if spec.origin and spec.origin.endswith(".py") else None


def own(name: str, module: str, registered: Any) -> Record:
    """The record of a builder of one's own, of which nothing more is known."""
    told = {"task": getattr(registered, "task", CLASSIFICATION), "gives": getattr(registered, "gives", None)}
    told |= {"reads": getattr(registered, "reads", Record.reads), "space": dict(getattr(registered, "space", {}))}
    return Record(name=name, params=None, tiny={}, paper="", year=None, module=module, **told)


@functools.cache
def _scan(root: Path) -> dict[str, Record]:
    records = {}
    for path in sorted(root.glob("*/*.py")):
        for _, record in _read(path, f"{root.name}.{path.parent.name}.{path.stem}"):
            claim(record, records, lambda held: f"a model in {held.module}")
            records[record.name] = record
    return dict(sorted(records.items()))


def _read(path: Path, module: str) -> list[tuple[str, Record]]:
    """Function name and record of every `@register(...)` in a file. Raises ValueError that names the line."""
    text = path.read_text(encoding="utf-8")
    if "register" not in text:
        return []
    tree = ast.parse(text, str(path))
    names = {
        alias.asname or alias.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module in ("keras_models", "keras_models.record")
        for alias in node.names
        if alias.name == "register"
    }
    calls = [n for n in ast.walk(tree) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name) and n.func.id in names]
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    records = []
    for function in functions:
        space: Mapping[str, Any] = {}
        for call in reversed(function.decorator_list):  # the lowest is applied first
            if call in calls:
                calls.remove(call)
                record = _record(call, path, module, _written_input(function, tree), space)
                records.append((function.name, record))
                space = record.space
    for call in sorted(calls, key=lambda call: call.lineno):
        raise ValueError(f"{path}:{call.lineno}: register(...) must decorate a function at the top level of its file")
    return records


def _written_input(function: ast.FunctionDef, tree: ast.Module) -> tuple[int, ...] | None:
    """What `record.default_input` finds, from the source: the default may be a literal or a constant of its file."""
    given = function.args
    placed = [*given.posonlyargs, *given.args]
    defaults = dict(zip((a.arg for a in placed[len(placed) - len(given.defaults) :]), given.defaults, strict=True))
    defaults |= {a.arg: default for a, default in zip(given.kwonlyargs, given.kw_defaults, strict=True)}
    default = defaults.get("input_shape")
    if isinstance(default, ast.Name):
        assigned = [node for node in tree.body if isinstance(node, ast.Assign)]
        named = {target.id: node.value for node in assigned for target in node.targets if isinstance(target, ast.Name)}
        default = named.get(default.id)
    try:
        return ast.literal_eval(default) if isinstance(default, ast.Tuple) else None
    except ValueError:
        return None


def _record(call: ast.Call, path: Path, module: str, input_shape: tuple[int, ...] | None, space: Mapping[str, Any]) -> Record:
    given = dict(zip(("name",), call.args, strict=False)) | {keyword.arg: keyword.value for keyword in call.keywords}
    values = {}
    for key, node in given.items():
        try:
            values[key] = ast.literal_eval(node)
        except ValueError:
            raise ValueError(
                f"{path}:{node.lineno}: {key or '**'} of register(...) must be a literal, to be read without importing Keras"
            ) from None
    values |= {"aliases": tuple(values.get("aliases", ())), "options": values.get("options") or {}, "module": module}
    values |= {"input_shape": input_shape, "space": dict(space if values.get("space") is None else values["space"])}
    try:
        return Record(**values)
    except TypeError as error:
        raise ValueError(f"{path}:{call.lineno}: register(...): {str(error).removeprefix('Record.__init__() ')}") from None


def _variants(name: str, known: Iterable[str]) -> str:
    """A sentence that lists the names which start with the same letters; nothing where none does."""
    letters = re.match(r"[a-z]*", name)[0]
    alike = sorted((other for other in known if re.match(r"[a-z]*", other)[0] == letters), key=lambda other: (len(other), other))
    return f"There are {', '.join(alike)}. " if alike else ""
