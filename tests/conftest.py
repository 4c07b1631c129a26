"""Prints the figures of the proof at the end of every session that ran it."""

import os
import shutil
import tempfile

import proof_figures
import pytest

PROOF = pytest.StashKey()
SEEDS_PER_PUSH = 2000


def pytest_configure(config):
    if not hasattr(config, "workerinput") and proof_figures.FOLDER not in os.environ:
        os.environ[proof_figures.FOLDER] = tempfile.mkdtemp(prefix="perpdesk-proof-")
        config.add_cleanup(lambda: shutil.rmtree(os.environ.pop(proof_figures.FOLDER), ignore_errors=True))


def pytest_sessionfinish(session):
    if hasattr(session.config, "workerinput"):
        return
    total = proof_figures.collect(os.environ[proof_figures.FOLDER])
    session.config.stash[PROOF] = total
    if total is not None and total["seeds"] >= SEEDS_PER_PUSH and proof_figures.rarely_hit(total):
        session.exitstatus = 1


def pytest_terminal_summary(terminalreporter, config):
    total = config.stash.get(PROOF, None)
    if total is None:
        return
    terminalreporter.section("proof of live orders")
    for line in proof_figures.lines(total):
        terminalreporter.write_line(line)
    rare = proof_figures.rarely_hit(total)
    if total["seeds"] >= SEEDS_PER_PUSH and rare:
        terminalreporter.write_line(f"FAILED: rows struck less than {proof_figures.LEAST_HITS} times: {rare}", red=True)
