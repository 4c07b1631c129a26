"""The Disk port over a real directory, and the lock of a desk."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine.adapters.disk import DirectoryDisk
from engine.adapters.lock import DeskLock, LockHeldError
from engine.adapters.memory_disk import MemoryDisk
from engine.ports import DiskError


@pytest.fixture(params=["directory", "memory"])
def disk(request, tmp_path):
    return DirectoryDisk(tmp_path / "data") if request.param == "directory" else MemoryDisk()


def test_both_disks_speak_the_port_alike(disk):
    assert disk.read("a/x.log") == b""
    assert list(disk.names("a/")) == []
    disk.append("a/x.log", b"one")
    disk.append("a/x.log", b"two")
    disk.sync("a/x.log")
    assert disk.read("a/x.log") == b"onetwo"
    disk.truncate("a/x.log", 4)
    disk.append("a/x.log", b"!")
    assert disk.read("a/x.log") == b"onet!"
    disk.replace("a/y.log", b"new")
    disk.replace("a/y.log", b"newer")
    disk.rename("a/x.log", "a/z.log")
    disk.append("b", b"1")
    assert list(disk.names("a/")) == ["a/y.log", "a/z.log"]
    assert list(disk.names("a/y")) == ["a/y.log"]
    assert list(disk.names("")) == ["a/y.log", "a/z.log", "b"]
    disk.append("a/x.log", b"again")
    assert disk.read("a/x.log") == b"again"
    disk.remove("a/x.log")
    disk.remove("a/x.log")
    assert disk.read("a/x.log") == b""
    with pytest.raises(DiskError, match="missing"):
        disk.rename("missing", "other")


def test_files_and_folders_are_private(tmp_path):
    mask = os.umask(0)
    try:
        disk = DirectoryDisk(tmp_path / "data")
        disk.append("a/x", b"1")
        disk.replace("a/y", b"2")
    finally:
        os.umask(mask)
    assert (tmp_path / "data" / "a").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "data" / "a" / "x").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "data" / "a" / "y").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("operation", ["append", "read", "sync"])
def test_symbolic_links_are_not_followed(tmp_path, operation):
    (tmp_path / "secret").write_bytes(b"outside")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "x").symlink_to(tmp_path / "secret")
    disk = DirectoryDisk(tmp_path / "data")
    arguments = ("x", b"1") if operation == "append" else ("x",)
    with pytest.raises(DiskError, match=f"cannot {operation}"):
        getattr(disk, operation)(*arguments)
    assert (tmp_path / "secret").read_bytes() == b"outside"


@pytest.mark.parametrize("name", ["../x", "a/../../x", "/etc/passwd"])
def test_names_cannot_leave_the_directory(tmp_path, name):
    with pytest.raises(DiskError, match="not a name inside"):
        DirectoryDisk(tmp_path).append(name, b"1")


def test_a_refusal_names_operation_path_and_reason(tmp_path):
    (tmp_path / "x").write_bytes(b"a file, not a folder")
    with pytest.raises(DiskError, match=r"cannot append to .*x/y: (Not a directory|File exists)"):
        DirectoryDisk(tmp_path).append("x/y", b"1")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_a_disk_error(tmp_path):
    disk = DirectoryDisk(tmp_path)
    disk._open["x"] = os.open("/dev/full", os.O_WRONLY)
    with pytest.raises(DiskError, match="No space left on device"):
        disk.append("x", b"1")
    disk.close()


def test_a_power_cut_keeps_only_what_was_synced():
    disk = MemoryDisk()
    disk.append("x", b"safe")
    disk.sync("x")
    disk.append("x", b"lost")
    disk.append("y", b"never")
    disk.crash(keep_unsynced=2)
    assert disk.read("x") == b"safelo"
    disk.crash()
    assert disk.read("x") == b"safe"
    assert list(disk.names("")) == ["x"]


def test_a_lock_excludes_a_second_desk_and_ends_with_the_first(tmp_path):
    lock = DeskLock(tmp_path / "desk.lock")
    with pytest.raises(LockHeldError, match=f"process {os.getpid()}"):
        DeskLock(tmp_path / "desk.lock")
    lock.release()
    lock.release()
    DeskLock(tmp_path / "desk.lock").release()
