"""One frozen record per named model; importing a family's file fills in its own.

The facts are literals, so that a listing reads them from the source without importing Keras; a test compares the two.
Adding a model is adding one file to a sub-package of families (`classifiers/`, `autoencoders/`), nothing else.
"""

import ast
import difflib
import functools
import importlib
import inspect
import re
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from importlib.machinery import PathFinder
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from configs.errors import UsageError

FAMILIES = Path(__file__).parent  # each sub-package of it may hold families
CLASSIFICATION = "classification"
RECONSTRUCTION = "reconstruction"


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is known of a model without building it, or importing Keras."""

    name: str
    task: str  # key of components/tasks, e.g. "classification"
    params: int | None  # exact trainable count with build()'s defaults; 0 where nothing is trained by gradient, None where unknown
    tiny: Mapping[str, Any]  # arguments of the seconds-on-CPU twin; they go over what the name fixes
    paper: str
    year: int | None
    aliases: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)  # keyword arguments of the builder that this name fixes
    module: str  # dotted path of the builder's file, for fingerprints of the source
    input_shape: tuple[int, ...] | None = None  # (height px, width px, channels) that the builder takes by default, if it has one

    @property
    def family(self) -> str:
        """Name of the builder's file."""
        return self.module.rpartition(".")[2]

    @property
    def is_shipped(self) -> bool:
        """Whether it is one of ours, not a person's own."""
        return self.module.startswith(f"{__package__}.")


@dataclass(frozen=True, kw_only=True)
class ModelEntry(Facts):
    """The facts of one name and its builder."""

    build: Callable[..., Any]  # keyword arguments -> uncompiled functional keras.Model

    def facts(self) -> Facts:
        """The same without the builder."""
        return Facts(**{f.name: getattr(self, f.name) for f in fields(Facts)})


ENTRIES: dict[str, ModelEntry] = {}


def register(
    name: str, *, task: str, params: int | None, tiny: Mapping, paper: str, year: int, aliases: Iterable[str] = (), options=None
):
    """Decorate a builder with its record; every fact must be a literal. Decorators stack: several names may share a builder.

    Raises:
        ValueError: if the name or an alias is taken; says by which builder.
    """

    def add(build):
        entry = ModelEntry(
            name=name,
            build=build,
            task=task,
            params=params,
            tiny=dict(tiny),
            paper=paper,
            year=year,
            aliases=tuple(aliases),
            options=dict(options or {}),
            module=build.__module__,
            input_shape=_default_input(build),
        )
        _claim(entry, ENTRIES, lambda held: f"{held.build.__qualname__} in {held.module}")
        ENTRIES[name] = entry
        build.task = task
        return build

    return add


def catalog() -> dict[str, Facts]:
    """Facts of every model that ships, by name in alphabetical order, read from the source: takes milliseconds, imports nothing.

    Raises:
        ValueError: for a fact that is no literal, a decorator out of place or a name given twice; says which file and line.
    """
    return dict(_scan(FAMILIES))


def check(name: str) -> Facts:
    """What `get` will find, without importing it; see there.

    A dotted path's file is looked for; whether it defines the function shows only when it is imported.

    Raises:
        UsageError: for an unknown name, or a dotted path to a module that does not exist.
    """
    if _is_path(name):
        module, function = _split(name)
        origin = _locate(module, name)
        try:
            registered = dict(_read(origin, module)) if origin else {}
        except (OSError, SyntaxError, ValueError) as error:
            raise UsageError(f"Model {name!r}: {origin} cannot be read: {error}.", "Importing it in Python shows more.") from None
        return _own(name, module, registered[function].task if function in registered else CLASSIFICATION)
    if name in ENTRIES:
        return ENTRIES[name].facts()
    found = catalog()
    by_name = {called: facts for facts in found.values() for called in (facts.name, *facts.aliases)}
    if name in by_name:
        return by_name[name]
    nearest = difflib.get_close_matches(name, by_name, 3)
    raise UsageError(
        f"There is no model {name!r}" + (f"; did you mean {' or '.join(map(repr, nearest))}?" if nearest else "."),
        f"{_variants(name, by_name)}`hubel list models` shows every name; "
        "a builder of one's own is given as package.module:function.",
    )


