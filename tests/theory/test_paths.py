"""Paths: geometry, concatenation, files, and that every bad argument and every corrupt file is refused."""

import io
import os
import pickle
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as hst
from hypothesis.extra.numpy import arrays

from checks.strategies import numbers
from theory.paths import Path


@hst.composite
def paths(draw, parameters=3, start=None):
    points = draw(arrays(float, (draw(hst.integers(1, 6)), parameters), elements=numbers()))
    if start is not None:
        points[0] = start
    if draw(hst.booleans()) and len(points) > 2:
        points[1] = points[0]  # a piece of length zero
    text = hst.text(hst.characters(codec="utf-8", exclude_characters="\0"), max_size=5)
    labels = draw(hst.lists(text, min_size=len(points) - 1, max_size=len(points) - 1))
    return Path(points, tuple(labels))


def same(p, q):
    return np.array_equal(p.points, q.points) and p.labels == q.labels


@given(paths())
def test_a_path_starts_ends_and_passes_at_its_vertices(path):
    assert np.array_equal(path.at(0.0), path.points[0])
    assert np.array_equal(path.at(1.0), path.points[-1])
    for k in range(len(path)):
        # t * pieces may round to just beside the vertex: within a few roundings of the longest piece
        assert np.allclose(path.at(k / len(path)), path.points[k], rtol=0, atol=1e-12)


@given(paths(), hst.lists(hst.floats(0, 1), max_size=4))
def test_an_array_of_times_gives_an_array_of_points_on_the_path(path, times):
    points = path.at(np.array(times))
    assert points.shape == (len(times), 3)
    for t, point in zip(times, points):
        assert np.array_equal(path.at(t), point)
        if len(path):
            k = min(int(t * len(path)), len(path) - 1)
            a, b = path.points[k : k + 2]
            assert np.linalg.norm(point - a) + np.linalg.norm(point - b) == pytest.approx(
                np.linalg.norm(a - b), abs=1e-12
            )


@given(paths())
def test_reversing_keeps_the_length_and_undoes_itself(path):
    assert path.reversed().length == pytest.approx(path.length, rel=1e-14)
    assert same(path.reversed().reversed(), path)
    assert np.allclose(path.reversed().at(0.3), path.at(0.7), rtol=0, atol=1e-12)


@given(paths(), hst.data())
def test_concatenation_adds_lengths_and_is_associative(p, data):
    q = data.draw(paths(start=p.points[-1]))
    r = data.draw(paths(start=q.points[-1]))
    joined = p + q
    assert len(joined) == len(p) + len(q)
    assert joined.length == pytest.approx(p.length + q.length, rel=1e-14)
    assert same(joined + r, p + (q + r))


@given(paths())
def test_no_path_is_shorter_than_straight(path):
    assert path.normalised_length >= 1 - 1e-14


def test_degenerate_lengths():
    point, loop = Path([[1.0, 2.0]]), Path([[0.0], [1.0], [0.0]])
    assert (len(point), point.length, point.normalised_length) == (0, 0.0, 1.0)
    assert np.array_equal(point.at([0.0, 0.5]), [[1, 2], [1, 2]])
    assert loop.normalised_length == np.inf
    assert Path([[0.0], [0.0]]).normalised_length == 1.0
    assert point.labels == ()
    assert loop.labels == ("", "")


@given(paths())
def test_saving_and_loading_gives_the_same_path(path):
    stream = io.BytesIO()
    path.save(stream)
    stream.seek(0)
    assert same(Path.load(stream), path)


def test_saving_to_a_file(tmp_path):
    path = Path([[0.0, 1.0], [2.0, 3.0]], ["refit, layer 2"])
    for name in ("p.npz", "p", "run.1", "p.NPZ"):  # as it is: nothing is added
        path.save(tmp_path / name)
        path.save(str(tmp_path / name))
        assert same(Path.load(tmp_path / name), path)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["p", "p.NPZ", "p.npz", "run.1"]


def test_points_are_copied_and_frozen():
    points = np.zeros((2, 2))
    path = Path(points)
    points[0] = 5
    assert not path.points.any()
    with pytest.raises(ValueError, match="read-only"):
        path.points[0] = 1


