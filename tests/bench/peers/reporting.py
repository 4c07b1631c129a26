"""What every peer script shares: reading the arrays it is given, timing, and its answer as JSON on stdout."""

import contextlib
import io
import json
import sys
import time
import warnings
from importlib.metadata import version

import numpy as np

warnings.simplefilter("ignore")


def load(path):
    """Return the arrays of an .npz file."""
    with np.load(path) as held:
        return {name: held[name] for name in held.files}


class Sink:
    """Collects samples per name, in the unit the caller scales them to; prints one JSON object in the end."""

    def __init__(self):
        self.rows = {}

    def add(self, name, package, value):
        self.rows.setdefault(name, {"package": package, "version": version(package), "samples": []})
        self.rows[name]["samples"].append(value)

    def time(self, name, package, work, scale=1.0, *, warm=True):
        """Add the CPU milliseconds of one call, all threads, times `scale`; the first call of a name is made twice.

        `warm=False` is for work that may not be repeated.
        """
        if warm and name not in self.rows:
            with contextlib.redirect_stdout(io.StringIO()):
                work()
        start = time.process_time_ns()
        with contextlib.redirect_stdout(io.StringIO()):
            work()
        self.add(name, package, (time.process_time_ns() - start) / 1e6 * scale)

    def guard(self, work, *args):
        """Run one peer; a failure becomes a row that says so."""
        try:
            work(*args, self)
        except Exception as error:  # noqa: BLE001 - a peer that breaks must not hide the others
            self.rows[work.__name__] = {"package": "", "version": "", "samples": [], "error": repr(error)[:120]}
            print(f"{work.__name__}: {error!r}", file=sys.stderr)

    def close(self):
        """Print the answer on a line of its own: some peers greet on stdout."""
        print("\n" + json.dumps(self.rows))
