"""From global options to a configuration and prepared folders; shared by every command that needs them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from config.load import Loaded, load
from config.paths import DeskPaths, desk_paths, find_config
from tui.talk import say

if TYPE_CHECKING:
    from tui.arguments import GlobalOptions


def configuration(options: GlobalOptions) -> Loaded:
    """Load the configuration a command line asks for and say its warnings. Raises ConfigError."""
    place = find_config(options.config, options.data_dir, os.environ)
    loaded = load(place.path, os.environ, options.command_line(), required=place.required)
    for warning in loaded.warnings:
        say(f"warning: {warning}")
    return loaded


def paths_of(loaded: Loaded) -> DeskPaths:
    """Return the folders of a configuration."""
    return desk_paths(loaded.settings.data_dir)
