"""Certificates from anywhere: verified, refused with 1 or turned away with 2, in one line; a false claim never passes."""

import json
import math
from fractions import Fraction
from itertools import pairwise

import hostile
import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from checks.certificates import document as certificates
from checks.certificates import verify
from checks.certificates.document import digest
from theory.maxima.segments import path_maximum
from theory.networks import Network
from theory.paths import Path
from theory.risk import Risk, Sample

KINDS = ((2, "relu", "squared"), (2, "identity", "squared"), (3, "identity", "absolute"), (1, "relu", "squared"))


def valid(folder, seed, kind=KINDS[0], slack=0.0):
    """A certificate that holds, as a JSON tree; every second piece moves one matrix only, in deep nets all do."""
    depth, activation, loss = kind
    rng = np.random.default_rng(seed)
    widths = (int(rng.integers(1, 3)), *rng.integers(1, 3, depth - 1).tolist(), int(rng.integers(1, 3)))
    net = Network(widths, activation, bias=bool(rng.integers(2)))
    count = int(rng.integers(1, 4))
    weights = rng.integers(0, 3, count) + np.eye(1, count)[0]
    sample = Sample(rng.integers(-2, 3, (count, widths[0])), rng.standard_normal((count, widths[-1])), weights)
    penalty = (None, "ridge", "second_layer_l1")[rng.integers(3 if depth == 2 else 2)]
    risk = Risk(net, sample, loss=loss, kappa=0.0 if penalty is None else 0.25, penalty=penalty)
    points = [rng.standard_normal(net.size)]
    for k in range(2):
        points.append(points[-1].copy())
        moved = net.slices[k % depth] if depth != 2 or k else slice(None)
        points[-1][moved] = rng.standard_normal(net.size)[moved]
    path = Path(np.stack(points))
    file = folder / "valid.json"
    certificates.save(file, risk, path, path_maximum(risk, path).upper + slack, title="a test")
    return json.loads(file.read_text())


def signed(text):
    """The same document with the checksum that belongs to it, where it has one at all."""
    try:
        document = json.loads(text)
        document.pop("sha256", None)
        stated = document.pop("format", certificates.FORMAT)
        return json.dumps({"format": stated, "sha256": digest(document), **document})
    except (ValueError, AttributeError, RecursionError):
        return text


def exact_risk(problem, theta):
    """The risk at theta, from its definition, with arrays of fractions; the sample's weights are a probability."""
    net, risk, sample = problem["network"], problem["risk"], problem["sample"]
    exact = np.vectorize(Fraction, otypes=[object])
    h, Y, start, W = exact(sample["X"]), exact(sample["Y"]), 0, None
    act = {"relu": lambda z: np.where(z > 0, z, 0 * z), "identity": lambda z: z}
    second = Fraction(0)
    for k, (before, after) in enumerate(pairwise(net["widths"])):
        columns = before + bool(net["bias"])
        W = theta[start : start + after * columns].reshape(after, columns)
        start += after * columns
        second = abs(W).sum() if k == 1 else second
        if net["bias"]:
            h = np.hstack([h, exact(np.ones((len(h), 1)))])
        h = act[net["output"] if k == len(net["widths"]) - 2 else net["activation"]](h @ W.T)
    losses = (h - Y) ** 2 if risk["loss"] == "squared" else abs(h - Y)
    weights = exact(sample["weights"])
    extra = {None: 0, "ridge": theta @ theta, "second_layer_l1": second}[risk["penalty"]]
    return weights @ losses.sum(axis=1) + Fraction(risk["kappa"]) * extra


def along(problem, piece, t):
    """The exact risk at fraction t of a piece."""
    exact = np.vectorize(Fraction, otypes=[object])
    points = exact(problem["path"]["points"])
    a, b = points[piece], points[min(piece + 1, len(points) - 1)]
    return exact_risk(problem, a + t * (b - a))


def judge(file, text):
    """Exit status of the verifier on `text`, with everything that must be so whatever the text is."""
    file.write_text(text, encoding="utf-8") if isinstance(text, str) else file.write_bytes(text)
    status, out, err = hostile.outcome(verify.main, [str(file)])
    assert status in (0, 1, 2)
    said = out if status == 0 else err
    assert said.startswith(f"{file}: ")
    assert said.count("\n") == 1
    assert len(said) < len(str(file)) + 400
    assert not (err if status == 0 else out)
    with hostile.bounded():
        loaded, refusal = hostile.refusal(certificates.load, file)
    if refusal is None:
        assert np.isfinite(loaded.path.points).all()
        assert math.isfinite(loaded.upper)
    else:
        assert refusal.startswith("file must be a certificate")
        assert len(refusal) < 2 * len(str(file)) + 400
    return status


