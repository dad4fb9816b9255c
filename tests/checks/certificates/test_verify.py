"""Certificates: what is saved is verified in exact arithmetic, and what is altered is refused."""

import ast
import io
import json
import sys
from pathlib import Path as File

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_diabetes

from checks.__main__ import main as command_line
from checks.certificates import document as certificates
from checks.certificates import verify
from theory import deep_paths
from theory.maxima.segments import path_maximum
from theory.networks import Network
from theory.paths import Path
from theory.risk import Risk, Sample


def problem(seed, depth=2, activation="relu", vertices=3):
    """A small risk with a random polyline; the deep ones move one matrix at a time."""
    rng = np.random.default_rng(seed)
    widths = (int(rng.integers(1, 3)), *rng.integers(1, 4, depth - 1).tolist(), int(rng.integers(1, 3)))
    net = Network(widths, activation, bias=bool(rng.integers(2)))
    count = int(rng.integers(1, 4))
    sample = Sample(rng.standard_normal((count, widths[0])), rng.standard_normal((count, widths[-1])))
    penalty = ("ridge", "second_layer_l1")[rng.integers(2)] if depth == 2 else "ridge"
    risk = Risk(net, sample, kappa=0.1, penalty=penalty)
    points = [rng.standard_normal(net.size)]
    for k in range(vertices - 1):
        theta = rng.standard_normal(net.size)
        if depth > 2:
            theta, moved = points[-1].copy(), theta
            theta[net.slices[k % depth]] = moved[net.slices[k % depth]]
        points.append(theta)
    return risk, Path(np.stack(points))


def written(tmp_path, risk, path, upper, change=None):
    file = tmp_path / "certificate.json"
    certificates.save(file, risk, path, upper, title="a test")
    if change:
        document = json.loads(file.read_text())
        change(document)
        file.write_text(json.dumps(document))
    return str(file)


@given(seed=st.integers(0, 2**32), shape=st.sampled_from([(2, "relu"), (2, "identity"), (3, "identity")]))
def test_what_path_maximum_certifies_is_verified_in_rational_arithmetic(tmp_path_factory, seed, shape):
    risk, path = problem(seed, *shape)
    upper = path_maximum(risk, path).upper
    file = written(tmp_path_factory.mktemp("c"), risk, path, upper)
    assert verify.main([file]) == 0
    loaded = certificates.load(file)
    assert np.array_equal(loaded.path.points, path.points)
    assert loaded.path.labels == path.labels
    assert loaded.risk(path.points[0]) == risk(path.points[0])
    assert loaded.upper == upper


@given(seed=st.integers(0, 2**32))
def test_a_lowered_bound_is_refused_with_the_piece_that_breaks_it(tmp_path_factory, seed):
    risk, path = problem(seed)
    value = path_maximum(risk, path).value
    folder = tmp_path_factory.mktemp("c")
    assert verify.main([written(folder, risk, path, value * (1 - 1e-6))]) == 1


def test_the_refusal_names_the_piece_and_the_value(tmp_path, capsys):
    risk, path = problem(3)
    file = written(tmp_path, risk, path, 0.5 * path_maximum(risk, path).value)
    assert verify.main([file]) == 1
    assert "piece" in (message := capsys.readouterr().err)
    assert "the claim is" in message


def raise_a_vertex(document):
    document["path"]["points"][1] = [100.0] * len(document["path"]["points"][1])


def move_a_sample(document):
    document["sample"]["Y"][0][0] += 1e3


def nudge_a_vertex(document):
    document["path"]["points"][1][0] = float(np.nextafter(document["path"]["points"][1][0], 2))


@pytest.mark.parametrize("change", [raise_a_vertex, move_a_sample, nudge_a_vertex])
def test_an_altered_vertex_or_sample_is_refused(tmp_path, capsys, change):
    risk, path = problem(5)
    file = written(tmp_path, risk, path, 1.01 * path_maximum(risk, path).upper, change)
    assert verify.main([file]) == 1
    assert ("altered" if change is nudge_a_vertex else "piece") in capsys.readouterr().err
    with pytest.raises(ValueError, match="checksum"):
        certificates.load(file)


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[]", "null", "nonsense", '{"format": "halfrect certificate 1"}', "\x00", '{"format": 1e999}'],
)
def test_what_is_not_a_certificate_is_named_and_exits_with_2(tmp_path, capsys, text):
    file = tmp_path / "bad.json"
    file.write_text(text)
    assert verify.main([str(file)]) == 2
    assert "not a certificate" in capsys.readouterr().err
    with pytest.raises(ValueError, match="certificate"):
        certificates.load(file)


