"""The architecture: which module may import which, and what each says about itself."""

import ast
import re
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "blender_recon3d"
BLENDER = {"bpy", "bpy_extras", "bmesh", "gpu", "mathutils"}
HEAVY = {
    "torch",
    "torchvision",
    "pycolmap",
    "cv2",
    "scipy",
    "xatlas",
    "psutil",
    "jinja2",
    "PIL",
    "pillow_heif",
    "safetensors",
}

# From the bottom up. A module imports from its own layer or from one below it.
LAYERS = (
    ("pipeline", "launch"),
    ("engine_setup",),
    ("scene",),
    ("languages",),
    (
        "preferences",
        "chosen_folders",
        "engine_properties",
        "properties",
        "panel_text",
        "translations",
    ),
    ("jobs",),
    ("operators",),
    ("ui",),
    ("api",),
    ("command_line",),
    ("",),  # the package itself, which registers the rest
)
# What a module's first sentences promise, and what it then must not reach by its top-level imports.
PROMISES = (
    (r"(?i)never imports bpy|\bno bpy\b", BLENDER),
    (r"(?i)numpy only", BLENDER | HEAVY),
    (r"(?i)standard library only", BLENDER | HEAVY | {"numpy"}),
)
# Names shared by several modules because they are about the same thing on different layers.
SHARED = {
    "engine": "the engine's buttons, and its panel",
    "review": "the review's buttons, and its panel",
    "preferences": "the add-on's preferences, and how they are drawn",
    "export_asset": "the button, and what it does",
    "export_cameras": "the button, and what it does",
    "exporting": "files for other programs, by the engine and by Blender",
}


@cache
def modules() -> dict[str, Path]:
    """Path of every module by its name below the package; "" is the package itself."""
    found = {}
    for path in (ROOT / PACKAGE).rglob("*.py"):
        parts = path.relative_to(ROOT / PACKAGE).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def tree(name: str) -> ast.Module:
    return ast.parse(modules()[name].read_text("utf-8"))


@cache
def imports(name: str, at_the_top: bool = False) -> frozenset[str]:
    """What a module imports: modules of the package by name, others as `!torch`. at_the_top: when it is loaded."""
    found = set()
    for node in _statements(tree(name), at_the_top):
        if isinstance(node, ast.Import):
            found |= {"!" + alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add("!" + (node.module or "").partition(".")[0])
        elif isinstance(node, ast.ImportFrom):
            here = name.split(".") if name else []
            package = here if modules()[name].name == "__init__.py" else here[:-1]
            base = package[: len(package) - node.level + 1] + (node.module.split(".") if node.module else [])
            for alias in node.names:
                inner = ".".join([*base, alias.name])
                found.add(inner if inner in modules() else ".".join(base))
    return frozenset(found - {name})


def _statements(node: ast.AST, at_the_top: bool):
    """Every statement, except those for type checkers only; at_the_top: none inside functions."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) and at_the_top:
            continue
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
            continue
        yield child
        yield from _statements(child, at_the_top)


@cache
def loaded(name: str) -> frozenset[str]:
    """Everything that is loaded with a module, including its packages."""
    found, waiting = set(), [name]
    while waiting:
        now = waiting.pop()
        if now in found:
            continue
        found.add(now)
        if now.startswith("!"):
            continue
        waiting += imports(now, at_the_top=True)
        waiting += [now.rpartition(".")[0]] if now else []
    return frozenset(found)


def layer(name: str) -> int:
    return next(i for i, rooms in enumerate(LAYERS) if name.partition(".")[0] in rooms)


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Strongly connected components of two nodes or more (Tarjan, 1972)."""
    number: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found = []

    def visit(node: str) -> None:
        number[node] = low[node] = len(number)
        stack.append(node)
        for other in sorted(graph[node]):
            if other not in number:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], number[other])
        if low[node] == number[node]:
            members = stack[stack.index(node) :]
            del stack[stack.index(node) :]
            if len(members) > 1:
                found.append(sorted(members))

    for node in sorted(graph):
        if node not in number:
            visit(node)
    return found


def test_there_are_no_circular_imports():
    """Imports inside functions count: they hide a circle but do not remove it."""
    graph = {name: {other for other in imports(name) if other in modules()} for name in modules()}
    assert circles(graph) == []