@given(seed=st.integers(0, 50), kind=st.sampled_from(KINDS), data=st.data())
def test_a_spoiled_certificate_is_judged_in_one_line_and_believed_only_where_it_is_true(
    tmp_path_factory, seed, kind, data
):
    folder = tmp_path_factory.mktemp("c")
    text = data.draw(hostile.json_texts(valid(folder, seed, kind, slack=data.draw(st.sampled_from([0.0, 1.0, 1e9])))))
    text = signed(text) if data.draw(st.booleans()) else text
    if judge(folder / "c.json", text) != 0:
        return
    problem = json.loads(text)
    assert abs(sum(map(Fraction, problem["sample"]["weights"])) - 1) < 1e-12
    for piece in range(max(1, len(problem["path"]["points"]) - 1)):
        for t in (Fraction(0), Fraction(1, 3), Fraction(1, 2), Fraction(13, 17), Fraction(1)):
            assert along(problem, piece, t) <= Fraction(problem["upper"])


@given(seed=st.integers(0, 50), content=st.data())
def test_bytes_that_are_no_certificate_are_turned_away_in_one_line(tmp_path_factory, seed, content):
    folder = tmp_path_factory.mktemp("c")
    text = json.dumps(valid(folder, seed), indent=0)
    spoiled = content.draw(hostile.spoiled(text.encode()))
    status = judge(folder / "c.json", spoiled)
    if status == 0:
        document = json.loads(text)
        assert json.loads(spoiled.decode("utf-8")) == document


@given(
    seed=st.integers(0, 10**6),
    activation=st.sampled_from(["relu", "identity"]),
    below=st.sampled_from([0.0, 1e-15, 1e-9, 1e-3]),
    scale=st.sampled_from([1.0, 1.0, 1e-150, 1e150]),
    early=st.booleans(),
)
def test_a_claim_below_the_highest_point_of_a_hump_is_refused(tmp_path_factory, seed, activation, below, scale, early):
    """The second layer vanishes at one end and the first at the other: the risk is low at the ends, high between."""
    folder = tmp_path_factory.mktemp("c")
    problem = valid(folder, seed, (2, activation, "squared"))
    rng = np.random.default_rng(seed)
    problem["risk"] |= {"kappa": 0.0, "penalty": None}
    problem["sample"]["Y"] = (1e-3 * np.array(problem["sample"]["Y"])).tolist()
    n, m, _ = problem["network"]["widths"]
    first = m * (n + problem["network"]["bias"])
    points = 3 * rng.standard_normal((2, len(problem["path"]["points"][0])))
    points[0, first:] *= 0.0 if rng.random() < 0.5 else 0.1
    points[1, :first] *= 0.0 if rng.random() < 0.5 else -0.1
    if early:  # one sample, whose units are on only before t = 1/4
        problem["sample"] = {name: problem["sample"][name][:1] for name in ("X", "Y")} | {"weights": [1.0]}
        x = np.append(problem["sample"]["X"][0], np.ones(int(problem["network"]["bias"])))
        rows = points[0, :first].reshape(m, -1)
        rows *= np.where(rows @ x < 0, -1.0, 1.0)[:, None]
        points[1, :first] = -3 * points[0, :first]
    problem["path"] = {"points": (points * scale).tolist(), "labels": [""]}
    value = max(along(problem, 0, Fraction(k, 24)) for k in range(25))
    assume(0 < value < Fraction(10) ** 300)
    claim = math.nextafter(float(value) * (1 - below), -math.inf)
    assert Fraction(claim) < value
    problem["upper"] = claim
    assert judge(folder / "c.json", signed(json.dumps(problem))) == 1


