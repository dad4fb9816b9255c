"""Verify a certificate in exact arithmetic. Standard library only; shares no code with the rest.

    python -m checks verify [--pieces] FILE ...        (or: python verify.py [--pieces] FILE ...)

The file claims that a risk never exceeds `upper` along a polyline of parameter vectors. Every number in it is a
float64, which is an integer times a power of two; brought to a common power, sums and products of them are sums and
products of integers, so nothing is rounded (but the logarithms in the losses logistic and softmax: up, by less than
2^-100). For each straight piece theta(t), 0 <= t <= 1, the risk at both ends is computed, and one of three arguments is
used between them:

1. One matrix moves and everything after it is linear. Then outputs are affine in t, the risk is convex, and its two
   ends decide. (Rows into units whose outgoing weights are zero at both ends do not count: nothing sees them.)
2. One matrix moves, and what it changes cancels over units that are copies of each other. Then the function stays, and
   the penalty is convex.
3. One hidden layer of relu or identity units, squared loss. A relu switches at most once per sample, at a fraction t;
   between switches the slack, upper - risk, is a polynomial of degree 4 in t with integer coefficients. At a switch
   one unit joins or leaves the output of one sample, and the slack changes by that. It is not negative between two
   switches where its Bernstein coefficients are not, of which it is an average; where they do not decide, halve.

--pieces writes a line for each piece as it is done, as on a terminal. Exit status 0: verified. 1: refused, naming the
first piece that breaks the claim and the value. 2: not a certificate. 141: who reads the output closed the pipe.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import math
import operator
import os
import stat
import sys
from fractions import Fraction

FORMAT = "halfrect certificate 1"
USAGE = (
    "usage: verify [--pieces] FILE ...: verify certificates in exact arithmetic; 0: verified, 1: refused, 2: not a "
    "certificate; --pieces: a line for each piece as it is done"
)
HALVINGS = 200  # of an interval between switches: a cell of 2^-200 of it that is undecided touches the bound, and no
# more halving would tell
GRID = 64  # switches are first placed between multiples of 2^-GRID
PLACES = 128  # of exponentials and logarithms, after the binary point
ONE = 1 << PLACES
LOSSES = "squared", "absolute", "hinge", "logistic", "softmax"


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
    return sum(map(operator.mul, u, v))


def exp_minus(d):
    """An integer that is at least exp(-d), for d >= 0, both in units of 2^-PLACES."""
    if d >> PLACES >= PLACES:
        return 1  # exp(-d) < 2^-d
    term = total = ONE
    for n in itertools.count(1):  # exp(d / 256), from below
        term = term * (d >> 8) // n >> PLACES
        if not term:
            break
        total += term
    power = -(-ONE * ONE // total)
    for _ in range(8):
        power = (power * power >> PLACES) + 1
    return power


def log_sum_exp(f, unit):
    """An integer that is at least log(sum of exp(f_k)), all in units of 2^-unit, unit >= PLACES."""
    top = max(f)
    total = sum(exp_minus(top - v >> unit - PLACES) for v in f)
    guess = int(math.log(total / ONE) * ONE)
    rest = guess - (-total * exp_minus(guess) >> PLACES) - ONE  # log x <= g + x exp(-g) - 1, whatever g is
    return top + (rest << unit - PLACES)


def loss(name, f, y, unit):
    """The loss of outputs f and targets y, both in units of 2^-unit, in units of 2^-2unit; not below it, where it has logarithms."""
    if name == "squared":
        return sum((a - b) ** 2 for a, b in zip(f, y))
    if name == "absolute":
        return sum(abs(a - b) for a, b in zip(f, y)) << unit
    if name == "softmax":  # sum of y_k (log(sum of exp(f)) - f_k)
        return sum(y) * log_sum_exp(f, unit) - dot(y, f)
    margins = [a if b > 0 else -a for a, b in zip(f, y)]
    if name == "hinge":
        return sum(max((1 << unit) - a, 0) for a in margins) << unit
    return sum(log_sum_exp([0, -a], unit) for a in margins) << unit  # logistic: log(1 + exp(-a))


def slack(problem, theta):
    """`upper` minus the risk at theta, in units of 2^-bits of the problem."""
    net, risk, bits = problem["network"], problem["risk"], problem["bits"]
    weights = matrices(net, theta)
    total = 0
    for x, y, weight in problem["samples"]:
        h, unit = x, bits["x"]  # entries of h are in units of 2^-unit
        for k, W in enumerate(weights):
            h = h + [1 << unit] * net["bias"]
            h = [dot(row, h) for row in W]
            unit += bits["theta"]
            if (net["activation"] if k < len(weights) - 1 else net["output"]) == "relu":
                h = [max(z, 0) for z in h]
        total += weight * loss(risk["loss"], [v << bits["out"] - unit for v in h], y, bits["out"])
    if risk["penalty"] == "ridge":
        total += risk["kappa"] * dot(theta, theta) << bits["ridge"]
    elif risk["penalty"] == "second_layer_l1":
        total += risk["kappa"] * sum(abs(v) for row in weights[1] for v in row) << bits["l1"]
    return problem["upper"] - total


def moving(start, end):
    """Of matrices at both ends the rows that move, by matrix, but for rows into idle units: all outgoing weights zero at both."""
    rows: dict[int, list[int]] = {}
    for k, (a, b) in enumerate(zip(start, end)):
        for unit, (row_a, row_b) in enumerate(zip(a, b)):
            above = (*start[k + 1], *end[k + 1]) if k + 1 < len(start) else ()
            if row_a != row_b and not (above and all(row[unit] == 0 for row in above)):
                rows.setdefault(k, []).append(unit)
    return rows


def is_convex(net, rows):
    """Argument 1: at most one matrix moves, and all that follows it is linear."""
    linear_above = not rows or len(net["widths"]) - 2 in rows or net["activation"] == "identity"
    return net["output"] == "identity" and len(rows) <= 1 and linear_above


def is_constant(net, rows, start, end):
    """Argument 2: at most one matrix moves, and its changes cancel over copies, units below with equal rows that stay."""
    if len(rows) != 1 or 0 in rows:
        return not rows
    ((k, units),) = rows.items()
    for unit in units:
        changes: dict[tuple[int, ...], int] = {}
        for j, (u, v) in enumerate(zip(start[k][unit], end[k][unit])):
            if u != v:
                if j == net["widths"][k]:  # the bias
                    return False
                copies = tuple(start[k - 1][j])  # this row stays: else it were idle, and u = v = 0
                changes[copies] = changes.get(copies, 0) + v - u
        if any(changes.values()):
            return False
    return True


def times(v, z):
    """The product of affine functions, each (its value at 0, its slope): coefficients ascending."""
    return [v[0] * z[0], v[0] * z[1] + v[1] * z[0], v[1] * z[1]]


def square(q):
    """The square of a quadratic, coefficients ascending."""
    a, b, c = q
    return [a * a, 2 * a * b, 2 * a * c + b * b, 2 * b * c, c * c]


def minus(p, factor, q):
    """The polynomial p - factor q, where q has at most the degree of p."""
    return [a - factor * b for a, b in itertools.zip_longest(p, q, fillvalue=0)]


def lines(start, end):
    """The affine functions with the given values at t = 0 and at t = 1."""
    return [(a, b - a) for a, b in zip(start, end)]


def switch(z):
    """Where in (0, 1) the affine function z changes its sign, rounded down to 2^-GRID and exactly; or None."""
    return (-(z[0] << GRID) // z[1], Fraction(-z[0], z[1])) if z[0] * (z[0] + z[1]) < 0 else None


def check_quartic(problem, start, end):
    """Argument 3: raise Refused unless the slack is nonnegative on the piece; returns the number of switches."""
    net, risk, samples, bits = problem["network"], problem["risk"], problem["samples"], problem["bits"]
    relu = net["activation"] == "relu"
    (W_a, V_a), (W_b, V_b) = matrices(net, start), matrices(net, end)
    V = [lines(a, b) for a, b in zip(V_a, V_b)]
    p = [problem["upper"], 0, 0, 0, 0]  # the slack just after t = 0, coefficients ascending
    hidden, outputs = [], []  # of each sample: units before relu (affine), outputs minus targets (quadratic)
    switches = []  # (rounded down, exactly, sample, unit), or for the l1 penalty (..., None, weight)
    for i, (x, y, weight) in enumerate(samples):
        x = x + [1 << bits["x"]] * net["bias"]
        hidden.append(lines([dot(row, x) for row in W_a], [dot(row, x) for row in W_b]))
        switches += [(*at, i, j) for j, z in enumerate(hidden[i]) if relu and (at := switch(z))]
        on = [z if not relu or z > (0, 0) else (0, 0) for z in hidden[i]]  # positive at 0, or zero and growing
        on += [(1 << bits["x"] + bits["theta"], 0)] * net["bias"]
        outputs.append([[-target, 0, 0] for target in y])
        for q, row in zip(outputs[i], V):
            for v, z in zip(row, on):
                q[:] = minus(q, -1, times(v, z))
            p = minus(p, weight, square(q))
    if risk["penalty"] == "ridge":
        for w in lines(start, end):
            p = minus(p, risk["kappa"] << bits["ridge"], times(w, w))
    l1, kappa = list(itertools.chain(*V)) if risk["penalty"] == "second_layer_l1" else [], risk["kappa"] << bits["l1"]
    for k, v in enumerate(l1):
        p = minus(p, kappa if v > (0, 0) else -kappa, v)
        switches += [(*at, None, k)] if (at := switch(v)) else []
    before = 0, Fraction(0)
    for floor, t, i, j in sorted(switches, key=lambda s: s[:2]):
        check_interval(problem, p, *before, floor, t)
        before = floor, t
        if i is None:
            p = minus(p, 2 * kappa if l1[j][1] > 0 else -2 * kappa, l1[j])
            continue
        z, weight = hidden[i][j], samples[i][2]
        for q, row in zip(outputs[i], V):
            p = minus(p, -weight, square(q))
            q[:] = minus(q, -1 if z[1] > 0 else 1, times(row[j], z))
            p = minus(p, weight, square(q))
    check_interval(problem, p, *before, 1 << GRID, Fraction(1))
    if sum(p) != slack(problem, end):
        raise ArithmeticError("what the switches add up to must be the slack at the end")
    return len(switches)


def check_interval(problem, p, floor_lo, lo, floor_hi, hi):
    """Raise Refused unless the slack p is nonnegative on [lo, hi]; the floors are lo and hi, rounded down to 2^-GRID."""
    if min(bernstein(p, floor_lo, floor_hi + 1, 1 << GRID)) >= 0:  # on a little more than [lo, hi]
        return
    one = lo.denominator * hi.denominator
    cells = [(bernstein(p, lo.numerator * hi.denominator, hi.numerator * lo.denominator, one), 0)]
    while cells:
        cell, halvings = cells.pop()
        if (lowest := min(cell[0], cell[-1])) < 0:  # attained
            found = value(problem, Fraction(lowest, 12 * one**4 << 4 * halvings))
            raise Refused(f"the risk reaches {found} for t in [{float(lo):.6g}, {float(hi):.6g}]")
        if min(cell) < 0:
            if halvings == HALVINGS:
                raise Refused("too close to call: the risk touches the claim; claim a slightly larger bound")
            left, right = [], []  # de Casteljau with sums for averages: what comes out is 16 times too large
            for k in range(5):
                left.append(cell[0] << 4 - k)
                right.append(cell[-1] << 4 - k)
                cell = [u + v for u, v in itertools.pairwise(cell)]
            cells += [(left, halvings + 1), (right[::-1], halvings + 1)]


def bernstein(p, lo, hi, one):
    """Bernstein coefficients of the quartic p on [lo / one, hi / one], times 12 one^4: all integers."""
    q, power = [0], 1  # one^4 p((lo + (hi - lo) s) / one) in powers of s, by Horner
    for c in reversed(p):
        q = [lo * a + (hi - lo) * b for a, b in zip([*q, 0], [0, *q])]
        q[0] += c * power
        power *= one
    a, b, c, d, e = q[:5]
    return [12 * a, 12 * a + 3 * b, 12 * a + 6 * b + 2 * c, 12 * a + 9 * b + 6 * c + 3 * d, 12 * (a + b + c + d + e)]


def check_piece(problem, start, end, first):
    """Raise Refused unless the risk is <= upper on a straight piece; returns the argument and a word on it.

    first: whether it is the first piece, and nobody has looked at its start yet.
    """
    net, risk = problem["network"], problem["risk"]
    if first and (below := slack(problem, start)) < 0:
        raise Refused(f"the risk at its start is {value(problem, below)}")
    if (below := slack(problem, end)) < 0:
        raise Refused(f"the risk at its end is {value(problem, below)}")
    at_end = f"{value(problem, below)} at its end"
    ends = matrices(net, start), matrices(net, end)
    rows = moving(*ends)
    if is_convex(net, rows):
        return "convex", f"convex, {at_end}"
    if is_constant(net, rows, *ends):
        return "constant", f"constant, {at_end}"
    if len(net["widths"]) != 3 or net["output"] != "identity" or risk["loss"] != "squared":
        raise Refused("more than one matrix moves, and the net is not one hidden layer under squared loss: no argument")
    return "quartic", f"quartics between {check_quartic(problem, start, end)} switches, {at_end}"


def value(problem, below):
    """For people: the risk that is `below` under the claim, in units of 2^-bits."""
    return decimal(problem["claim"] - below * Fraction(1, 1 << problem["bits"]["risk"]))


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


def finest(rows):
    """The least b for which all these fractions of float64s are integers times 2^-b."""
    return max(v.denominator.bit_length() - 1 for row in rows for v in row)


def whole(row, bits):
    """Fractions of float64s as integers, in units of 2^-bits."""
    return [v.numerator << bits + 1 - v.denominator.bit_length() for v in row]


def once(pairs):
    """A JSON object, each key of which occurs once: a document that says two things claims neither."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key occurs twice")
    return found


