"""What has no order of its own, the members of a set and the files of a folder, gets one before it can be seen: Python's hashes of
texts are other ones in each process, and a file system lists as it likes."""

import ast

import pytest

from tests import sources

FILES = {"glob", "iglob", "rglob", "iterdir", "listdir", "scandir"}
COMBINED = {"union", "intersection", "difference", "symmetric_difference"}
BUILT_IN = {"sorted", "set", "frozenset", "len", "any", "all", "sum", "min", "max"}
TAKES_ANY = {*COMBINED, *BUILT_IN, "update", "Counter", "of_files", "in_order"}
IN_A_ROW = {"join", "list", "tuple", "enumerate", "iter", "next", "map", "zip", "dict", "fromkeys"}
# Places of which one sees that the order does not show: it is sorted in a later line, or each member is treated alike.
SEEN = {
    "components/example_gen/prepared.py": {"datasets.glob(pattern)"},
    "components/example_gen/alike.py": {"folder.glob('*.jsonl')"},
    "components/example_gen/tfds.py": {"base.glob(f\"{version or '*'}/dataset_info.json\")"},
    "components/fingerprint.py": {"path.parent.glob('*.py')"},
    "components/pusher/publish.py": {"stage.rglob('*')", "base.glob(f'{_STAGE}*')"},
    "components/trainer/resume.py": {"self._folder.glob('*.weights.h5')"},
    "pipelines/command_line/doctor.py": {"DEVICES.glob('nvidia[0-9]*')"},
    "pipelines/init/proposal.py": {"os.listdir(whole)"},
    "pipelines/verbs/asking/text.py": {"{example.file for example in examples} - {None}"},
    "pipelines/workspace/collect.py": {"path.rglob('*')"},
    "pipelines/workspace/runs.py": {"(place.root / 'pipelines').glob(f\"{(glob.escape(name) if name else '*')}/runs/*/run.json\")"},
    "pipelines/workspace/unchanged.py": {"named"},
    "serving/layout.py": {"base.glob('[0-9]*')"},
    "tuner/records.py": {"config.glob(f'*/{STUDY}')"},
    "tuner/space.py": {"{*entry.values, entry.default}"},
}


def name_of(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def is_set(node: ast.expr, names: set[str]) -> bool:
    match node:
        case ast.Set() | ast.SetComp():
            return True
        case ast.Call():
            return name_of(node) in {"set", "frozenset", *COMBINED}
        case ast.BinOp(op=ast.Sub() | ast.BitAnd() | ast.BitOr() | ast.BitXor()):
            sides = node.left, node.right
            return any(is_set(side, names) or (isinstance(side, ast.Call) and name_of(side) == "keys") for side in sides)
        case ast.NamedExpr():
            return is_set(node.value, names)
    return isinstance(node, ast.Name) and node.id in names


def sets_of(function: ast.AST) -> set[str]:
    """Names that are given a set in a function."""
    names: set[str] = set()
    for node in ast.walk(function):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) | ast.NamedExpr(target=ast.Name(id=name), value=value):
                names |= {name} if is_set(value, names) else set()
            case ast.AnnAssign(target=ast.Name(id=name), annotation=kind) | ast.arg(arg=name, annotation=ast.expr() as kind):
                names |= {name} if ast.unparse(kind).startswith(("set", "frozenset")) else set()
    return names


def in_a_row(node: ast.AST) -> ast.expr | None:
    """What a node takes one after another."""
    match node:
        case ast.For() | ast.comprehension():
            return node.iter
        case ast.Starred():
            return node.value
        case ast.Call(args=[_, *_]) if name_of(node) in IN_A_ROW:
            return node.args[-1] if name_of(node) == "map" else node.args[0]
    return None


def without_order(tree: ast.AST) -> set[str]:
    """Expressions that are taken in a row although they have no order, wherever what comes of it may have one."""
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    unordered = set()
    for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
        names = sets_of(function)
        for node in ast.walk(function):
            taken = in_a_row(node)
            if taken is None or not (is_set(taken, names) or (isinstance(taken, ast.Call) and name_of(taken) in FILES)):
                continue
            above = parents[node] if isinstance(node, ast.comprehension) else node
            while isinstance(above, ast.expr | ast.keyword) and not (
                isinstance(above, ast.Set | ast.SetComp) or (isinstance(above, ast.Call) and name_of(above) in TAKES_ANY)
            ):
                above = parents[above]
            if not isinstance(above, ast.expr):
                unordered.add(ast.unparse(taken))
    return unordered


def test_what_has_no_order_gets_one_before_it_shows():
    unordered = {sources.place(path): without_order(sources.tree(path)) for path in sources.files()}
    new = {place: sorted(taken - SEEN.get(place, set())) for place, taken in unordered.items() if taken - SEEN.get(place, set())}
    assert new == {}, "sorted(...), or a line in SEEN where the order cannot be seen"
    gone = {
        place: sorted(taken - unordered.get(place, set())) for place, taken in SEEN.items() if taken - unordered.get(place, set())
    }
    assert gone == {}, "take them out of SEEN"


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("', '.join({'a', 'b'} - given)", {"{'a', 'b'} - given"}),
        ("', '.join(sorted({'a', 'b'} - given))", set()),
        ("[x for x in set(given)]", {"set(given)"}),
        ("{x for x in set(given)}", set()),
        ("any(x for x in set(given))", set()),
        ("[*folder.glob('*')]", {"folder.glob('*')"}),
        ("sorted(folder.glob('*'))", set()),
        ("next(folder.iterdir())", {"folder.iterdir()"}),
        ("list(given)", set()),
    ],
)
def test_the_scan_finds_it(line, wanted):
    assert without_order(ast.parse(f"def f(given, folder):\n    return {line}")) == wanted


def test_a_name_that_holds_a_set_is_followed():
    lines = "def f(given):", "    held = {x for x in given}", "    for x in held:", "        print(x)"
    assert without_order(ast.parse("\n".join(lines))) == {"held"}
