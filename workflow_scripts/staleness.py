"""When is a step's result stale?  When the meaning of a program text that made it has changed.

`code_hash("workflow_scripts.qa.tune")` is a digest of that module and of every module of the same package that its
import statements reach (its import closure, with the `__init__` files on the way).  A rule carries it among its
`params`, so that Snakemake reruns the rule when, and only when, one of these modules changes in meaning.

The digest is taken from the syntax tree: positions, comments, layout, docstrings and statements that do nothing are
not part of it.  The tree is written out by `meaning`, not by `ast.dump`: parts that are absent or empty are left out,
so that a Python release which adds an optional part to its trees does not make every result stale.

Not seen: modules imported by a name computed at run time, other packages' versions, and data files, which are the
business of a rule's `input` (two are no rule's: a row added to languages.tsv or datasets.yaml changes no result that
is there).  Imports under `if TYPE_CHECKING` and inside functions count like any other.
"""

import ast
import functools
import hashlib
from collections.abc import Iterator
from pathlib import Path

from workflow_scripts.cli import InputError

ROOT = Path(__file__).parent.parent


def code_hash(module: str, root: Path = ROOT) -> str:
    """Twelve hexadecimal digits that change when the meaning of `module`, or of a module it imports, changes.

    `module` is a full name ("workflow_scripts.qa.tune") looked up under the folder `root`.  Sources are read once in
    a process.  Raises InputError if the module, or one of its package that it imports, does not exist or parse.
    """
    contents = [f"{name} {read_module(name, root)[0]}" for name in import_closure(module, root)]
    return hashlib.sha256("\n".join(contents).encode()).hexdigest()[:12]


@functools.cache
def import_closure(module: str, root: Path = ROOT) -> tuple[str, ...]:
    """The full names, sorted, of `module` and of all modules of its package that importing it can run."""
    reached: set[str] = set()
    pending = set(with_parents(module))
    while pending:
        name = pending.pop()
        reached.add(name)
        pending |= read_module(name, root)[1] - reached
    return tuple(sorted(reached))


@functools.cache
def read_module(name: str, root: Path) -> tuple[str, frozenset[str]]:
    """A module's own digest, and the modules of its package that it imports directly, with their parent packages."""
    file = source_file(name, root)
    if file is None:
        raise InputError(f"{name}: no such module under {root}; its name is given in full, as for python -m")
    try:
        tree = ast.parse(file.read_text("utf-8"))
    except SyntaxError as error:
        raise InputError(f"{file} line {error.lineno}: not valid Python ({error.msg})") from None
    digest = hashlib.sha256(meaning(tree).encode()).hexdigest()
    package = name if file.name == "__init__.py" else name.rpartition(".")[0]
    return digest, frozenset(imported_modules(tree, name, package, root))


def source_file(name: str, root: Path) -> Path | None:
    """The file that holds a module; None if there is none (the name may then be a function's or a class's)."""
    path = root.joinpath(*name.split("."))
    for file in (path / "__init__.py", path.with_name(f"{path.name}.py")):
        if file.is_file():
            return file
    return None


def with_parents(name: str) -> Iterator[str]:
    """The module and the packages around it, outermost first: importing a module runs them all."""
    parts = name.split(".")
    yield from (".".join(parts[:depth]) for depth in range(1, len(parts) + 1))


def imported_modules(tree: ast.Module, name: str, package: str, root: Path) -> Iterator[str]:
    """The modules under `name`'s top-level package that the import statements anywhere in `tree` name.

    Raises InputError for an import from a module that does not exist.
    """
    top = name.partition(".")[0]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules, members = [alias.name for alias in node.names], []
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if node.level:
                around = package.split(".")
                if node.level > len(around):
                    raise InputError(f"{name} line {node.lineno}: a relative import leads out of {top}")
                module = ".".join(around[: len(around) - node.level + 1] + ([module] if module else []))
            modules, members = [module], [f"{module}.{alias.name}" for alias in node.names]
        else:
            continue
        ours = [module for module in modules if module.partition(".")[0] == top]
        for module in ours:
            if source_file(module, root) is None:
                raise InputError(
                    f"{name} line {node.lineno}: imports {module}, which does not exist under {root}"
                )
        # `from package import member` runs a module only where member is one
        ours += [
            member for member in members if member.partition(".")[0] == top and source_file(member, root)
        ]
        for module in ours:
            yield from with_parents(module)


# Fields that say nothing more about what a program does: contexts follow from the place in the tree.
SILENT_FIELDS = frozenset({"ctx", "kind", "type_comment", "type_ignores"})


def meaning(node: ast.AST) -> str:
    """What of a syntax tree makes a difference when it runs, as one text."""
    parts = []
    for field in node._fields:
        value = getattr(node, field, None)
        if (value is None and not isinstance(node, ast.Constant)) or field in SILENT_FIELDS:
            continue
        if isinstance(value, list):
            items = [written(item) for item in value if not does_nothing(item)]
            if items:
                parts.append(f"{field}=[{','.join(items)}]")
        else:
            parts.append(f"{field}={written(value)}")
    return f"{type(node).__name__}({','.join(parts)})"


def written(value: object) -> str:
    """A part of a tree as text: a tree again, or a name, constant or number."""
    return meaning(value) if isinstance(value, ast.AST) else repr(value)


def does_nothing(item: object) -> bool:
    """Whether an item of a tree's list is `pass`, or a docstring or other constant that stands alone."""
    return isinstance(item, ast.Pass) or (isinstance(item, ast.Expr) and isinstance(item.value, ast.Constant))