def sums_to_one(row):
    """Whether the sum is one, up to the rounding of a sum and of a division by it."""
    return abs(sum(row) - 1) <= (len(row) + 1) * Fraction(1, 2**50)


def read(file):
    """The problem with all numbers as integers, and whether its checksum fits."""
    with open(file, encoding="utf-8") as stream:
        mode = os.fstat(stream.fileno()).st_mode
        if stat.S_ISCHR(mode) or stat.S_ISBLK(mode):
            raise ValueError("a device may have no end")
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
        raise ValueError(f"exact arithmetic knows relu and identity, not {net['activation']!r} or {net['output']!r}")
    if risk["loss"] not in LOSSES or risk["penalty"] not in (None, "ridge", "second_layer_l1"):
        raise ValueError(f"unknown loss {risk['loss']!r} or penalty {risk['penalty']!r}")
    if risk["penalty"] == "second_layer_l1" and len(widths) != 3:
        raise ValueError("the penalty second_layer_l1 is for one hidden layer")
    kappa, upper = fraction(risk["kappa"]), fraction(document["upper"])
    if kappa < 0 or (kappa > 0 and risk["penalty"] is None):
        raise ValueError("kappa must be nonnegative, and zero without a penalty")
    size = sum(after * (before + net["bias"]) for before, after in itertools.pairwise(widths))
    points = table(document["path"]["points"], size, "points")
    X, Y = table(sample["X"], widths[0], "X"), table(sample["Y"], widths[-1], "Y")
    weights = [fraction(v) for v in sample["weights"]]
    if not points:
        raise ValueError("the path has no vertex")
    if not len(X) == len(Y) == len(weights) > 0 or min(weights) < 0:
        raise ValueError("sample: X, Y and nonnegative weights must have the same positive length")
    if risk["loss"] in ("hinge", "logistic") and not all(abs(v) == 1 for row in Y for v in row):
        raise ValueError(f"sample: targets of the loss {risk['loss']} must be -1 or 1")
    if risk["loss"] == "softmax" and not all(min(row) >= 0 and sums_to_one(row) for row in Y):
        raise ValueError("sample: targets of the loss softmax must be nonnegative and sum to one")
    if not sums_to_one(weights):
        raise ValueError("sample: weights must sum to one")
    return integers(net, risk, kappa, upper, points, X, Y, weights), intact


