"""How long the verifier of certificates takes: `python benchmarks/certificates.py [--small]`.

Nets of scikit-learn are joined by `halfrect.connect`, and the certificate is verified by the standard library alone. Prints processor
seconds of both and their ratio, and those of refusing the same path with a claim just below its maximum. --small: the first row only.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import math
import tempfile
import time
import warnings
from pathlib import Path

from sklearn.datasets import load_diabetes, load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import scale

import halfrect
from checks import certificates

ROWS = (
    ("diabetes, 16 units, squared", load_diabetes, MLPRegressor, (16,)),
    ("digits, 32 units, cross-entropy", load_digits, MLPClassifier, (32,)),
)


def measured(load, estimator, hidden) -> tuple[halfrect.Connection, float, float, float]:
    """A connection of two nets, and processor seconds to find it, to verify it, and to refuse less."""
    X, y = load(return_X_y=True)
    X, y = (scale(X), scale(y)) if estimator is MLPRegressor else (X / X.max(), y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        nets = [estimator(hidden_layer_sizes=hidden, max_iter=300, random_state=seed).fit(X, y) for seed in (0, 1)]
    start = time.process_time()
    found = halfrect.connect(*nets, X, y, rng=0)
    seconds = [time.process_time() - start]
    with (
        tempfile.TemporaryDirectory() as folder,
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
    ):
        file = Path(folder) / "path.json"
        for upper, status in ((found.maximum.upper, 0), (math.nextafter(found.maximum.value * (1 - 1e-9), 0), 1)):
            certificates.save(file, found.risk, found.path, upper)
            start = time.process_time()
            if certificates.main([str(file)]) != status:
                raise ArithmeticError(f"the verifier must return {status}")
            seconds.append(time.process_time() - start)
    return found, seconds[0], seconds[1], seconds[2]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", action="store_true", help="the first row only")
    options = parser.parse_args()
    print(f"{'':36}{'pieces':>8}{'connect':>9}{'verify':>9}{'ratio':>8}{'refuse':>9}")
    for name, *row in ROWS[:1] if options.small else ROWS:
        found, connect, verify, refuse = measured(*row)
        print(
            f"{name:36}{len(found.path):8}{connect:9.2f}{verify:9.2f}{verify / connect:8.2f}{refuse:9.2f}", flush=True
        )


if __name__ == "__main__":
    main()
