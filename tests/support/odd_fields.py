"""Answers of the simulated venue without the fields that no document names."""

import re

ODD = re.compile(r"z[a-z][0-9]")


def known(value):
    """Return a decoded answer without its odd fields."""
    if isinstance(value, dict):
        return {name: known(inner) for name, inner in value.items() if not ODD.fullmatch(name)}
    return [known(inner) for inner in value] if isinstance(value, list) else value
