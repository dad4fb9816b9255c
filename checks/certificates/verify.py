"""Verify a certificate in exact rational arithmetic. Standard library only; shares no code with the rest.

    python -m checks verify FILE        (or: python verify.py FILE)

The file claims that a risk never exceeds `upper` along a polyline of parameter vectors. Every number in it is a
float64, hence a fraction. For each straight piece theta(t), 0 <= t <= 1, one of two arguments is used:

1. One matrix moves and everything after it is linear. Then outputs are affine in t, the risk is convex, and its two
   ends decide. (Rows into units whose outgoing weights are zero at both ends do not count: nothing sees them.)
2. One hidden layer of relu or identity units, squared loss. A relu switches at most once per sample, at a fraction t;
   between switches the risk is a polynomial of degree 4 in t. It is compared with `upper` in Bernstein form: a
   polynomial on an interval is at most its largest Bernstein coefficient; where that does not decide, halve.

Exit status 0: verified. 1: refused, naming the piece and the value that break the claim. 2: not a certificate.
141: who reads the output closed the pipe.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import sys
from fractions import Fraction

FORMAT = "halfrect certificate 1"
USAGE = (
    "usage: verify FILE ...: verify certificates in rational arithmetic; 0: verified, 1: refused, 2: not a certificate"
)
HALVINGS = 200  # of a piece's t: a cell of 2^-200 that is undecided touches the bound, and no more halving would tell


class Refused(Exception):
    """The claim is false, or this program has no argument for it."""


def matrices(net, theta):
    """W_1, ..., W_K (lists of rows) of a flat parameter vector: each row-major, the bias as last column."""
    weights, start = [], 0
    for before, after in itertools.pairwise(net["widths"]):
        columns = before + net["bias"]
        weights.append([theta[start + i * columns : start + (i + 1) * columns] for i in range(after)])
        start += after * columns
    return weights


def dot(u, v):
    """The sum of u_i v_i."""
    return sum((a * b for a, b in zip(u, v)), Fraction(0))


def value(problem, theta):
    """The risk at theta, exactly."""
    net, risk, sample = problem["network"], problem["risk"], problem["sample"]
    weights, one = matrices(net, theta), [Fraction(1)] * net["bias"]
    total = Fraction(0)
    for x, y, weight in zip(sample["X"], sample["Y"], sample["weights"]):
        h = x
        for k, W in enumerate(weights):
            h = [dot(row, h + one) for row in W]
            if (net["activation"] if k < len(weights) - 1 else net["output"]) == "relu":
                h = [max(z, Fraction(0)) for z in h]
        residual = [a - b for a, b in zip(h, y)]
        total += weight * sum(r * r if risk["loss"] == "squared" else abs(r) for r in residual)
    if risk["penalty"] == "ridge":
        total += risk["kappa"] * dot(theta, theta)
    elif risk["penalty"] == "second_layer_l1":
        total += risk["kappa"] * sum(abs(v) for row in weights[1] for v in row)
    return total


def is_convex(net, start, end):
    """Argument 1: at most one matrix moves, rows into idle units apart, and all that follows it is linear."""
    moving, a, b = [], matrices(net, start), matrices(net, end)
    for k in range(len(a)):
        for unit, (row_a, row_b) in enumerate(zip(a[k], b[k])):
            idle = k + 1 < len(a) and all(row[unit] == 0 for W in (a[k + 1], b[k + 1]) for row in W)
            if row_a != row_b and not idle:
                moving.append(k)
    linear_above = not moving or moving[0] == len(a) - 1 or net["activation"] == "identity"
    return net["output"] == "identity" and len(set(moving)) <= 1 and linear_above


def times(p, q):
    """The product of polynomials, coefficients ascending."""
    product = [Fraction(0)] * (len(p) + len(q) - 1)
    for i, a in enumerate(p):
        for j, b in enumerate(q):
            product[i + j] += a * b
    return product


def add(p, q):
    """The sum of polynomials, coefficients ascending."""
    size = max(len(p), len(q))
    p, q = (r + [Fraction(0)] * (size - len(r)) for r in (p, q))
    return [a + b for a, b in zip(p, q)]


def evaluate(p, t):
    """The polynomial p at t."""
    total = Fraction(0)
    for c in reversed(p):
        total = total * t + c
    return total


def switches(problem, start, end):
    """All t in (0, 1) where a pre-activation, or an outgoing weight under the l1 penalty, changes sign."""
    net, one = problem["network"], [Fraction(1)] * problem["network"]["bias"]
    (W_a, V_a), (W_b, V_b) = matrices(net, start), matrices(net, end)
    pairs = []
    if net["activation"] == "relu":
        for x in problem["sample"]["X"]:
            pairs += [(dot(a, x + one), dot(b, x + one)) for a, b in zip(W_a, W_b)]
    if problem["risk"]["penalty"] == "second_layer_l1":
        pairs += [pair for a, b in zip(V_a, V_b) for pair in zip(a, b)]
    return sorted({a / (a - b) for a, b in pairs if a * b < 0})


def quartic(problem, start, end, middle):
    """The risk on the piece between two switches that contains `middle`, as a polynomial in t."""
    net, risk, sample = problem["network"], problem["risk"], problem["sample"]
    affine = matrices(net, [[a, b - a] for a, b in zip(start, end)])  # entries are polynomials
    one = [Fraction(1)] * net["bias"]
    total = [Fraction(0)]
    for x, y, weight in zip(sample["X"], sample["Y"], sample["weights"]):
        hidden = []
        for row in affine[0]:
            z = [Fraction(0), Fraction(0)]
            for p, v in zip(row, x + one):
                z = add(z, [c * v for c in p])
            off = net["activation"] == "relu" and evaluate(z, middle) <= 0
            hidden.append([Fraction(0)] if off else z)
        for row, target in zip(affine[1], y):
            residual = [-target]
            for p, h in zip(row, hidden + [[c] for c in one]):
                residual = add(residual, times(p, h))
            total = add(total, [weight * c for c in times(residual, residual)])
    if risk["penalty"] == "ridge":
        for W in affine:
            for row in W:
                for p in row:
                    total = add(total, [risk["kappa"] * c for c in times(p, p)])
    elif risk["penalty"] == "second_layer_l1":
        for row in affine[1]:
            for p in row:
                sign = 1 if evaluate(p, middle) >= 0 else -1
                total = add(total, [sign * risk["kappa"] * c for c in p])
    return total


def exceeds(polynomial, lo, hi, upper):
    """None when polynomial <= upper on [lo, hi]; else a value above it that the polynomial attains there."""
    p = polynomial + [Fraction(0)] * (5 - len(polynomial))
    q = [Fraction(0)]  # p(lo + (hi - lo) s), by Horner
    for c in reversed(p):
        q = add(times(q, [lo, hi - lo]), [c])
    a, b, c, d, e = q[:5]
    cells = [([a, a + b / 4, a + b / 2 + c / 6, a + 3 * b / 4 + c / 2 + d / 4, a + b + c + d + e], HALVINGS)]
    while cells:
        cell, halvings = cells.pop()
        if max(cell[0], cell[-1]) > upper:
            return max(cell[0], cell[-1])
        if max(cell) > upper:
            if halvings == 0:
                raise Refused("too close to call: the risk touches the claim; claim a slightly larger bound")
            left, right = [cell[0]], [cell[-1]]
            while len(cell) > 1:
                cell = [(u + v) / 2 for u, v in itertools.pairwise(cell)]
                left.append(cell[0])
                right.append(cell[-1])
            cells += [(left, halvings - 1), (right[::-1], halvings - 1)]
    return None


def check_piece(problem, start, end, upper):
    """Raise Refused unless the risk is <= upper on the straight piece; says which argument was used."""
    net, risk = problem["network"], problem["risk"]
    for name, theta in (("start", start), ("end", end)):
        at = value(problem, theta)
        if at > upper:
            raise Refused(f"the risk at its {name} is {decimal(at)}")
    if start == end or is_convex(net, start, end):
        return "convex"
    exact = len(net["widths"]) == 3 and net["output"] == "identity" and risk["loss"] == "squared"
    if not exact:
        raise Refused("more than one matrix moves, and the net is not one hidden layer under squared loss: no argument")
    knots = [Fraction(0), *switches(problem, start, end), Fraction(1)]
    for lo, hi in itertools.pairwise(knots):
        found = exceeds(quartic(problem, start, end, (lo + hi) / 2), lo, hi, upper)
        if found is not None:
            raise Refused(f"the risk reaches {decimal(found)} for t in [{float(lo):.6g}, {float(hi):.6g}]")
    return "quartic"


def decimal(number):
    """A fraction in a message, also one beyond the floats."""
    try:
        return repr(float(number))
    except OverflowError:
        return (
            f"{'-' if number < 0 else ''}2^{abs(number.numerator).bit_length() - number.denominator.bit_length()} or so"
        )


def fraction(number):
    """A float64 as a fraction; ValueError for anything else, NaN, infinity and integers between the floats included."""
    if type(number) not in (int, float) or not abs(number) <= sys.float_info.max or float(number) != number:
        raise ValueError(f"{number!r:.40} is not a float64")
    return Fraction(number)


def table(rows, columns, name):
    """A list of lists of `columns` numbers each, as fractions."""
    if not isinstance(rows, list) or not all(isinstance(row, list) and len(row) == columns for row in rows):
        raise ValueError(f"{name} must be a list of lists of {columns} numbers")
    return [[fraction(v) for v in row] for row in rows]


def once(pairs):
    """A JSON object, each key of which occurs once: a document that says two things claims neither."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key occurs twice")
    return found


