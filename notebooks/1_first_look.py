# %% [markdown]
# # 1. A first look: from installation to a claim that breaks
#
# Ten minutes. The paper asks when the sublevel sets $\{F \le \lambda\}$ of a network's risk are connected. Every
# statement in it is an executable *claim* here. We run one, read its witness, and then look at what makes it go wrong.

# %%
import os

import matplotlib.pyplot as plt
import numpy as np

from checks import claims, exercises
from checks.examine import run_claim
from theory.maxima import segment_maximum
from theory.networks import Network
from theory.relu_kernel import kernel, printed_bounds, sharp_bounds
from theory.risk import Risk, Sample

FAST = bool(os.environ.get("HALFRECT_FAST"))

# %% [markdown]
# ## A claim
# Proposition 2.3 bounds the kernel $[w_1, w_2]_Z = E \max(0, \langle w_1, X\rangle) \max(0, \langle w_2, X\rangle)$
# from both sides. `run_claim` attacks it with random, degenerate and adversarial instances; the margin is how much room
# was left in the worst one. It then repeats the attack with a fault planted in the bound, which must be caught: a check
# that cannot fail proves nothing.

# %%
result = run_claim("prop-2.3")
print(claims.load("prop-2.3").statement)
print(result.status.name, "after", result.instances, "instances; worst margin", result.margin)
print("planted fault caught:", result.control_caught)

# %% [markdown]
# ## A claim that breaks
# The remark after it says that $[w_1, w_2]_Z \le \langle w_1, w_2 \rangle \, \|w_m\|_Z^2$. One atom, $X = w_m$, at 60
# degrees is enough: the left side is $\cos^2(30°) = 3/4$, the right side $\cos 60° = 1/2$.

# %%
alpha = np.pi / 3
w1, w2 = [np.cos(alpha / 2), -np.sin(alpha / 2)], [np.cos(alpha / 2), np.sin(alpha / 2)]
atom = Sample([[1.0, 0.0]], [[0.0]])
print("kernel:", kernel(w1, w2, atom), " claimed upper bound:", np.dot(w1, w2) * 1.0)
print(run_claim("remark-2.3-upper").witness.explanation)

# %% [markdown]
# ## How loose is a bound?
# The printed lower bound of Proposition 2.3 against the sharp one, on a random sample. The printed one soon falls below
# zero, where it says nothing, since the kernel is never negative. What would refute the picture: a line above the kernel.

# %%
rng = np.random.default_rng(0)
sample = Sample(rng.standard_normal((50, 2)), np.zeros((50, 1)))
angles = np.linspace(0.01, 3.1, 20 if FAST else 200)
first = np.stack([np.cos(angles / 2), -np.sin(angles / 2)], axis=1)
second = first * [1, -1]
plt.plot(angles, kernel(first, second, sample), "k", label="kernel")
plt.plot(angles, printed_bounds(first, second, sample).lower, ":", label="printed lower bound")
plt.plot(angles, sharp_bounds(first, second, sample).lower, "--", label="sharp lower bound")
plt.xlabel("angle between the two units (radians)")
plt.ylabel("kernel")
plt.ylim(-1, 1)
plt.legend()
plt.show()

# %% [markdown]
# ## The true maximum, not a grid's
# A hat of height 1 between two points of a 101-point grid: the grid sees nothing, the certified maximum everything.
# `value` is attained at `t`, and the risk is nowhere on the segment above `upper`, rounding included.

# %%
net = Network((1, 3, 1))
risk = Risk(net, Sample([[1.0]], [[0.0]]))
kinks = np.array([[0.501], [0.505], [0.509]])
a, b = (net.pack([t - kinks, [[250.0, -500.0, 250.0]]]) for t in (0.0, 1.0))
t = np.linspace(0, 1, 101)[:, None]
print("grid:", risk.batch((1 - t) * a + t * b).max())
print("certified:", segment_maximum(risk, a, b))

# %% [markdown]
# ## Exercises
# `exercises.verify` attacks your function and returns the smallest instance on which it fails. Each cell below tries a
# wrong answer: read why it is wrong, then put your own function there.

# %%
print(exercises.show("ex-1"))
print(exercises.verify("ex-1", lambda w1, w2, X: np.mean((X @ w1) * (X @ w2)), examples=20))

# %%
print(exercises.show("ex-2"))
print(exercises.verify("ex-2", lambda risk, theta_a, theta_b: max(risk(theta_a), risk(theta_b)), examples=20))