def test_packages_of_the_engine_do_not_depend_on_each_other_circularly():
    def room(name: str) -> str:
        """A package inside the pipeline; a top-level module there counts as a package."""
        return ".".join(name.split(".")[:2])

    inside = [name for name in modules() if name.startswith("pipeline.")]
    graph: dict[str, set[str]] = {room(name): set() for name in inside}
    for name in inside:
        graph[room(name)] |= {room(n) for n in imports(name) if n in inside and room(n) != room(name)}
    assert circles(graph) == []


def test_imports_go_down():
    upward = [
        f"{name} -> {other}"
        for name in sorted(modules())
        for other in sorted(imports(name))
        if other in modules() and layer(other) > layer(name)
    ]
    assert upward == []


@pytest.mark.parametrize("side", ["the engine", "Blender"])
def test_neither_side_contains_what_belongs_to_the_other(side):
    """Also inside functions. Blender's side calls some engine modules, which must not load the engine's packages."""
    foreign = BLENDER if side == "the engine" else HEAVY - {"PIL"}
    names = [n for n in modules() if n.startswith("pipeline") == (side == "the engine")]
    assert {
        n: found for n in names if (found := {i[1:] for i in imports(n) if i[0:1] == "!"} & foreign)
    } == {}
    assert {n: found for n in names if (found := {i[1:] for i in loaded(n) if i[0:1] == "!"} & foreign)} == {}


def test_engine_setup_and_the_supervision_of_jobs_need_no_blender():
    bare = ("engine_job", "engine_query", "job_view", "remedies", "resume_state")
    names = [n for n in modules() if n.startswith("engine_setup") or n in {f"jobs.{x}" for x in bare}]
    standard = set(sys.stdlib_module_names) | {
        "recon3d_addon"
    }  # this package, as named in the process that sets up
    assert {
        n: found for n in names if (found := {i[1:] for i in loaded(n) if i[0:1] == "!"} - standard)
    } == {}


def test_what_a_module_says_about_itself_is_true():
    broken = []
    for name in sorted(modules()):
        words = ast.get_docstring(tree(name)) or ""
        for pattern, forbidden in PROMISES:
            found = {i[1:] for i in loaded(name) if i[0:1] == "!"} & forbidden
            if re.search(pattern, words) and found:
                broken.append(f"{name} loads {', '.join(sorted(found))}")
    assert broken == []


def test_a_declaration_loads_nothing_heavy():
    """Stages and networks are declared in separate modules, which are imported wherever settings are: in Blender."""
    rooms = ("pipeline.stages.", "pipeline.models.networks.")
    names = [n for n in modules() if n.startswith(rooms)]
    assert len(names) > 12
    standard = set(sys.stdlib_module_names)
    assert {
        n: found for n in names if (found := {i[1:] for i in loaded(n) if i[0:1] == "!"} - standard)
    } == {}


def test_no_two_modules_of_one_name_mean_different_things():
    owners: dict[str, list[str]] = {}
    # A stage's module has the stage's name in job.json.
    stages = {n for n in modules() if n.startswith("pipeline.stages.")}
    for name in modules():
        if name and not name.endswith("__main__") and name not in stages:
            owners.setdefault(name.rpartition(".")[2], []).append(name)
    doubled = {short: sorted(names) for short, names in owners.items() if len(names) > 1}
    assert {short: names for short, names in doubled.items() if short not in SHARED} == {}
    assert SHARED.keys() <= doubled.keys(), "a name that is no longer shared"


def test_few_modules_are_at_the_top_level():
    assert len([path for path in (ROOT / PACKAGE).glob("*.py")]) <= 9


def test_only_one_module_finds_folders_relative_to_itself():
    """`pipeline.paths`; and two that run before the package can be imported."""
    allowed = {"pipeline.paths", "launch.recon3d_engine", "engine_setup.__main__"}
    counting = re.compile(r"__file__\)(?:\.\w+\(\))*(?:\.parents\[|\.parent\.parent)")
    found = {name for name, path in modules().items() if counting.search(path.read_text("utf-8"))}
    assert found <= allowed
