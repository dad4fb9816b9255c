"""Files of others: every reader refuses a device, which may have no end, and reads a pipe, which has one."""

import json
import os
import threading

import pytest

from checks import certificates, clusters
from checks.certificates import verify
from figures import _deep_data as deep_data
from theory.numerics import load_archive, load_text

DEVICES = [name for name in ("/dev/zero", "/dev/full", "/dev/null") if os.path.exists(name)]
READERS = {
    "text": load_text,
    "archive": load_archive,
    "certificate": certificates.load,
    "verifier": verify.read,
    "scheduler": clusters._written,
}


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("reader", READERS)
def test_no_reader_follows_a_device(reader, device):
    with pytest.raises(ValueError, match=r"device|regular file"):
        READERS[reader](device)


@pytest.mark.parametrize("device", DEVICES)
def test_no_words_come_from_a_device(device):
    with pytest.raises(ValueError, match=r"data must be a text.*device"):
        deep_data.words(deep_data.File(device), 4)


def test_a_pipe_is_read_and_what_is_not_utf_8_is_a_value_error(tmp_path):
    pipe, words = tmp_path / "pipe", json.dumps({"address": "tcp://host:8786"})
    if not hasattr(os, "mkfifo"):
        pytest.skip("no pipes with names here")
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=(words,))
    writer.start()
    assert load_text(pipe) == words
    writer.join()
    (tmp_path / "latin").write_bytes(b"\xe9")
    with pytest.raises(ValueError, match="utf-8"):
        load_text(tmp_path / "latin")
    with pytest.raises(OSError, match="No such file"):
        load_text(tmp_path / "none")
