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

What a source says is kept in the package's `__pycache__` by the SHA-256 of its bytes, because parsing all sources takes
as long as much else that Snakemake does before its first job.
"""

import ast
import atexit
import functools
import hashlib
import json
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from workflow_scripts.cli import InputError
from workflow_scripts.files import write_text

ROOT = Path(__file__).parent.parent


class Import(NamedTuple):
    """An import statement: its line, dots before the module, the module, and what is taken from it (None: itself)."""

    line: int
    level: int
    module: str
    members: list[str] | None


class Source(NamedTuple):
    """What is kept of a module's source: the digest of its meaning, and its import statements."""

    digest: str
    imports: list[Import]


@functools.cache
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
    content = file.read_bytes()
    known, key = kept(root / name.partition(".")[0]), hashlib.sha256(content).hexdigest()
    if key not in known:
        try:
            tree = ast.parse(content)
        except SyntaxError as error:
            raise InputError(f"{file} line {error.lineno}: not valid Python ({error.msg})") from None
        known[key] = Source(hashlib.sha256(meaning(tree).encode()).hexdigest(), list(import_statements(tree)))
    package = name if file.name == "__init__.py" else name.rpartition(".")[0]
    return known[key].digest, frozenset(imported_modules(known[key].imports, name, package, root))


@functools.cache
def kept(package: Path) -> dict[str, Source]:
    """SHA-256 -> what is kept of a package's sources; written down again when the process ends, if it may be."""
    # another Python, or another version of this module, would read the same source otherwise
    version = hashlib.sha256(f"{sys.version} {Path(__file__).read_text('utf-8')}".encode()).hexdigest()
    file = package / "__pycache__" / "meanings.json"
    known: dict[str, Source] = {}
    with suppress(OSError, ValueError, TypeError, KeyError):
        found = json.loads(file.read_text("utf-8"))
        if found["version"] == version:
            known = {
                key: Source(digest, [Import(*each) for each in imports])
                for key, (digest, imports) in found["sources"].items()
            }
    before = len(known)

    def write() -> None:
        if len(known) > before:
            with suppress(OSError, InputError):  # then it is read again next time
                write_text(file, json.dumps({"version": version, "sources": known}))

    atexit.register(write)
    return known


@functools.cache
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


def import_statements(tree: ast.Module) -> Iterator[Import]:
    """The import statements anywhere in a module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (Import(node.lineno, 0, alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield Import(node.lineno, node.level, node.module or "", [alias.name for alias in node.names])


def imported_modules(statements: list[Import], name: str, package: str, root: Path) -> Iterator[str]:
    """The modules under `name`'s top-level package that a module's import statements name.

    Raises InputError for an import from a module that does not exist.
    """
    top = name.partition(".")[0]
    for line, level, module, taken in statements:
        if level:
            around = package.split(".")
            if level > len(around):
                raise InputError(f"{name} line {line}: a relative import leads out of {top}")
            module = ".".join(around[: len(around) - level + 1] + ([module] if module else []))
        if module.partition(".")[0] != top:
            continue
        if source_file(module, root) is None:
            raise InputError(f"{name} line {line}: imports {module}, which does not exist under {root}")
        # `from package import member` runs a module only where member is one
        members = [f"{module}.{member}" for member in taken or ()]
        for ours in [module, *(member for member in members if source_file(member, root))]:
            yield from with_parents(ours)


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