def get(name: str) -> ModelEntry:
    """The record of a model and its builder; imports only the one family's module, and Keras with it.

    Args:
        name: a registry name or alias, or a dotted path `package.module:function` or `package.module.function` to a builder of
            one's own, importable from here. For such a path the task is the one it was registered with, "classification" if it was
            not; the parameter count, paper and year are not known.

    Raises:
        UsageError: for an unknown name (lists the nearest), or a dotted path that leads to no function.
    """
    if not _is_path(name):
        if name in ENTRIES:
            return ENTRIES[name]
        facts = check(name)
        importlib.import_module(facts.module)
        return ENTRIES[facts.name]
    module, function = _split(name)
    _locate(module, name)
    try:
        build_ = getattr(importlib.import_module(module), function, None)
    except Exception as error:  # whatever a person's own file raises
        what = f"{type(error).__name__}: {error}"
        raise UsageError(f"Model {name!r}: importing {module} failed: {what}.", "Import it in Python to see where.") from error
    if not callable(build_):
        raise UsageError(f"Model {name!r}: {module} has no function {function!r}.", "Write package.module:function.")
    known = replace(_own(name, module, getattr(build_, "task", CLASSIFICATION)), input_shape=_default_input(build_))
    return ModelEntry(build=build_, **{f.name: getattr(known, f.name) for f in fields(known)})


def build(entry: ModelEntry | str, facts: Mapping[str, Any], options: Mapping[str, Any]):
    """Build a model from what its name fixes, what the config asks and what the data decides; check that it keeps the contract.

    Args:
        entry: a record, or anything that `get` takes.
        facts: what the data decides, e.g. input_shape (height px, width px, channels) and num_classes; the builder is given
            those that its signature names.
        options: keyword arguments of the builder, from a config.

    Returns:
        Uncompiled functional keras.Model, image float32 (batch, *input_shape) -> the task's output.

    Raises:
        UsageError: for an unknown or missing option, a value that the builder refuses, a builder of one's own that fails, or a
            model that breaks the contract.
    """
    from keras_models import contract  # imports Keras, which a listing must not

    entry = get(entry) if isinstance(entry, str) else entry
    facts = {**facts, "input_shape": tuple(facts["input_shape"])} if "input_shape" in facts else dict(facts)
    parameters = inspect.signature(entry.build).parameters
    open_ended = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    known = [n for n, p in parameters.items() if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    free = [n for n in known if n not in entry.options and n not in facts]
    for key in options:
        if key in entry.options:
            raise UsageError(
                f"Model {entry.name}: option {key!r} cannot be set: this name fixes it to {entry.options[key]!r}.",
                "Leave it out of model.options.",
            )
        if key in facts:
            raise UsageError(f"Model {entry.name}: {key!r} is no option: the data decides it.", "Leave it out of model.options.")
        if key not in known and not open_ended:
            raise _unknown_option(entry, key, free)
    given = {**{k: v for k, v in facts.items() if open_ended or k in known}, **entry.options, **options}
    missing = [n for n in known if n not in given and parameters[n].default is inspect.Parameter.empty]
    if missing:
        raise UsageError(
            f"Model {entry.name}: option {missing[0]!r} has no default and must be given.", f"Set model.options.{missing[0]}."
        )
    try:
        model = entry.build(**given)
    except ValueError as error:
        said = (None if entry.is_shipped else contract.lack_of_room(entry, given, error)) or first_line(error)
        raise UsageError(
            f"Model {entry.name}: {said}.", "Change model.options, or transform.height and transform.width."
        ) from error
    except Exception as error:
        # a builder that takes **options may hand them on to one that does not
        refused = next((key for key in options if f"unexpected keyword argument '{key}'" in str(error)), None)
        if isinstance(error, TypeError) and refused:
            raise _unknown_option(entry, refused, free) from error
        if entry.is_shipped or isinstance(error, UsageError):
            raise
        said = f"its builder failed with {type(error).__name__}: {first_line(error)}"
        raise UsageError(f"Model {entry.name}: {said}.", f"See {_place(error, entry)}.") from error
    contract.keep(entry, model, facts)
    return model


def twin(entry: ModelEntry | str, **facts):
    """The model of an entry's `tiny` arguments: the same layers, narrower and where need be fewer, to test what all models share.

    Args:
        facts: what the data would decide, instead of what `tiny` says.
    """
    entry = get(entry) if isinstance(entry, str) else entry
    arguments = {**entry.options, **entry.tiny}
    return build(replace(entry, options={}), facts, {key: value for key, value in arguments.items() if key not in facts})


def first_line(error: Exception) -> str:
    """What an error says, for a sentence: Keras's have many lines, the last of which may say what the first is about."""
    text = str(cause(error))
    if told := re.search("\x1b\\[1m(.+?)\x1b\\[0m", text, re.DOTALL):  # what a layer raised, in bold below "when calling"
        text = told[1]
    return next((line.strip() for line in text.splitlines() if line.strip()), "no message")[:300].rstrip(".")


def cause(error: BaseException) -> BaseException:
    """The first of the errors that Keras wraps in one another, a layer's in its model's, while it reads a config."""
    while "Exception encountered: " in str(error) and error.__context__ is not None:
        error = error.__context__
    return error


def _place(error: Exception, entry: Facts) -> str:
    """File and line in the builder's module that an error comes from."""
    file = getattr(sys.modules.get(entry.module), "__file__", None)
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    return f"{file}, line {lines[-1]}" if lines else entry.module


def _default_input(build) -> tuple[int, ...] | None:
    parameter = inspect.signature(build).parameters.get("input_shape")
    return parameter.default if parameter and isinstance(parameter.default, tuple) else None


def _unknown_option(entry: Facts, key: str, known: list[str]) -> UsageError:
    nearest = difflib.get_close_matches(key, known, 1)
    return UsageError(
        f"Model {entry.name} has no option {key!r}" + (f"; did you mean {nearest[0]!r}?" if nearest else "."),
        f"Its options: {', '.join(known)}." if known else "It has no options.",
    )


def _claim(new: Facts, taken: Mapping[str, Facts], holder: Callable[[Any], str]) -> None:
    held = {called: facts for facts in taken.values() for called in (facts.name, *facts.aliases)}
    for called in (new.name, *new.aliases):
        if called in held:
            raise ValueError(f"{called!r} already names {holder(held[called])}")


@functools.cache
def _scan(root: Path) -> dict[str, Facts]:
    found = {}
    for path in sorted(root.glob("*/*.py")):
        for _, facts in _read(path, f"{root.name}.{path.parent.name}.{path.stem}"):
            _claim(facts, found, lambda held: f"a model in {held.module}")
            found[facts.name] = facts
    return dict(sorted(found.items()))


def _read(path: Path, module: str) -> list[tuple[str, Facts]]:
    """Function name and facts of every `@register(...)` in a file. Raises ValueError that names the line."""
    text = path.read_text(encoding="utf-8")
    if "register" not in text:
        return []
    tree = ast.parse(text, str(path))
    names = {
        alias.asname or alias.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module in ("keras_models", "keras_models.registry")
        for alias in node.names
        if alias.name == "register"
    }
    calls = {n for n in ast.walk(tree) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name) and n.func.id in names}
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    found = []
    for function in functions:
        for call in reversed(function.decorator_list):  # the lowest is applied first
            if call in calls:
                calls.remove(call)
                found.append((function.name, _facts(call, path, module, _written_input(function, tree))))
    for call in calls:
        raise ValueError(f"{path}:{call.lineno}: register(...) must decorate a function at the top level of its file")
    return found