def test_a_missing_file_and_no_arguments_exit_with_2(tmp_path, capsys):
    assert verify.main([str(tmp_path / "absent.json")]) == 2
    assert verify.main([]) == 2
    assert verify.main(["--help"]) == 0
    capsys.readouterr()


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d["network"].update(activation="sigmoid"),
        lambda d: d["network"].update(widths=[1, -1]),
        lambda d: d["sample"].update(weights=[]),
        lambda d: d["path"].update(points=[]),
        lambda d: d["path"]["points"][0].pop(),
        lambda d: d.update(upper=float("nan")),
        lambda d: d["risk"].update(kappa=-1.0),
        lambda d: d["sample"]["X"][0].append(1.0),
        lambda d: d["sample"]["X"].append("text"),
    ],
)
def test_malformed_certificates_exit_with_2(tmp_path, capsys, change):
    risk, path = problem(8)
    assert verify.main([written(tmp_path, risk, path, 1e6, change)]) == 2
    assert "not a certificate" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("loss", "row"),
    [("logistic", [0.5, 1.0]), ("hinge", [0.0, 1.0]), ("softmax", [0.5, 0.4]), ("softmax", [-0.5, 1.5])],
)
def test_targets_that_a_loss_has_no_meaning_for_exit_with_2(tmp_path, capsys, loss, row):
    good = [0.25, 0.75] if loss == "softmax" else [-1.0, 1.0]
    risk, path = Risk(Network((1, 1, 2)), Sample([[1.0]], [good]), loss=loss), Path([[1.0, 1.0, -1.0]])
    assert verify.main([written(tmp_path, risk, path, 1e6)]) == 0
    assert verify.main([written(tmp_path, risk, path, 1e6, lambda d: d["sample"].update(Y=[row]))]) == 2
    assert f"the loss {loss} must be" in capsys.readouterr().err


def test_a_piece_without_an_argument_is_refused_not_believed(tmp_path, capsys):
    rng = np.random.default_rng(0)
    net = Network((1, 2, 2, 1))
    risk = Risk(net, Sample(np.ones((1, 1)), np.ones((1, 1))))
    path = Path(rng.standard_normal((2, net.size)))
    assert verify.main([written(tmp_path, risk, path, 1e9)]) == 1
    assert "no argument" in capsys.readouterr().err


def test_the_verifier_uses_the_standard_library_only():
    tree = ast.parse(File(verify.__file__).read_text())
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.split(".")[0] for name in imported} <= set(sys.stdlib_module_names)


@pytest.mark.parametrize("upper", [float("nan"), float("inf"), "much"])
def test_saving_a_bound_that_is_no_number_names_it(tmp_path, upper):
    risk, path = problem(1)
    with pytest.raises(ValueError, match="upper"):
        certificates.save(tmp_path / "c.json", risk, path, upper)


def test_the_command_line_knows_verify(tmp_path, capsys):
    risk, path = problem(3)
    file = written(tmp_path, risk, path, path_maximum(risk, path).upper)
    assert command_line(["verify", file]) == 0
    assert "verified" in capsys.readouterr().out
    assert command_line(["verify"]) == 2
    capsys.readouterr()


def trained(vertices, rng):
    """A path as between two nets of scikit-learn: 16 units with biases on the 442 samples of diabetes."""
    X, y = load_diabetes(return_X_y=True)
    net = Network((10, 16, 1), bias=True)
    risk = Risk(net, Sample((X - X.mean(0)) / X.std(0), ((y - y.mean()) / y.std())[:, None]))
    return risk, Path(0.3 * rng.standard_normal((vertices, net.size)))


