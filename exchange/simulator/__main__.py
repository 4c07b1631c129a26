"""The simulated venue as a child process: its options come as one JSON argument.

A desk starts it this way; people use `perpdesk exchange`.
"""

from __future__ import annotations

import sys

import msgspec

from exchange.simulator.main import RunOptions, run_exchange

if __name__ == "__main__":
    sys.exit(run_exchange(msgspec.json.decode(sys.argv[1], type=RunOptions)))