def read(file):
    """The problem with all numbers as fractions, and whether its checksum fits."""
    with open(file, encoding="utf-8") as stream:
        document = json.load(stream, object_pairs_hook=once)
    if not isinstance(document, dict) or document.pop("format", None) != FORMAT:
        raise ValueError(f"the field format is not {FORMAT!r}")
    claimed = document.pop("sha256", None)
    text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    intact = claimed == hashlib.sha256(text.encode()).hexdigest()
    net, risk, sample = document["network"], document["risk"], document["sample"]
    widths = net["widths"]
    if not isinstance(widths, list) or len(widths) < 2 or not all(type(n) is int and n > 0 for n in widths):
        raise ValueError("network: widths must be at least two positive integers")
    if not isinstance(net["bias"], bool):
        raise ValueError("network: bias must be true or false")
    if not {net["activation"], net["output"]} <= {"relu", "identity"}:
        raise ValueError(f"rational arithmetic knows relu and identity, not {net['activation']!r} or {net['output']!r}")
    if risk["loss"] not in ("squared", "absolute") or risk["penalty"] not in (None, "ridge", "second_layer_l1"):
        raise ValueError(f"unknown loss {risk['loss']!r} or penalty {risk['penalty']!r}")
    if risk["penalty"] == "second_layer_l1" and len(widths) != 3:
        raise ValueError("the penalty second_layer_l1 is for one hidden layer")
    risk["kappa"], document["upper"] = fraction(risk["kappa"]), fraction(document["upper"])
    if risk["kappa"] < 0 or (risk["kappa"] > 0 and risk["penalty"] is None):
        raise ValueError("kappa must be nonnegative, and zero without a penalty")
    size = sum(after * (before + net["bias"]) for before, after in itertools.pairwise(widths))
    document["path"]["points"] = table(document["path"]["points"], size, "points")
    sample["X"], sample["Y"] = table(sample["X"], widths[0], "X"), table(sample["Y"], widths[-1], "Y")
    sample["weights"] = [fraction(v) for v in sample["weights"]]
    if not document["path"]["points"]:
        raise ValueError("the path has no vertex")
    if not len(sample["X"]) == len(sample["Y"]) == len(sample["weights"]) > 0 or min(sample["weights"]) < 0:
        raise ValueError("sample: X, Y and nonnegative weights must have the same positive length")
    if abs(sum(sample["weights"]) - 1) > len(sample["weights"]) * Fraction(
        1, 2**50
    ):  # the rounding of a division by it
        raise ValueError("sample: weights must sum to one")
    return document, intact


