"""Write constraints.txt and envs/xlqa.yaml from what is installed here: `make lock`, after a change of dependencies.

Both list every package that xlqa and its development tools need, directly or not, at the version installed in the
interpreter that runs this.  Torch is left to pyproject.toml: builds for one kind of machine carry a local version
("+cpu") that others cannot install, and bring packages of their own (nvidia-*, triton).
"""

import re
import tomllib
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
OF_ONE_MACHINE = re.compile(r"torch|triton|nvidia-.*|cuda-.*")


def installed_closure(requirements: list[str]) -> dict[str, str]:
    """Name -> version of every installed package that the requirements reach, following markers and extras."""
    found: dict[str, str] = {}
    pending = [Requirement(text) for text in requirements]
    visited: set[tuple[str, str]] = set()
    while pending:
        wanted = pending.pop()
        name = canonicalize_name(wanted.name)
        for extra in {"", *wanted.extras}:
            if (name, extra) in visited:
                continue
            visited.add((name, extra))
            try:
                found[name] = version(name)
            except PackageNotFoundError:
                raise SystemExit(
                    f"error: {name} is not installed here; run this in xlqa's own environment"
                ) from None
            needs = [Requirement(text) for text in requires(name) or []]
            pending += [
                need for need in needs if need.marker is None or need.marker.evaluate({"extra": extra})
            ]
    return {name: found[name] for name in sorted(found) if not OF_ONE_MACHINE.fullmatch(name)}


def environment(pins: list[str], python: str, torch: str) -> str:
    """The conda environment's YAML: the interpreter from conda, everything else from the lock."""
    lines = [
        "# The same packages as constraints.txt and pyproject.toml pin; written by `make lock`.",
        "name: xlqa",
        "channels:",
        "  - conda-forge",
        "  - nodefaults",
        "dependencies:",
        f"  - python={python}",
        "  - pip",
        "  - pip:",
        *(f"      - {pin}" for pin in [*pins, torch]),
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Rewrite both files."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    needed = project["dependencies"] + project["optional-dependencies"]["dev"]
    pins = [f"{name}=={number}" for name, number in installed_closure(needed).items()]
    python = project["requires-python"].removeprefix(">=")
    torch = next(text for text in project["dependencies"] if Requirement(text).name == "torch")
    heading = "# Every package as tested, torch apart (see pyproject.toml); written by `make lock`.\n"
    (ROOT / "constraints.txt").write_text(heading + "\n".join(pins) + "\n", "utf-8")
    (ROOT / "envs" / "xlqa.yaml").write_text(environment(pins, python, torch), "utf-8")


if __name__ == "__main__":
    main()
