"""A followed file, looked at step by step; the thread that looks is left to the tests of a hub."""

import copy
import gc
import logging
import os
import threading
import time
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from hub_extensions.live_file import LiveFile
from hub_extensions.mistakes import Mistake, SettingsError

LOG = logging.getLogger("followed")


def checked(content: bytes) -> str:
    text = content.decode()
    if text == "broken":
        raise ZeroDivisionError
    if "bad" in text:
        raise SettingsError([Mistake("a", "is bad."), Mistake("b", "is bad too.")], "the file")
    return text


def followed(path: Path, seconds: float = 3600) -> LiveFile[str]:
    content = path.read_bytes()
    return LiveFile(path, content, checked(content), checked, LOG, seconds)


def looked(file: LiveFile[str]) -> str:
    """What is in use once a change has been seen and found to be whole."""
    file.look()
    file.look()
    return file()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    written = tmp_path / "hub.yaml"
    written.write_text("one")
    return written


def test_a_new_version_is_used_when_it_is_the_same_at_two_looks(path: Path) -> None:
    file = followed(path)
    assert looked(file) == "one"
    path.write_text("tw")
    file.look()
    path.write_text("two")
    file.look()
    assert file() == "one"
    file.look()
    assert file() == "two"


def test_a_bad_version_leaves_the_last_good_one_in_use_and_is_told_once(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    file = followed(path)
    path.write_text("bad")
    assert looked(file) == looked(file) == "one"
    assert (file.refused, file.is_current) == (1, False)
    [told] = [record for record in caplog.records if record.levelname == "ERROR"]
    assert told.getMessage().splitlines()[1:] == ["the file: 2 mistakes", "  a: is bad.", "  b: is bad too."]
    path.write_text("good")
    assert looked(file) == "good"
    assert (file.refused, file.is_current) == (1, True)


@pytest.mark.parametrize("bad", ["", "broken", "bad"])
def test_what_was_in_use_is_current_again_when_it_comes_back(path: Path, bad: str) -> None:
    file = followed(path)
    if bad:
        path.write_text(bad)
    else:
        path.unlink()
    assert looked(file) == "one"
    assert not file.is_current
    path.write_text("one")
    assert looked(file) == "one"
    assert (file.refused, file.is_current) == (1, True)


def test_touching_a_file_changes_nothing(path: Path) -> None:
    def never(content: bytes) -> str:
        raise AssertionError(content)

    file = LiveFile(path, b"one", "one", never, LOG, 3600)
    os.utime(path, (0, 0))
    assert looked(file) == "one"
    assert file.refused == 0


def test_the_files_of_a_config_map_are_swapped_by_a_link(tmp_path: Path) -> None:
    def put(version: str, text: str) -> None:
        folder = tmp_path / version
        folder.mkdir()
        (folder / "live.yaml").write_text(text)
        os.utime(folder / "live.yaml", (0, 0))
        (tmp_path / "..new").symlink_to(version)
        (tmp_path / "..new").rename(tmp_path / "..data")

    put("..1", "one")
    (tmp_path / "live.yaml").symlink_to("..data/live.yaml")
    file = followed(tmp_path / "live.yaml")
    put("..2", "two")
    assert looked(file) == "two"
    put("..3", "bad")
    assert looked(file) == "two"


def test_a_copy_of_a_configuration_has_the_same_file(path: Path) -> None:
    file = followed(path)
    assert copy.deepcopy({"traits": [file]})["traits"][0] is file


def test_nothing_is_done_before_the_first_use_and_the_thread_ends_with_the_hub(path: Path) -> None:
    def followers() -> int:
        return sum(thread.name == "live-file" for thread in threading.enumerate())

    before = followers()
    file = followed(path, 0.01)
    assert followers() == before
    file()
    path.write_text("two")
    until = time.monotonic() + 20
    while file() != "two" and time.monotonic() < until:
        time.sleep(0.01)
    assert file() == "two"
    assert followers() == before + 1
    del file
    gc.collect()
    while followers() > before and time.monotonic() < until:
        time.sleep(0.01)
    assert followers() == before


def test_metrics_tell_how_many_versions_were_refused_and_whether_one_is_in_use(path: Path) -> None:
    file = followed(path)
    file()
    path.write_text("bad")
    looked(file)
    assert REGISTRY.get_sample_value("hub_extensions_live_file_refused_total") == 1
    assert REGISTRY.get_sample_value("hub_extensions_live_file_current") == 0