def integers(net, risk, kappa, upper, points, X, Y, weights):
    """The problem in integers: each kind of number in units of a power of two of its own, 2^-bits."""
    x, theta, rest = finest(X + Y), finest(points), finest([weights, [kappa, upper]])
    out = x + (len(net["widths"]) - 1) * theta  # an output is a sum of products of an input and one weight a layer
    out = max(out, PLACES) if risk["loss"] in ("logistic", "softmax") else out
    return {
        "network": net,
        "risk": risk | {"kappa": whole([kappa], rest)[0]},
        "points": [whole(theta_k, theta) for theta_k in points],
        "samples": list(zip((whole(v, x) for v in X), (whole(v, out) for v in Y), whole(weights, rest))),
        "claim": upper,
        "upper": whole([upper], rest + 2 * out)[0],
        "bits": {
            "x": x,
            "theta": theta,
            "out": out,
            "risk": rest + 2 * out,
            "ridge": 2 * (out - theta),
            "l1": 2 * out - theta,
        },
    }


def verify(problem, say):
    """Raise Refused unless the claim holds; a word on each piece goes to `say`; returns how many each argument decided."""
    points, claim, used = problem["points"], decimal(problem["claim"]), {"convex": 0, "constant": 0, "quartic": 0}
    pieces = list(itertools.pairwise(points)) or [(points[0], points[0])]
    for number, (start, end) in enumerate(pieces):
        try:
            argument, words = check_piece(problem, start, end, number == 0)
        except Refused as reason:
            raise Refused(f"piece {number} of {len(pieces)}: {reason}; the claim is {claim}") from None
        used[argument] += 1
        say(f"piece {number} of {len(pieces)}: {words}")
    return used


