"""A coverage-guided fuzzer over every decoder of the venue's client; `make test-long` runs it for a minute.

By hand: `python tests/fuzz/fuzz_decoders.py -max_total_time=600 CORPUS`. A crash leaves its input behind.
"""

import sys
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

with atheris.instrument_imports(include=["exchange.binance"]):
    from wire_decoders import decoders, samples

from exchange.errors import DecodeError

NAMES = sorted(decoders())


def one_input(data):
    """The first byte chooses the decoder, the rest is what a venue might have sent."""
    if len(data) < 2:
        return
    try:
        decoders()[NAMES[data[0] % len(NAMES)]](data[1:])
    except DecodeError as refusal:
        if not str(refusal).isprintable():
            raise AssertionError("a refusal holds characters that a terminal would obey") from refusal


def write_corpus(folder):
    """Begin with true answers, each before every decoder of its likely kind."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, body in enumerate(samples()):
        for choice in range(len(NAMES)):
            (folder / f"{number:03d}-{choice:02d}").write_bytes(bytes((choice,)) + body)


if __name__ == "__main__":
    write_corpus(Path(sys.argv[-1]))
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
