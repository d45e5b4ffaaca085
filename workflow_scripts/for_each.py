"""Entries of the configuration that are written once and stand for several: `chaii-test-{k}`, for each value of `k`.

The section `for_each` gives the values.  An entry whose name holds `{k}` is taken once for each of them, with the
value in place of `{k}` in its name and in all texts of the entry; a text that is nothing else becomes the value itself.
A row of a table may be called `model-{k}`, too: it stands for the mean of all its models.
"""

import itertools
import re
from collections.abc import Mapping, Sequence
from typing import Any

from workflow_scripts.cli import InputError

VARIABLE = re.compile(r"\{([a-z]+)\}")
Value = str | int
Values = Mapping[str, Sequence[Value]]


def variables(*texts: str) -> list[str]:
    """The variables in some texts, each once, in their order."""
    return list(dict.fromkeys(name for text in texts for name in VARIABLE.findall(text)))


def filled(given: Any, values: Mapping[str, Value]) -> Any:
    """A part of a configuration with values in place of variables, also in the keys of mappings."""
    if isinstance(given, str):
        if (whole := VARIABLE.fullmatch(given)) and whole[1] in values:
            return values[whole[1]]
        return VARIABLE.sub(lambda match: str(values.get(match[1], match[0])), given)
    if isinstance(given, Mapping):
        return {
            str(filled(key, values)) if isinstance(key, str) else key: filled(item, values)
            for key, item in given.items()
        }
    return [filled(item, values) for item in given] if isinstance(given, list | tuple) else given


def combinations(names: Sequence[str], where: str, values: Values) -> list[dict[str, Value]]:
    """Every choice of a value for each name; a single empty one without names.

    Raises InputError where `values` lacks a name.
    """
    for name in names:
        if name not in values:
            known = ", ".join(values) or "none"
            raise InputError(f"{where}: for_each gives no values to {name}; known are {known}")
    return [
        dict(zip(names, chosen, strict=True))
        for chosen in itertools.product(*(values[name] for name in names))
    ]


def expanded(raw: Mapping[str, Any], values: Values) -> dict[str, Any]:
    """A configuration with every entry in place of which several stand, section by section, in their order.

    Raises InputError where a variable has no values, or two entries get one name.
    """
    result: dict[str, Any] = {}
    for section, entries in raw.items():
        if section == "for_each" or not isinstance(entries, Mapping):
            result[section] = entries
            continue
        made: dict[Any, Any] = {}
        for name, entry in entries.items():
            where = f"{section}.{name}"
            for chosen in combinations(variables(str(name)), where, values):
                one = str(filled(name, chosen)) if chosen else name
                if one in made:
                    raise InputError(f"{where}: there are two entries {one}; rename one of them")
                made[one] = filled(entry, chosen) if chosen else entry
        result[section] = made
    return result
