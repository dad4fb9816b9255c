# %% [markdown]
# # 6. Disconnection you can prove
#
# The paper maps three points to each other with a 2-3-2 net and swaps two hidden units. Strings fail to join the two,
# and the paper calls the proof of a disconnection intractable. For this task it is a determinant.

# %%
import os

import matplotlib.pyplot as plt
import numpy as np

from checks import exercises
from theory.barriers import permutation_barrier
from theory.maxima import path_maximum
from theory.networks import Network
from theory.risk import Risk, Sample

FAST = bool(os.environ.get("HALFRECT_FAST"))

# %% [markdown]
# ## The wall
# Three units on three points: $Z = \rho(W_1 X)$ is square, and a solution has $\det Z \ne 0$. A swap turns the sign, so
# every path meets $\det Z = 0$, where two units would do as well: the risk there is at least $e(2)$.

# %%
angles = np.radians([0, 60, 120])
X = np.stack([np.cos(angles), np.sin(angles)], axis=1)
task = Sample(X, X[[1, 2, 0]])
barrier = permutation_barrier(task, 3)
print(barrier.reason.value)
print("lower", barrier.lower, "upper", barrier.upper, "(1/6 =", 1 / 6, ")")

# %% [markdown]
# ## One more unit
# With four units one can be freed, and the swap costs nothing.

# %%
free = permutation_barrier(task, 4)
print(free.reason.value, free.upper)

# %% [markdown]
# ## Along the path that meets the bound
# The risk touches 1/6 exactly where det Z vanishes. A path that stayed lower would refute the bound.

# %%
risk = Risk(Network((2, 3, 2)), task)
t = np.linspace(0, 1, 200 if FAST else 2000)
points = barrier.path.at(t)
Z = np.maximum(np.einsum("tij,nj->tin", points[:, :6].reshape(-1, 3, 2), X), 0)
figure, (top, bottom) = plt.subplots(2, sharex=True)
top.plot(t, risk.batch(points), "k")
top.axhline(1 / 6, linestyle=":", color="grey")
top.set_ylabel("risk")
bottom.plot(t, np.linalg.det(Z), "k")
bottom.axhline(0, linestyle=":", color="grey")
bottom.set_ylabel("det Z")
bottom.set_xlabel("path parameter")
plt.show()
print("certified maximum", path_maximum(risk, barrier.path).upper)

# %% [markdown]
# ## Exercises
# On which side of the wall, and how high is it for other triangles? The answers tried here are wrong.

# %%
print(exercises.show("ex-10"))
print(exercises.verify("ex-10", lambda W, X: 1.0, examples=10))

# %%
print(exercises.show("ex-11"))
print(exercises.verify("ex-11", lambda X: 1 / 6, examples=10))
