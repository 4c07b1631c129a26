"""Blocks of a recording: what a cut and a flipped bit cost."""

import pytest

from engine.inputs.framing import MARK, BlockReader, block
from engine.inputs.records import InputsError

FIRST, SECOND, THIRD = block([b"one", b""]), block([b"two" * 1000]), block([b"three"])
WHOLE = MARK + FIRST + SECOND + THIRD


def read(data):
    reader = BlockReader(data)
    return list(reader.records()), reader.tail


def test_every_record_of_every_block_comes_back():
    assert read(WHOLE) == ([b"one", b"", b"two" * 1000, b"three"], None)


@pytest.mark.parametrize("cut", range(1, len(THIRD)))
def test_a_cut_costs_the_block_it_is_in(cut):
    kept, tail = read(WHOLE[:-cut])
    assert kept == [b"one", b"", b"two" * 1000]
    assert tail == (len(MARK) + len(FIRST) + len(SECOND), len(THIRD) - cut, True)


@pytest.mark.parametrize("place", range(len(SECOND)))
def test_nothing_behind_a_flipped_bit_is_believed(place):
    data = bytearray(WHOLE)
    data[len(MARK) + len(FIRST) + place] ^= 1
    kept, tail = read(bytes(data))
    assert kept == [b"one", b""]
    assert tail is not None
    assert not tail.torn


def test_a_file_of_another_kind_is_refused():
    with pytest.raises(InputsError, match="--record-inputs"):
        BlockReader(b"PAR1")