def main(arguments):
    """Verify each file; returns the exit status."""
    if not arguments or any(a.startswith("-") for a in arguments):
        print(__doc__ or USAGE, file=sys.stderr if not {"-h", "--help"} & set(arguments) else sys.stdout)
        return 0 if {"-h", "--help"} & set(arguments) else 2
    worst = 0
    for file in arguments:
        name = "".join(c if c.isprintable() else "?" for c in file)
        try:
            problem, intact = read(file)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
            reason = getattr(error, "strerror", None) or f"{type(error).__name__}: {error}"
            print(f"{name}: not a certificate: {reason:.200}", file=sys.stderr)
            worst = 2
            continue
        points, upper, used = problem["path"]["points"], problem["upper"], {"convex": 0, "quartic": 0}
        try:
            pieces = list(itertools.pairwise(points)) or [(points[0], points[0])]
            for piece, (start, end) in enumerate(pieces):
                try:
                    used[check_piece(problem, start, end, upper)] += 1
                except Refused as reason:
                    raise Refused(f"piece {piece} of {len(pieces)}: {reason}; the claim is {decimal(upper)}") from None
            if not intact:
                raise Refused("the content was altered: its checksum differs (the bound does hold for what is there)")
        except Refused as reason:
            print(f"{name}: REFUSED: {reason}", file=sys.stderr)
            worst = max(worst, 1)
            continue
        print(
            f"{name}: verified: the risk is at most {decimal(upper)} on all {len(pieces)} pieces "
            f"({used['convex']} by convexity, {used['quartic']} as quartics), in rational arithmetic"
        )
    return worst


def program():
    """`main` on the command line: what the terminal cannot show is replaced, and a closed pipe is not a word."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        status = main(sys.argv[1:])
        sys.stdout.flush()
    except BrokenPipeError:
        nowhere = os.open(os.devnull, os.O_WRONLY)  # the interpreter flushes once more
        os.dup2(nowhere, sys.stdout.fileno())
        return 141
    return status


if __name__ == "__main__":
    sys.exit(program())