def _written_input(function: ast.FunctionDef, tree: ast.Module) -> tuple[int, ...] | None:
    """What `_default_input` finds, from the source: the default may be a literal or a constant of its file."""
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


def _facts(call: ast.Call, path: Path, module: str, input_shape: tuple[int, ...] | None) -> Facts:
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
    values["input_shape"] = input_shape
    try:
        return Facts(**values)
    except TypeError as error:
        raise ValueError(f"{path}:{call.lineno}: register(...): {str(error).removeprefix('Facts.__init__() ')}") from None


def _variants(name: str, known: Iterable[str]) -> str:
    """A sentence that lists the names which start with the same letters; nothing where none does."""
    letters = re.match(r"[a-z]*", name)[0]
    alike = sorted((one for one in known if re.match(r"[a-z]*", one)[0] == letters), key=lambda one: (len(one), one))
    return f"There are {', '.join(alike)}. " if alike else ""


def _is_path(name: str) -> bool:
    return "." in name or ":" in name


def _split(path: str) -> tuple[str, str]:
    module, _, function = path.rpartition(":" if ":" in path else ".")
    if not all(part.isidentifier() for part in (*module.split("."), function)):
        raise UsageError(f"{path!r} is not a path to a builder.", "Write package.module:function.")
    return module, function


def _locate(module: str, asked: str) -> Path | None:
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
            "Its folder must be on PYTHONPATH, or the package installed.",
        )
    return Path(spec.origin) if spec.origin and spec.origin.endswith(".py") else None


def _own(name: str, module: str, task: str) -> Facts:
    return Facts(name=name, task=task, params=None, tiny={}, paper="", year=None, module=module)
