"""The data of the deep rows of Figure 1, as a file holds them.

digits  scikit-learn's own 8 x 8 images: 1,000 for training, 797 for testing
mnist   an .npz with x_train (N, 28, 28), y_train (N,), x_test, y_test
cifar   an .npz with x_train (N, 32, 32, 3), y_train, x_test, y_test; or, in place of x_train, the images as JPEG:
train_jpeg, all bytes of all files, and train_off (N + 1,), where each begins; and test_ likewise
lstm    any text (also .gz), words between blanks and <eos> at the end of a line; the last tenth is the test
"""

from __future__ import annotations

import gzip
import io
import itertools
import zlib
from collections import Counter
from functools import lru_cache
from pathlib import Path as File
from typing import Any

import numpy as np

from theory.deep import tasks
from theory.numerics import load_archive, load_text

TASKS = ("mnist", "cifar", "lstm", "digits")
TRAINING = 1_000  # of scikit-learn's 1,797 digits
VOCABULARY = 10_000


@lru_cache(maxsize=2)
def task(name: str, source: str | None, limit: int | None, interval: int | None) -> Any:
    """The task of this name with the data of the file `source`; ValueError where they are not what it takes.

    limit: at most so many test images, or test words; interval: see `theory.deep.tasks.text`.
    """
    if name == "digits":
        return _digits(limit)
    if source is None:
        raise ValueError(f"data must be given: {name} is not shipped; --data FILE ({_WHAT[name]})")
    if name == "lstm":
        train, test = words(File(source), VOCABULARY)
        return tasks.text(train, test[:limit], vocabulary=VOCABULARY, interval=interval)
    X, y, X_test, y_test = images(File(source))
    try:
        return getattr(tasks, name)(X, y, X_test[:limit], y_test[:limit])
    except ValueError as error:
        raise ValueError(f"data must be {_WHAT[name]}; {source}: {error}") from error


_WHAT = {
    "mnist": "an .npz with x_train, y_train, x_test, y_test",
    "cifar": "an .npz with x_train or train_jpeg and train_off, y_train, and the same of the test set",
    "lstm": "a text, plain or .gz",
}


def _digits(limit: int | None) -> Any:
    from sklearn.datasets import load_digits

    held = load_digits()
    order = np.random.default_rng(0).permutation(len(held.target))
    X, y = held.images[order] / 16, held.target[order]
    return tasks.digits(X[:TRAINING], y[:TRAINING], X[TRAINING:][:limit], y[TRAINING:][:limit])


def images(file: File) -> list[np.ndarray]:
    """x_train, y_train, x_test, y_test of an NPZ; ValueError where one is missing."""
    try:
        held = load_archive(file)
    except (OSError, ValueError) as error:
        raise ValueError(f"data must be an .npz of images; {file}: {error}") from error
    found = []
    for part in ("train", "test"):
        if f"{part}_jpeg" in held and f"{part}_off" in held:
            held[f"x_{part}"] = _decoded(held[f"{part}_jpeg"], held[f"{part}_off"])
        for key in (f"x_{part}", f"y_{part}"):
            if held.get(key) is None:
                raise ValueError(f"data must hold {key}; {file} has {', '.join(sorted(held))}")
            found.append(np.asarray(held[key]))
    return found


def _decoded(data: Any, offsets: Any) -> np.ndarray:
    """Images (N, H, W, 3) out of the bytes of JPEG files that lie one after the other."""
    from PIL import Image

    whole = np.asarray(data).tobytes()
    files = [whole[a:b] for a, b in itertools.pairwise(offsets)]
    return np.stack([np.asarray(Image.open(io.BytesIO(one)).convert("RGB")) for one in files])


def words(file: File, vocabulary: int) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of the words of a text, the first nine tenths and the last one.

    The `vocabulary` most frequent words of the first part, ties in the order of the alphabet, have numbers; the others are
    the number of <unk>, which takes the place of the rarest one. ValueError where the text has fewer different words.
    """
    try:
        raw = gzip.decompress(file.read_bytes()).decode("utf-8") if file.suffix == ".gz" else load_text(file)
        found = io.StringIO(raw, newline=None).read().replace("\n", " <eos> ").split()
    except (OSError, EOFError, zlib.error, ValueError) as error:
        raise ValueError(f"data must be a text; {file}: {error}") from error
    cut = len(found) * 9 // 10
    counts = Counter(found[:cut])
    if len(counts) < vocabulary:
        raise ValueError(
            f"data must be a text with at least {vocabulary:,} different words, the vocabulary; {file} has {len(counts):,}"
        )
    order = sorted(counts, key=lambda word: (-counts[word], word))[:vocabulary]
    if "<unk>" not in order:
        order[-1] = "<unk>"
    number = {word: k for k, word in enumerate(order)}
    other = number["<unk>"]
    ids = np.array([number.get(word, other) for word in found], dtype=np.int32)
    return ids[:cut], ids[cut:]
