"""What the cache sees of source code: a digest of the modules that a function is made of.

TFX keys its cache by a function's dotted path, so an edited function would be served from a stale cache. Each component
therefore gets the digest of its entry module and of every module of hubel's or of a person's own that this imports, found
without importing any of them. Comments and layout do not count: the digest is of the syntax tree.
"""

import ast
import contextlib
import hashlib
import importlib.util
import subprocess
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from configs.packages import PACKAGES

INSTALLED = {"site-packages", "dist-packages"}  # folders of what pip and the system install


def of(*modules: str) -> str:
    """Hex digest of the sources that the dotted modules are made of.

    Raises:
        ModuleNotFoundError: for a module that cannot be found.
    """
    roots = {name.split(".")[0] for name in modules} | set(PACKAGES)
    digest = hashlib.sha256()
    for name in sorted(_closure(modules, roots)):
        path = _source(name)
        digest.update(f"{name}={_syntax_digest(path, path.stat().st_mtime_ns)}\n".encode())
    return digest.hexdigest()


def of_all_sources() -> str:
    """Hex digest of every file of hubel's code as it is, comments too, whoever imports it: `of` looks closer and takes a second."""
    root, digest = Path(__file__).parents[1], hashlib.sha256()
    for path in sorted(path for package in PACKAGES for path in (root / package).rglob("*.py")):
        digest.update(f"{path.relative_to(root)}={hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()


def git_revision() -> str | None:
    """Of the checkout that the code is of, with a word on what is not committed; None where it is none."""
    root = Path(__file__).parents[1]
    if not (root / ".git").exists():
        return None
    asked = ["git", "-C", str(root)]
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        quiet = {"capture_output": True, "text": True, "timeout": 10, "check": True}
        revision = subprocess.run([*asked, "rev-parse", "HEAD"], **quiet).stdout.strip()
        changed = subprocess.run([*asked, "status", "--porcelain", "--untracked-files=no"], **quiet).stdout.strip()
        return f"{revision}{', with changes that are not committed' if changed else ''}"
    return None


def of_own(*modules: str) -> str:
    """As `of`, of those among the modules and what they import that are not hubel's: a person's own builders.

    Raises:
        ModuleNotFoundError: for a module that cannot be found.
    """
    own = {name for name in modules if name.split(".")[0] not in PACKAGES}
    closure = sorted(_closure(own, {name.split(".")[0] for name in own}))
    places = ((name, _source(name)) for name in closure)
    texts = (f"{name}={path}={_syntax_digest(path, path.stat().st_mtime_ns)}\n" for name, path in places)
    return hashlib.sha256("".join(texts).encode()).hexdigest()


def _closure(modules: Iterable[str], roots: set[str]) -> set[str]:
    seen: set[str] = set()
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        parent = name.rpartition(".")[0]
        if _is_module(parent):  # a folder without __init__.py runs no code
            waiting.append(parent)
        waiting += _imports(name, roots)
    return seen


def _imports(name: str, roots: set[str]) -> list[str]:
    """Modules below `roots`, and in a person's own source also other own ones, that import statements name, wherever they stand."""
    path, is_own = _source(name), name.split(".")[0] not in PACKAGES
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    imported_modules = []
    for base, names in _statements(path, path.stat().st_mtime_ns, package):
        top = base.split(".")[0]
        if top in roots or (is_own and _is_own(top)):
            imported_modules += [base, *(f"{base}.{imported}" for imported in names)]
            imported_modules += [module for imported in names for module in _offering(base, imported)]
    return [module for module in imported_modules if _is_module(module)]


def _is_own(top: str) -> bool:
    """Whether a top-level package is neither hubel's nor Python's nor installed: beside a builder, in the folder where hubel is
    started, or elsewhere on the path."""
    if not top or top in PACKAGES or top in sys.stdlib_module_names:
        return False
    try:
        spec = importlib.util.find_spec(top)
    except ValueError:  # a module without a spec, such as __main__
        return False
    places = [] if spec is None else [spec.origin] if spec.has_location else [*(spec.submodule_search_locations or [])]
    return bool(places) and not any(INSTALLED & set(Path(place).parts) for place in places)


@cache
def _statements(path: Path, mtime_ns: int, package: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Of each import statement the module, and the names that are imported from it."""
    statements = []
    for node in ast.walk(_tree(path, mtime_ns)):
        if isinstance(node, ast.Import):
            statements += [(alias.name, ()) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                base = ".".join([*package.split(".")[: len(package.split(".")) - node.level + 1], *([base] if base else [])])
            statements.append((base, tuple(alias.name for alias in node.names)))
    return tuple(statements)


def _offering(package: str, name: str) -> list[str]:
    """The modules of a package that define what it offers under a name although its own source does not say from where, as
    keras_models.layers does."""
    if not _is_module(package) or _is_module(f"{package}.{name}") or (path := _source(package)).name != "__init__.py":
        return []
    if name in _defined(path, path.stat().st_mtime_ns):
        return []
    files = [file for file in path.parent.glob("*.py") if file != path and name in _defined(file, file.stat().st_mtime_ns)]
    return [f"{package}.{file.stem}" for file in files]


@cache
def _defined(path: Path, mtime_ns: int) -> frozenset[str]:
    """Names of a file's classes and functions, and in a package's of what it imports by name."""
    defined = set()
    for node in _tree(path, mtime_ns).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            defined.add(node.name)
        elif isinstance(node, ast.ImportFrom) and path.name == "__init__.py":
            defined |= {alias.asname or alias.name for alias in node.names}
    return frozenset(defined)


def _is_module(name: str) -> bool:
    try:
        _source(name)
    except ModuleNotFoundError:
        return False
    return True


@cache
def _source(name: str) -> Path:
    """File of a module, found from its top-level package's place without running any code."""
    top, *rest = name.split(".")
    spec = importlib.util.find_spec(top) if top else None
    folders = [Path(folder, *rest) for folder in (spec.submodule_search_locations or [])] if spec and rest else []
    files = [file for folder in folders for file in (folder / "__init__.py", folder.with_name(f"{folder.name}.py"))]
    for path in files if rest else [Path(spec.origin)] if spec and spec.origin else []:
        if path.is_file():
            return path
    raise ModuleNotFoundError(f"no module named {name!r}", name=name)


@cache
def _syntax_digest(path: Path, mtime_ns: int) -> str:
    if path.suffix != ".py":
        return hashlib.sha256(path.read_bytes()).hexdigest()
    return hashlib.sha256(ast.dump(_tree(path, mtime_ns)).encode()).hexdigest()


@cache
def _tree(path: Path, mtime_ns: int) -> ast.Module:  # mtime: a long-lived process sees edits
    text = path.read_bytes() if path.suffix == ".py" else b""  # compiled code shows no imports
    return ast.parse(text, filename=str(path))
