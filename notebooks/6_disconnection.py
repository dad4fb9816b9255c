# %% [markdown]
# # 6. A disconnection that can be proved
#
# **Level** ** · fifteen minutes · you need determinants and least squares · in a checkout
# `python -m pip install ".[notebooks]" && jupyter lab notebooks`
#
# The paper maps three points to each other with a 2-3-2 net and swaps two hidden units. Strings fail to join the two, and the paper calls the proof
# of a disconnection intractable. For this task it is a determinant: every path crosses $\det Z = 0$, and there the risk is at least 1/6.

# %%
import matplotlib.pyplot as plt
import numpy as np

import figures
from theory.barriers import permutation_barrier
from theory.networks import Network
from theory.risk import Risk, Sample

plt.style.use(figures.STYLE)
angles = np.radians([0, 60, 120])
X = np.stack([np.cos(angles), np.sin(angles)], axis=1)
task = Sample(X, X[[1, 2, 0]])
barrier = permutation_barrier(task, 3)  # with the best path that there is
risk, t = Risk(Network((2, 3, 2)), task), np.linspace(0, 1, 2001)
points = barrier.path.at(t)
heights = risk.batch(points)
Z = np.maximum(np.einsum("tij,nj->tin", points[:, :6].reshape(-1, 3, 2), X), 0)
wall = np.linalg.det(Z)
figure, (top, bottom) = plt.subplots(2, sharex=True)
top.plot(t, heights)
top.axhline(1 / 6, color="#D55E00", linestyle=":", label="1/6: no path stays below")
top.set_ylabel("risk")
top.legend()
bottom.plot(t, wall)
bottom.axhline(0, color="grey", linewidth=0.5)
bottom.set(ylabel="det Z", xlabel="share of the best path from a solution to its swap")
plt.show()

# %% [markdown]
# **You should see** det Z change sign along the path, and the risk at 1/6 there: where det Z vanishes the risk is at least 1/6. (It stays at
# 1/6 for most of the way, also where det Z does not vanish: a best path need not be a low one elsewhere.) A path that stayed below 1/6 would refute it.

# %%
print("det Z at both ends", wall[0], wall[-1])
crossing = np.abs(wall) < 1e-9
print(
    "least risk where det Z vanishes",
    heights[crossing].min() if crossing.any() else "(no sampled point)",
    " 1/6 =",
    1 / 6,
)

# %% [markdown]
# ## The wall
# Three units on three points: $Z = \rho(W_1 X)$ is square. Swapping two units swaps two rows and turns the sign of its determinant, so every path
# from a net to its swap meets $\det Z = 0$. **Why the wall has a height:** there one unit is a combination of the other two on all the data, and two
# units would do as well; so the risk there is at least $e(2)$, the best that two units can do.
#
# **You should see** a lower and an upper bound that agree to all digits: the barrier is known exactly.

# %%
print(barrier.reason.value)
print("lower", barrier.lower, " upper", barrier.upper, " 1/6 =", 1 / 6)

# %%
from theory.maxima import path_maximum

print("certified maximum of the path in the picture", path_maximum(risk, barrier.path).upper)

# %% [markdown]
# ## One more unit
# With four units one can be freed, and the swap costs nothing. **Why:** an idle unit is the hole of the fifteen puzzle (notebook 3).
# **You should see** an upper bound of zero up to rounding.

# %%
free = permutation_barrier(task, 4)
print(free.reason.value, f" upper {free.upper:.12f}")

# %% [markdown]
# ## Other triangles
# The height depends on the data alone. Turn the third point from 65° to 175°. **Why it starts near zero and levels off:** points that nearly agree
# cost little to confuse, and no wall is higher than 1/3, the price of giving up one of three points of norm one. **You should see** heights that
# grow with the angle, 1/6 at 120° among them; each is exact up to rounding.

# %%
turned = np.radians(np.arange(65, 176, 5))
lower = []
for angle in turned:
    Y = np.stack([np.cos([0, np.pi / 3, angle]), np.sin([0, np.pi / 3, angle])], axis=1)
    lower.append(permutation_barrier(Sample(Y, Y[[1, 2, 0]]), 3).lower)
plt.plot(np.degrees(turned), lower, ".-")
plt.axhline(1 / 6, color="#D55E00", linestyle=":", label="1/6, the triangle above")
plt.gca().set(xlabel="third point at (degrees)", ylabel="height of the wall")
plt.legend()
plt.show()

# %% [markdown]
# ## Exercises
# On which side of the wall, and how high is it for other triangles? The answers tried here are wrong: read the smallest failure, then put your own
# function there. Stuck? `print(exercises.hint("ex-10"))`.

# %%
from checks import exercises

print(exercises.show("ex-10"))
print(exercises.verify("ex-10", lambda W, X: 1.0))

# %%
print(exercises.show("ex-11"))
print(exercises.verify("ex-11", lambda X: 1 / 6))
