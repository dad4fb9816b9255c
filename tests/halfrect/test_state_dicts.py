"""State dicts by the conventions of PyTorch, Keras, Flax and Haiku: one reading, or a question."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from halfrect import from_arrays, from_state_dict
from halfrect.connection import as_net

WIDTHS = st.lists(st.integers(1, 4), min_size=2, max_size=5)


def arrays(widths, seed=0, biased=True):
    rng = np.random.default_rng(seed)
    weights = [rng.normal(size=(m, n)) for n, m in pairwise(widths)]
    return weights, [rng.normal(size=m) if biased else None for m in widths[1:]]


def torch(weights, biases, step=2):
    found = {}
    for k, (W, b) in enumerate(zip(weights, biases)):
        found[f"layers.{step * k}.weight"] = W
        if b is not None:
            found[f"layers.{step * k}.bias"] = b
    return found


def keras(weights, biases, first=0):
    found = {}
    for k, (W, b) in enumerate(zip(weights, biases), start=first):
        name = "sequential/dense" + (f"_{k}" if k else "")
        found |= {f"{name}/kernel:0": W.T} | ({} if b is None else {f"{name}/bias:0": b})
    return found


def flax(weights, biases):
    layers = {}
    for k, (W, b) in enumerate(zip(weights, biases)):
        layers[f"Dense_{k}"] = {"kernel": W.T} | ({} if b is None else {"bias": b})
    return {"params": dict(sorted(layers.items()))}  # Dense_10 before Dense_2, as Flax writes them


def haiku(weights, biases):
    names = ["mlp/~/linear" + (f"_{k}" if k else "") for k in range(len(weights))]
    return {name: {"w": W.T} | ({} if b is None else {"b": b}) for name, W, b in zip(names, weights, biases)}


def same(found, weights, biases):
    expected = from_arrays(weights, biases)
    assert found.network == expected.network
    np.testing.assert_array_equal(found.theta, expected.theta)


@given(WIDTHS, st.integers(0, 9), st.booleans(), st.sampled_from([torch, keras, flax]))
def test_named_conventions_are_read_whatever_the_shapes(widths, seed, biased, convention):
    weights, biases = arrays(widths, seed, biased)
    same(from_state_dict(convention(weights, biases)), weights, biases)


@given(WIDTHS, st.integers(0, 9))
def test_haiku_is_read_where_a_width_tells_rows_from_columns(widths, seed):
    assume(any(n != m for n, m in pairwise(widths)))
    weights, biases = arrays(widths, seed)
    same(from_state_dict(haiku(weights, biases)), weights, biases)


def test_eleven_layers_are_counted_not_spelled():
    weights, biases = arrays([2] * 12)
    for convention in (torch, keras, flax):
        same(from_state_dict(convention(weights, biases)), weights, biases)


def test_counters_of_a_second_keras_model_go_on():
    weights, biases = arrays([2, 2, 2, 2])
    same(from_state_dict(keras(weights, biases, first=7)), weights, biases)


def test_names_without_numbers_are_put_in_order_by_shapes():
    weights, biases = arrays([3, 5, 5, 1])
    names = ["middle", "last", "begin"]
    mapping = {}
    for name, k in zip(names, (1, 2, 0)):
        mapping |= {f"{name}.weight": weights[k], f"{name}.bias": biases[k]}
    same(from_state_dict(mapping), weights, biases)


def test_numbers_settle_what_shapes_leave_open():
    weights, biases = arrays([3, 4, 4, 4, 1])
    mapping = {}
    for name, W, b in zip(["fc1", "fc2", "fc3", "out"], weights, biases):
        mapping |= {f"{name}.weight": W, f"{name}.bias": b}
    same(from_state_dict(dict(reversed(mapping.items()))), weights, biases)


def test_an_open_order_is_asked_for():
    weights, _ = arrays([2, 2, 2])
    mapping = {"encoder.weight": weights[0], "decoder.weight": weights[1]}
    with pytest.raises(ValueError, match=r"order must be said: .*encoder, decoder.*pass order=\[\.\.\.\]"):
        from_state_dict(mapping)
    same(from_state_dict(mapping, order=["encoder", "decoder"]), weights, None)
    with pytest.raises(ValueError, match="order must name each layer once: encoder, decoder"):
        from_state_dict(mapping, order=["encoder"])


def test_an_open_layout_is_asked_for():
    weights, biases = arrays([2, 2, 2])
    mapping = {f"{kind}{k}": a for k, (W, b) in enumerate(zip(weights, biases)) for kind, a in (("w", W), ("b", b))}
    with pytest.raises(ValueError, match=r"layout must be said: .* layout='out_in'"):
        from_state_dict(mapping)
    same(from_state_dict(mapping, layout="out_in"), weights, biases)
    same(from_state_dict(mapping, layout="in_out"), [W.T for W in weights], biases)


def test_inputs_settle_the_order():
    mapping = {"a.weight": np.ones((3, 2)), "b.weight": np.ones((2, 3))}
    with pytest.raises(ValueError, match="order must be said"):
        from_state_dict(mapping)
    assert from_state_dict(mapping, inputs=3).network.widths == (3, 2, 3)
    assert as_net(mapping, inputs=2).network.widths == (2, 3, 2)


def test_shapes_overrule_a_name_that_cannot_be_right():
    weights, biases = arrays([3, 5, 1])
    mapping = {f"l{k}.weight": W.T for k, W in enumerate(weights)} | {f"l{k}.bias": b for k, b in enumerate(biases)}
    same(from_state_dict(mapping), weights, biases)


class Tensor:
    """What numpy takes only after it is detached and brought here."""

    def __init__(self, values, ready=()):
        self.values, self.ready = values, ready

    def detach(self):
        return Tensor(self.values, (*self.ready, "detach"))

    def cpu(self):
        return Tensor(self.values, (*self.ready, "cpu"))

    def __array__(self, dtype=None, copy=None):
        if self.ready != ("detach", "cpu"):
            raise TypeError("can't convert a cuda tensor that requires grad")
        return np.asarray(self.values, dtype)


def test_a_layer_called_mean_is_a_layer():
    weights, _ = arrays([3, 2, 1])
    mapping = {"converter.weight": weights[0], "mean.weight": weights[1]}
    same(from_state_dict(mapping), weights, None)


def test_tensors_on_another_device_are_brought_here():
    weights, biases = arrays([3, 2, 1])
    mapping = {name: Tensor(value) for name, value in torch(weights, biases).items()}
    same(from_state_dict(mapping), weights, biases)


@pytest.mark.parametrize(
    ("extra", "says"),
    [
        ({"layers.1.running_mean": np.zeros(3)}, r"layers\.1\.running_mean: normalisation layers are not supported"),
        ({"bn.num_batches_tracked": 3}, "normalisation layers"),
        ({"layer_normalization/gamma:0": np.ones(3)}, "normalisation layers"),
        ({"batch_stats": {"Norm_0": {"mean": np.ones(3)}}}, "normalisation layers"),
        (
            {"layers.1.weight": np.ones(3)},
            r"layers\.1\.weight must be a matrix; got shape \(3,\); a vector of weights is a normalisation layer's, and "
            "normalisation layers are not supported: .* in evaluation",
        ),
        ({"conv1.weight": np.ones((3, 1, 3, 3))}, r"convolutions are not supported: .*theory\.deep"),
        ({"first.weight": np.ones((3, 1, 3, 3))}, r"first\.weight .*convolutions are not supported: .*theory\.deep"),
        ({"rnn.weight_ih_l0": np.ones((3, 3))}, r"recurrent layers are not supported: .*theory\.deep"),
        ({"attention.in_proj_weight": np.ones((3, 3))}, "attention is not supported"),
        ({"dropout/seed_generator_state": np.ones(2)}, "dropout has no parameters in evaluation: leave"),
        ({"epoch": 3}, r"epoch of shape \(\) is neither a weight nor a bias"),
        ({"optimizer": "adam"}, "optimizer must be an array of real numbers"),
        ({"layers.1.bias": np.ones(3)}, r"layers\.1 has a bias and no weights"),
        ({"layers.0.bias": np.ones(7)}, r"layers\.0: the bias has shape \(7,\), which fits no side"),
        ({"layers.0.weight": np.full((4, 3), np.nan)}, r"layers\.0\.weight must be finite"),
        ({"layers.4.weight": np.ones((2, 9))}, "do not follow each other"),
    ],
)
def test_what_is_not_fully_connected_is_refused_by_name(extra, says):
    mapping = torch(*arrays([3, 4, 1])) | extra
    with pytest.raises(ValueError, match=says) as refusal:
        from_state_dict(mapping)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("mapping", [{}, [], None, {"bias": np.ones(2)}])
def test_no_layers_are_refused(mapping):
    with pytest.raises(ValueError, match="mapping"):
        from_state_dict(mapping)


def test_inputs_that_do_not_fit_are_said():
    with pytest.raises(ValueError, match="do not follow each other with 7 inputs"):
        from_state_dict(torch(*arrays([3, 4, 1])), inputs=7)


def test_modules_are_told_what_to_pass():
    class Module:
        def state_dict(self):
            return {}

    class Model:
        def get_weights(self):
            return []

    with pytest.raises(ValueError, match=r"net_a: of a PyTorch module pass halfrect\.from_state_dict"):
        as_net(Module(), "net_a")
    with pytest.raises(ValueError, match="of a Keras model pass"):
        as_net(Model())
