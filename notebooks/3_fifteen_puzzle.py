# %% [markdown]
# # 3. The fifteen puzzle: linear nets
#
# Proposition 2.2 says that level sets of linear nets are connected once every hidden layer is wide enough. The proof
# that works has no polar decomposition and no rotation: one idle unit, four moves.

# %%
import os

import matplotlib.pyplot as plt
import numpy as np

from checks import exercises, predicates
from theory import linear_paths
from theory.maxima import path_maximum
from theory.moves import Walk
from theory.networks import Network
from theory.risk import Risk, Sample

FAST = bool(os.environ.get("HALFRECT_FAST"))
rng = np.random.default_rng(0)

# %% [markdown]
# ## Four moves by hand
# Three units on two inputs: their rows are dependent, so one can be *freed*: its outgoing weights go to zero while the
# others take over. Then it is idle, and can be *placed* anywhere: nothing sees its incoming row. *transfer* hands outgoing
# weights to a unit with a parallel row; *refit* moves a second layer, and is the only move that changes the function.

# %%
net = Network((2, 3, 2), activation="identity")
theta = rng.standard_normal(net.size)
walk = Walk(net, theta)
unit = walk.free(1)
walk.place(1, unit, [1.0, 0.0])
print("freed unit", unit, "; labels:", walk.path.labels)
W1, W2 = net.weights(walk.theta)
before = net.weights(theta)
print("product changed by", np.abs(W2 @ W1 - before[1] @ before[0]).max())

# %% [markdown]
# ## Two deep nets, connected
# Whatever the ranks: here one end has a zero layer, and one is a million times larger in one layer than in another.

# %%
net = Network((3, 4, 5, 4, 2), activation="identity")
risk = Risk(net, Sample(rng.standard_normal((20, 3)), rng.standard_normal((20, 2))))
a, b = rng.standard_normal((2, net.size))
a[net.slices[1]] = 0.0
b[net.slices[0]] *= 1e-3
b[net.slices[2]] *= 1e3
path = linear_paths.connect(risk, a, b)
found = path_maximum(risk, path)
print(len(path), "pieces; certified maximum", found.upper, "larger end", max(risk(a), risk(b)))
print(
    bool(predicates.stays_below(risk, path, max(risk(a), risk(b)))),
    bool(predicates.moves_one_layer_at_a_time(risk, path)),
)

# %%
t = np.linspace(0, 1, 200 if FAST else 2000)
plt.plot(t, risk.batch(path.at(t)), "k", label="path of moves")
plt.plot(t, risk.batch((1 - t)[:, None] * a + t[:, None] * b), ":", label="straight line")
plt.axhline(max(risk(a), risk(b)), linestyle="--", color="grey", label="larger end")
plt.yscale("log")
plt.xlabel("path parameter")
plt.ylabel("risk")
plt.legend()
plt.show()

# %% [markdown]
# ## One unit too few
# With hidden width equal to $\min(n_{in}, n_{out})$ the sign of a determinant cannot change: two components, and an
# exact barrier. The scalar net $(1 - w_2 w_1)^2$ is the smallest case.

# %%
scalar = Network((1, 1, 1), activation="identity")
small = Risk(scalar, Sample([[1.0]], [[1.0]]))
try:
    linear_paths.connect(small, np.array([1.0, 1.0]), np.array([-1.0, -1.0]))
except ValueError as error:
    print(error)

# %% [markdown]
# ## Exercises
# Free a unit, and slide one into the hole, as `Walk` does. The answers tried here are wrong: read the smallest failure.

# %%
print(exercises.show("ex-5"))
print(exercises.verify("ex-5", lambda V, Z: np.zeros_like(V), examples=10))

# %%
print(exercises.show("ex-6"))
print(exercises.verify("ex-6", lambda W, v, hole, unit: [(W, v)], examples=10))
