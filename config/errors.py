"""The one error of this wing."""

from __future__ import annotations


class ConfigError(Exception):
    """The configuration cannot be used. Nothing of it was applied.

    `faults` holds one plain sentence per fault: the key, where it was given, what is wrong and what to do. Values of
    secrets never appear.
    """

    def __init__(self, *faults: str) -> None:
        """Keep every fault; the text joins them, one a line."""
        super().__init__("\n".join(faults))
        self.faults = faults


class CredentialsError(ConfigError):
    """The API key cannot be taken from where it lies: a half is missing, or others could read or change it."""
