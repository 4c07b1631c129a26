import subprocess
import sys

import pytest

from engine.adapters.resident import MAPS, Mapping, mappings_of

SMAPS = """\
7f0000000000-7f0000003000 r-xp 00365000 fe:00 11   /lib/libllvmlite.so
Rss:                  12 kB
Anonymous:             0 kB
7f0000003000-7f0000004000 r--p 09677000 fe:00 11   /lib/libllvmlite.so
Rss:                   4 kB
Anonymous:             4 kB
7f0000004000-7f0000006000 rw-p 00000000 00:00 0
Anonymous:             8 kB
7f0000006000-7f0000007000 r-xp 00000000 fe:00 12   /lib/libother.so
Anonymous:             0 kB
"""

ACROSS_A_RELEASE = """
from engine.adapters.resident import COMPILER, MAPS, mappings_of, release_compiler
from engine.warm import warm

def held():
    return sum(one.resident_kb for one in mappings_of(MAPS.read_text(), COMPILER))

warm()
before = held()
release_compiler()
after = held()
warm()
import numba
assert numba.njit(lambda x: x + 1)(1) == 2
print(before, after)
"""


def test_only_the_named_files_ranges_are_found_with_whether_they_differ_from_the_file():
    assert mappings_of(SMAPS, "/libllvmlite") == [
        Mapping(0x7F0000000000, 0x3000, changed=False, resident_kb=12),
        Mapping(0x7F0000003000, 0x1000, changed=True, resident_kb=4),
    ]


def test_a_range_the_system_says_nothing_of_counts_as_changed():
    assert [one.changed for one in mappings_of(SMAPS.split("Rss", maxsplit=1)[0], "/libllvmlite")] == [True]


@pytest.mark.skipif(not MAPS.exists(), reason="this system does not tell what a process has mapped")
def test_a_released_compiler_leaves_memory_and_still_compiles():
    done = subprocess.run([sys.executable, "-c", ACROSS_A_RELEASE], capture_output=True, text=True, check=True)
    before, after = (int(word) for word in done.stdout.split())
    assert after < before / 4