def main(arguments):
    """Verify each file; returns the exit status."""
    files = [a for a in arguments if a != "--pieces"]
    if not files or any(a.startswith("-") for a in files):
        print(__doc__ or USAGE, file=sys.stderr if not {"-h", "--help"} & set(files) else sys.stdout)
        return 0 if {"-h", "--help"} & set(files) else 2
    each_piece = len(files) < len(arguments) or sys.stdout.isatty()
    worst = 0
    for file in files:
        name = "".join(c if c.isprintable() else "?" for c in file)
        try:
            problem, intact = read(file)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
            reason = getattr(error, "strerror", None) or f"{type(error).__name__}: {error}"
            print(f"{name}: not a certificate: {reason:.200}", file=sys.stderr)
            worst = 2
            continue
        try:
            used = verify(problem, lambda words: print(f"{name}: {words}", flush=True) if each_piece else None)  # noqa: B023
            if not intact:
                raise Refused("the content was altered: its checksum differs (the bound does hold for what is there)")
        except Refused as reason:
            print(f"{name}: REFUSED: {reason}", file=sys.stderr)
            worst = max(worst, 1)
            continue
        counts = ", ".join(f"{count} {argument}" for argument, count in used.items() if count)
        pieces = sum(used.values())
        where = "its one piece" if pieces == 1 else f"all {pieces} pieces"
        print(
            f"{name}: verified: the risk is at most {decimal(problem['claim'])} on {where} ({counts}), in exact arithmetic"
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
