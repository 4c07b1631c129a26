"""The commented configuration file that `perpdesk config init` writes."""

from __future__ import annotations

from typing import Final

import tomli_w

from config.catalogue import Setting, catalogue, tables

HEADER: Final = "# perpdesk configuration, format 1"
"""First line of a file of ours: changes from the keyboard edit single lines of it and keep the rest."""
_PREFACE: Final = """\
# Every line that starts with "# name =" shows a default; remove the "#" to change it.
# The environment wins over this file, the command line over both. `perpdesk config show` lists every value.
# API keys belong into secrets.toml beside this file (mode 0600): BINANCE_API_KEY and BINANCE_API_SECRET,
# or BINANCE_PRIVATE_KEY_FILE with the path of an Ed25519 or RSA private key (PEM, mode 0600) instead of the secret;
# a keyring (exchange.keyring) and the credentials of a service come before it.
"""


def toml_line(leaf: str, value: object) -> str:
    """Return one `key = value` line without its line end; tuples are written on one line."""
    if isinstance(value, tuple):
        return f"{leaf} = [{', '.join(toml_line('x', item).removeprefix('x = ') for item in value)}]"
    return tomli_w.dumps({leaf: value}).rstrip("\n")


def template() -> str:
    """Return the file: every table and setting with its meaning, range, environment name and default."""
    rows = list(catalogue().values())
    blocks = [HEADER + "\n" + _PREFACE]
    blocks += [_block(row) for row in rows if "." not in row.path]
    for table, doc in tables().items():
        blocks.append(f"# {doc}\n[{table}]\n")
        blocks += [_block(row) for row in rows if row.path.rpartition(".")[0] == table]
    return "\n".join(blocks)


def _block(row: Setting) -> str:
    leaf = row.path.rpartition(".")[2]
    default = f"# {leaf} =" if row.default is None else f"# {toml_line(leaf, row.default)}"
    return f"# {row.doc} ({row.allowed}; {row.env})\n{default}\n"
