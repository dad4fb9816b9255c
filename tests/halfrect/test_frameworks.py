"""PyTorch, Keras and Flax themselves, where they are installed: the net computes what the framework's model predicts."""

import numpy as np
import pytest

from halfrect import from_state_dict

X = np.random.default_rng(0).normal(size=(7, 3)).astype(np.float32)
pytestmark = pytest.mark.filterwarnings("ignore")  # theirs are nothing to us


def agrees(net, outputs):
    np.testing.assert_allclose(net(X), np.asarray(outputs), rtol=1e-4, atol=1e-5)  # they compute in single precision


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("widths", [(3, 3, 3), (3, 5, 4, 2)])
def test_a_module_of_pytorch(widths, bias):
    torch = pytest.importorskip("torch")
    layers = []
    for n, m in zip(widths[:-1], widths[1:]):  # noqa: RUF007
        layers += [torch.nn.Linear(n, m, bias=bias), torch.nn.ReLU()]
    model = torch.nn.Sequential(*layers[:-1])
    agrees(from_state_dict(model.state_dict()), model(torch.from_numpy(X)).detach())


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("widths", [(3, 3, 3), (5, 4, 2)])
def test_a_model_of_keras(widths, bias, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    keras = pytest.importorskip("keras")
    layers = [keras.layers.Dense(m, activation="tanh", use_bias=bias, bias_initializer="normal") for m in widths]
    layers[-1].activation = keras.activations.linear
    model = keras.Sequential([keras.Input((3,)), *layers])
    net = from_state_dict({w.path: w.numpy() for w in model.weights}, activation="tanh")
    agrees(net, model.predict(X, verbose=0))


@pytest.mark.parametrize("widths", [(3, 3, 3), (5, 4, 2), (2,) * 12])
def test_a_module_of_flax(widths):
    linen = pytest.importorskip("flax.linen")
    import jax

    layers = []
    for m in widths:
        layers += [linen.Dense(m, bias_init=linen.initializers.normal()), linen.relu]
    model = linen.Sequential(layers[:-1])
    params = model.init(jax.random.key(0), X)
    agrees(from_state_dict(params), model.apply(params, X))


def test_a_compact_module_of_flax_is_counted_not_spelled():
    linen = pytest.importorskip("flax.linen")
    import jax

    class Twelve(linen.Module):
        @linen.compact
        def __call__(self, x):
            for _ in range(11):
                x = linen.relu(linen.Dense(4)(x))
            return linen.Dense(1)(x)

    params = Twelve().init(jax.random.key(0), X)
    agrees(from_state_dict(params), Twelve().apply(params, X))


def test_a_module_of_flax_nnx():
    nnx = pytest.importorskip("flax.nnx")
    rngs = nnx.Rngs(0)

    class Net(nnx.Module):
        def __init__(self):
            self.first, self.last = nnx.Linear(3, 4, rngs=rngs), nnx.Linear(4, 2, rngs=rngs)

        def __call__(self, x):
            return self.last(nnx.relu(self.first(x)))

    model = Net()
    state = nnx.to_pure_dict(nnx.state(model, nnx.Param))
    agrees(from_state_dict(state), model(X))
