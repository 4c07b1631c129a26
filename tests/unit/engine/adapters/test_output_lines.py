"""Lines for readers that are slow, gone or hang."""

import os
import subprocess
import sys

import pytest

from engine.adapters.output import OutputLines


@pytest.fixture
def pipes():
    """Two pipes as (reading end, writing end): stdout, stderr."""
    made = [os.pipe(), os.pipe()]
    yield made
    for end in {end for pair in made for end in pair}:
        try:
            os.close(end)
        except OSError:
            continue


def lines_on(pipes, **more):
    return OutputLines(stdout=pipes[0][1], stderr=pipes[1][1], **more)


def test_data_and_talk_go_to_their_own_stream_in_order(pipes):
    lines = lines_on(pipes)
    for number in range(3):
        lines.data(f"d{number}")
        lines.talk(f"t{number} \N{HIGH VOLTAGE SIGN}")
    assert lines.close()
    assert os.read(pipes[0][0], 1000) == b"d0\nd1\nd2\n"
    assert os.read(pipes[1][0], 1000).decode() == "t0 \u26a1\nt1 \u26a1\nt2 \u26a1\n"


def test_a_reader_of_the_data_that_left_is_told_of_and_the_talk_goes_on(pipes):
    lines = lines_on(pipes)
    os.close(pipes[0][0])
    lines.data("nobody reads this")
    lines.data("nor this")
    lines.talk("still here")
    assert lines.close()
    assert lines.broken == {pipes[0][1]}
    told = os.read(pipes[1][0], 1000).decode()
    assert "still here\n" in told
    assert told.count("stdout is gone (Broken pipe); the engine goes on without it") == 1


def test_a_reader_that_hangs_costs_lines_and_never_the_writer(pipes):
    lines = lines_on(pipes, capacity=50)
    long = "x" * 10_000
    for _ in range(200):
        lines.data(long)
    assert lines.dropped >= 100
    assert not lines.close(0.1)
    os.close(pipes[0][0])  # the thread must end before its descriptors are given to somebody else
    while not lines.close(0.1):
        continue


def test_a_program_whose_terminal_is_gone_ends_with_its_own_exit_code():
    code = """
import os, pty, sys
sys.path.insert(0, os.getcwd())
from engine.adapters.output import abandon_terminal
master, slave = pty.openpty()
for stream in (0, 1, 2):
    os.dup2(slave, stream)
os.close(slave)
os.close(master)
try:
    sys.stdout.write("lost"); sys.stdout.flush()
except OSError:
    abandon_terminal()
    print("nobody reads this")
    sys.exit(3)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 3


def test_abandoning_the_terminal_leaves_pipes_alone():
    code = "from engine.adapters.output import abandon_terminal; abandon_terminal(); print('heard')"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "heard\n"
