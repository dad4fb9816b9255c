# %% [markdown]
# # 4. The six segments and the coin toss
#
# Theorem 2.4 joins two ReLU nets by six segments. Its error terms need nearby units and a net on the sphere, hence
# widths exponential in the dimension. Replacing the search by a coin toss (Maurey) gives $1/m$, whatever the dimension.

# %%
import os

import matplotlib.pyplot as plt
import numpy as np

from checks import exercises
from theory import relu_paths
from theory.lasso import second_layer
from theory.networks import Network
from theory.relu_paths import six_segment_report
from theory.risk import Risk, Sample

FAST = bool(os.environ.get("HALFRECT_FAST"))
rng = np.random.default_rng(0)

# %% [markdown]
# ## Two nets
# One hidden layer, rows of $W_1$ on the unit sphere, penalty $\kappa |W_2|_1$: the setting of section 2.3. Each net has
# random rows and the best second layer on them.

# %%
width, samples = (8, 20) if FAST else (32, 60)
net = Network((3, width, 1))
X = rng.standard_normal((samples, 3))
risk = Risk(net, Sample(X, np.sin(2 * X[:, :1])), kappa=0.05, penalty="second_layer_l1")


def fitted_net():
    """Random unit rows, and the best second layer on them."""
    W = rng.standard_normal((width, 3))
    W /= np.linalg.norm(W, axis=1, keepdims=True)
    best = second_layer(np.maximum(X @ W.T, 0), risk.sample.Y[:, 0], risk.kappa)
    return net.pack([W, best.beta[None]])


a, b = fitted_net(), fitted_net()
print("ends", risk(a), risk(b))

# %% [markdown]
# ## The printed path, repaired, piece by piece
# Down to half of the units, across to the best net of few units that was found, and up again. *certified* bounds the risk
# on the piece; it may not exceed what is *allowed* with the weights at hand, and that not what the *theorem* allows.

# %%
report = six_segment_report(risk, a, b, active=width // 2, angle=0.1, rng=0)
for s in report.subpaths:
    print(
        f"{s.number:5} certified {s.upper:.4f}   allowed with these weights {s.allowed:.4f}   by the theorem {s.theorem:.4f}"
    )

# %% [markdown]
# ## All routes
# What each one gives, what its theorem promises, and why it could not be taken. No path undercuts the larger end.

# %%
table = relu_paths.routes(risk, a, b, exhaustive=True, rng=0)
for route in table.routes:
    print(
        f"{route.name:13} {route.status.name:10} maximum {route.upper:.5f}  promised {route.allowed:.5f}  {route.reason}"
    )

# %%
t = np.linspace(0, 1, 300)
for name, style in (("straight", ":"), ("maurey", "-"), ("six_segment", "--")):
    if table[name].path is not None:
        plt.plot(t, risk.batch(table[name].path.at(t)), style, label=name)
plt.axhline(max(risk(a), risk(b)), color="grey", linewidth=0.5, label="larger end")
plt.xlabel("path parameter")
plt.ylabel("risk")
plt.legend()
plt.show()

# %% [markdown]
# ## Enough units for the sample: no gap at all
# With $m \ge 2N$ Caratheodory's theorem replaces approximation: the level set is exactly connected.

# %%
few = Risk(net, Sample(X[: width // 2], np.sin(2 * X[: width // 2, :1])), kappa=0.05, penalty="second_layer_l1")
best = relu_paths.routes(few, a, b).best
print(best.name, best.upper, "larger end", max(few(a), few(b)))

# %% [markdown]
# ## Exercises
# Caratheodory's theorem, and the variance of the coin toss. The answers tried here are wrong: read the smallest failure.

# %%
print(exercises.show("ex-7"))
print(exercises.verify("ex-7", lambda Z, v: v, examples=10))

# %%
print(exercises.show("ex-8"))
print(exercises.verify("ex-8", lambda Z, v, units: 0.0, examples=10))