def test_a_path_between_nets_of_a_real_size_is_verified_and_just_below_its_maximum_refused(tmp_path, capsys):
    risk, path = trained(3, np.random.default_rng(0))
    found = path_maximum(risk, path)
    assert verify.main([written(tmp_path, risk, path, found.upper)]) == 0
    assert "(2 quartic)" in capsys.readouterr().out
    assert verify.main([written(tmp_path, risk, path, found.value * (1 - 1e-12))]) == 1
    assert f"piece {found.piece} of 2" in capsys.readouterr().err


def test_a_word_on_each_piece_comes_on_request_and_the_first_that_breaks_the_claim_is_the_last(tmp_path, capsys):
    risk, path = problem(3, vertices=5)
    values = risk.batch(path.points)
    file = written(tmp_path, risk, path, path_maximum(risk, path).upper)
    assert verify.main([file]) == 0
    assert capsys.readouterr().out.count("\n") == 1
    assert verify.main(["--pieces", file]) == 0
    *pieces, last = capsys.readouterr().out.splitlines()
    assert [line.split(": ")[1] for line in pieces] == [f"piece {k} of 4" for k in range(4)]
    for line, at_end in zip(pieces, values[1:]):
        assert float(line.split()[-4]) == pytest.approx(at_end)
    assert "verified" in last
    top = int(np.argmax(values))
    assert verify.main(["--pieces", written(tmp_path, risk, path, float(values[top]) * 0.99)]) == 1
    out, err = capsys.readouterr()
    refused = int(err.split("piece ")[1].split()[0])
    assert out.count("\n") == refused <= max(0, top - 1)


def test_on_a_terminal_a_word_on_each_piece_needs_no_request(tmp_path, monkeypatch):
    risk, path = problem(3)
    terminal = io.StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stdout", terminal)
    assert verify.main([written(tmp_path, risk, path, path_maximum(risk, path).upper)]) == 0
    assert terminal.getvalue().count("\n") == 3


@given(seed=st.integers(0, 2**32), bias=st.booleans())
def test_changes_that_cancel_over_copies_are_constant_and_others_are_refused(tmp_path_factory, seed, bias):
    """Three layers; weights into the second layer move between units of the first that are copies."""
    rng = np.random.default_rng(seed)
    net, folder = Network((2, 4, 2, 1), bias=bias), tmp_path_factory.mktemp("c")
    W, V, U = (rng.integers(-3, 4, shape).astype(float) for shape in net.shapes)
    W[1] = W[0]
    U[0, 0] = 1.0
    change = np.zeros_like(V)
    change[0, :2] = rng.integers(1, 5) * np.array([1.0, -1.0])
    risk = Risk(net, Sample(rng.standard_normal((3, 2)), rng.standard_normal((3, 1))), kappa=0.1, penalty="ridge")
    points = np.stack([net.pack([W, V + s * change, U]) for s in (0, 1)])
    upper = float(risk.batch(points).max()) * (1 + 1e-12)
    assert verify.main([written(folder, risk, Path(points), upper)]) == 0
    spoiled = []
    for place in ((0, 2), (0, 1)) + (((0, 4),) if bias else ()):  # another unit, a change that does not cancel, a bias
        spoiled.append(V + change)
        spoiled[-1][place] += 0.5
    for other in spoiled:
        path = Path(np.stack([points[0], net.pack([W, other, U])]))
        assert verify.main([written(folder, risk, path, 1e9)]) == 1
    one = np.eye(1, W.shape[1])
    for also in ([W + one, V + change, U], [W, V + change, U + 1.0]):  # a second matrix
        path = Path(np.stack([points[0], net.pack(also)]))
        assert verify.main([written(folder, risk, path, 1e9)]) == 1


def test_paths_of_deep_classifiers_are_verified(tmp_path, capsys):
    rng = np.random.default_rng(1)
    X = rng.standard_normal((12, 3))
    risk = Risk(Network((3, 6, 6, 3), bias=True), Sample(X, np.eye(3)[rng.integers(3, size=12)]), loss="softmax")
    found = deep_paths.connect(risk, *rng.standard_normal((2, risk.network.size)), rng=0)
    file = written(tmp_path, risk, found.path, found.maximum.upper)
    assert verify.main([file]) == 0
    assert "constant" in capsys.readouterr().out
    assert verify.main([written(tmp_path, risk, found.path, found.maximum.value * (1 - 1e-12))]) == 1