@given(
    seed=st.integers(0, 10**6),
    kind=st.sampled_from(KINDS),
    piece=st.integers(0, 1),
    t=st.fractions(0, 1, max_denominator=1000),
    below=st.sampled_from([0.0, 1e-15, 1e-9, 0.1]),
    scale=st.sampled_from([1.0, 1e-160, 1e160, 1e-300]),
)
def test_a_claim_below_the_risk_anywhere_on_the_path_is_refused(tmp_path_factory, seed, kind, piece, t, below, scale):
    folder = tmp_path_factory.mktemp("c")
    problem = valid(folder, seed, kind)
    rng = np.random.default_rng(seed)
    for name in ("points",):  # tampered numbers, and powers that under- and overflow in floats
        rows = np.array(problem["path"][name])
        rows[rng.integers(len(rows)), rng.integers(rows.shape[1])] *= scale
        problem["path"][name] = rows.tolist()
    value = along(problem, piece, t)
    claim = math.nextafter(float(value) * (1 - below), -math.inf) if value < Fraction(10) ** 300 else 1e300
    assert Fraction(claim) < value
    problem["upper"] = claim
    assert judge(folder / "c.json", signed(json.dumps(problem))) == 1


@pytest.mark.parametrize("place", range(8))
def test_a_place_without_a_file_gives_2_and_one_line(tmp_path, place):
    name = hostile.odd_places(tmp_path, ".json")[place]
    status, out, err = hostile.outcome(verify.main, [name])
    assert (status, out, err.count("\n")) == (2, "", 1)


@given(st.lists(st.text(max_size=5) | st.sampled_from(["-h", "--help", "-", "--", "", "verify"]), max_size=3))
@example([])
def test_any_words_after_verify_give_a_status(words):
    status, _, err = hostile.outcome(verify.main, [word.replace("/", "|") for word in words])
    assert status in (0, 2)
    assert "Traceback" not in err


def changed(document, change):
    change(document)
    return signed(json.dumps(document))


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d["network"].update(widths=[d["network"]["widths"][0], 10**9, 10**9, d["network"]["widths"][-1]]),
        lambda d: d["network"].update(bias=1),
        lambda d: d["network"].update(widths=[True, *d["network"]["widths"][1:]]),
        lambda d: d.update(upper="1e999999999"),
        lambda d: d["risk"].update(kappa="1e999999999"),
        lambda d: d.update(upper=10**400),
        lambda d: d.update(upper=2**53 + 1),
        lambda d: d["sample"].update(X=[[[v] for v in row] for row in d["sample"]["X"]]),
        lambda d: d["sample"].update(weights=[w / 2 for w in d["sample"]["weights"]]),
        lambda d: d["sample"].update(weights=[0.0 for _ in d["sample"]["weights"]]),
        lambda d: d["risk"].update(penalty=None, kappa=1.0),
    ],
    ids=["widths", "bias", "bool", "upper", "kappa", "overflow", "between", "nested", "halved", "zero", "unpenalised"],
)
def test_what_once_hung_crashed_or_passed_for_another_claim_is_turned_away(tmp_path, change):
    assert judge(tmp_path / "c.json", changed(valid(tmp_path, 3), change)) == 2


def test_a_key_that_occurs_twice_is_turned_away(tmp_path):
    text = json.dumps(valid(tmp_path, 3))
    assert judge(tmp_path / "c.json", '{"upper": 0.0, ' + text[1:]) == 2


def test_a_claim_that_the_risk_touches_between_floats_is_refused_soon(tmp_path):
    net = Network((1, 1, 1), "identity")
    risk = Risk(net, Sample([[1.0]], [[0.0]]))  # (9 (1 - t) (1/3 + t))^2 has its maximum 16 at t = 1/3
    certificates.save(tmp_path / "c.json", risk, Path([[3.0, 1.0], [0.0, 4.0]]), 16.0)
    status, _, err = hostile.outcome(verify.main, [str(tmp_path / "c.json")])
    assert status == 1
    assert "too close to call" in err


def test_a_risk_beyond_the_floats_is_refused_with_its_size(tmp_path):
    net = Network((1, 1, 1), "identity")
    certificates.save(tmp_path / "c.json", Risk(net, Sample([[1.0]], [[0.0]])), Path([[1e300, 1e300]]), 16.0)
    status, _, err = hostile.outcome(verify.main, [str(tmp_path / "c.json")])
    assert status == 1
    assert "the risk at its start is 2^" in err


@given(name=st.text(max_size=20))
def test_a_title_is_kept_whatever_it_says(tmp_path_factory, name):
    file = tmp_path_factory.mktemp("c") / "c.json"
    risk = Risk(Network((1, 1)), Sample([[1.0]], [[0.0]]))
    certificates.save(file, risk, Path([[1.0]]), 1.0, title=name)
    assert verify.main([str(file)]) == 0
    assert certificates.load(file).title == name