STRAIGHT = Path([[0.0, 0.0], [1.0, 1.0]])


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda: Path(np.zeros((0, 2))), "points"),
        (lambda: Path(np.zeros((2, 0))), "points"),
        (lambda: Path(np.zeros(3)), "points"),
        (lambda: Path([[0.0, np.nan]]), "points"),
        (lambda: Path([[0.0], [0.0, 1.0]]), "points"),
        (lambda: Path(np.zeros((2, 2)), ["a", "b"]), "labels"),
        (lambda: Path(np.zeros((2, 2)), "a"), "labels"),
        (lambda: STRAIGHT.at(1.1), "t"),
        (lambda: STRAIGHT.at([0.0, -0.1]), "t"),
        (lambda: STRAIGHT.at(np.nan), "t"),
        (lambda: STRAIGHT + Path([[1.0, 1.1]]), "the second path"),
        (lambda: STRAIGHT + Path([[1.0]]), "paths"),
    ],
)
def test_a_bad_argument_is_named(call, name):
    with pytest.raises(ValueError, match=f"^{name} "):
        call()


def test_adding_something_else_is_a_type_error():
    with pytest.raises(TypeError):
        STRAIGHT + [[1.0, 1.0]]


class Harmful:
    def __reduce__(self):
        return (pytest.fail, ("a pickle was loaded",))


def archive(**arrays):
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()


def with_member(name, content):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as target:
        target.writestr("points.npy", npy(np.zeros((2, 2))))
        target.writestr(name, content)
    return stream.getvalue()


def npy(array):
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=True)
    return stream.getvalue()


GOOD = {"points": np.zeros((2, 2)), "labels": np.array(["a"])}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not a path",
        b"PK\x03\x04 and then nothing",
        pickle.dumps(Harmful()),
        npy(np.zeros((2, 2))),
        archive(points=np.zeros((2, 2))),
        archive(labels=np.array(["a"])),
        archive(**{**GOOD, "points": np.full((2, 2), np.nan)}),
        archive(**{**GOOD, "points": np.zeros(4)}),
        archive(**{**GOOD, "points": np.array([["x", "y"], ["z", "w"]])}),
        archive(**{**GOOD, "labels": np.array(["a", "b"])}),
        archive(**{**GOOD, "labels": np.array([1.0])}),
        archive(**{**GOOD, "labels": np.array("a")}),
        with_member("labels.npy", npy(np.array([Harmful()]))),
        with_member("labels.npy", npy(np.array(["a"]))[:-2]),
        with_member("labels.npy", b"\x93NUMPY\x01\x00\xff\xff"),
        with_member("labels", b"raw"),
    ],
)
def test_a_file_that_is_no_path_is_refused(content):
    with pytest.raises(ValueError):  # noqa: PT011 the message depends on what is wrong
        Path.load(io.BytesIO(content))


@given(hst.integers(0, 1000), hst.integers(0, 255), hst.integers(0, 300))
def test_a_damaged_file_gives_a_path_or_a_value_error(place, byte, cut):
    stream = io.BytesIO()
    Path(np.arange(12.0).reshape(4, 3), ["a", "b", "c"]).save(stream)
    content = bytearray(stream.getvalue())
    content[place % len(content)] = byte
    damaged = io.BytesIO(bytes(content[: len(content) - (cut if cut < 150 else 0)]))
    try:
        path = Path.load(damaged)
    except ValueError:
        return
    assert np.isfinite(path.points).all()


def test_a_missing_file_is_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        Path.load(tmp_path / "absent.npz")


def test_lengths_neither_overflow_nor_underflow():
    for scale in (1e-300, 1e-200, 1.0, 1e200):
        path = Path(scale * np.array([[0.0, 0.0], [3.0, 4.0], [3.0, 0.0]]))
        assert abs(path.length / scale - 9) < 1e-12
        assert abs(path.normalised_length - 3) < 1e-12


def test_labels_that_are_no_sequence_are_refused_by_name():
    with pytest.raises(ValueError, match="labels"):
        Path(np.zeros((3, 2)), 5)


@pytest.mark.parametrize("file", [None, 3.5, [], object()])
def test_what_names_no_file_is_a_value_error(file):
    path = Path([[0.0], [1.0]])
    for use in (path.save, Path.load):
        with pytest.raises(ValueError, match="file must be the name of a file"):
            use(file)


def test_names_in_bytes_are_names_and_a_device_is_no_archive(tmp_path):
    path, file = Path([[0.0], [1.0]]), os.fsencode(tmp_path / "p.npz")
    path.save(file)
    assert np.array_equal(Path.load(file).points, path.points)
    if os.path.exists("/dev/zero"):  # it has no end
        with pytest.raises(ValueError, match="not a regular file"):
            Path.load("/dev/zero")
