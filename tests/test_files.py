"""What may stand in the place of a file, and is never waited for."""

import os
import socket
import tracemalloc

import pytest

from reportgen.files import content_of, opened


def a_pipe(path):
    os.mkfifo(path)


def a_socket(path):
    with socket.socket(socket.AF_UNIX) as end:
        end.bind(os.path.relpath(path))  # an address of a socket is short


def a_device(path):
    path.symlink_to("/dev/zero")


@pytest.mark.parametrize("make", [a_pipe, a_socket, a_device])
def test_what_is_no_file_is_refused_by_what_it_is(tmp_path, monkeypatch, make):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "mapping.yaml"
    make(path)
    kind = make.__name__.replace("_", " ")
    with pytest.raises(OSError, match=f"it is {kind}, not a file") as refused:
        opened(path)
    assert refused.value.filename == str(path)


def test_a_pipe_that_came_since_is_not_waited_for(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.setattr("reportgen.files.refuse_other", lambda path: None)
    with opened(tmp_path / "pipe") as file:
        assert file.read() in {b"", None}


def test_a_file_is_read_up_to_a_size(tmp_path):
    path = tmp_path / "directory.json"
    path.write_bytes(b"12345678")
    assert content_of(path, 8) == b"12345678"
    os.truncate(path, 3 * 1024**2)
    with pytest.raises(OSError, match="it is larger than 2 MiB") as refused:
        content_of(path, 2 * 1024**2)
    assert refused.value.filename == str(path)


def test_a_small_file_takes_little_memory_however_large_it_might_have_been(tmp_path):
    path = tmp_path / "draft.json"
    path.write_bytes(b"x" * 3_000_000)
    tracemalloc.start()
    try:
        assert content_of(path) == b"x" * 3_000_000
        assert tracemalloc.get_traced_memory()[1] < 16_000_000
    finally:
        tracemalloc.stop()
    with pytest.raises(OSError, match="larger than 2 MiB"):
        content_of(path, 2 * 1024 * 1024)
