# %% [markdown]
# # 2. Proposition 2.3 by hand
#
# With $p = (w_1 + w_2)/2$ and $d = (w_2 - w_1)/2$ the whole proposition is one line:
# $\langle x, w_1\rangle\langle x, w_2\rangle = \langle x, p\rangle^2 - \langle x, d\rangle^2$.

# %%
import os

import matplotlib.pyplot as plt
import numpy as np

from checks import exercises
from theory.relu_kernel import kernel, pair, proof_terms, sharp_bounds
from theory.risk import Sample

FAST = bool(os.environ.get("HALFRECT_FAST"))

# %% [markdown]
# ## The identity
# On the half-space $\langle x, p\rangle \ge 0$ the product of the two forms is never above the product of the two
# ReLUs, and off it the product of the ReLUs is never negative. So
# $E[(\langle X, p\rangle^2 - \langle X, d\rangle^2) 1\{\langle X, p\rangle \ge 0\}] \le [w_1, w_2]_Z$.

# %%
rng = np.random.default_rng(1)
X = rng.standard_normal((1000, 3))
w1, w2 = rng.standard_normal((2, 3))
w1, w2 = w1 / np.linalg.norm(w1), w2 / np.linalg.norm(w2)
p, d = (w1 + w2) / 2, (w2 - w1) / 2
print("identity off by", np.abs((X @ w1) * (X @ w2) - ((X @ p) ** 2 - (X @ d) ** 2)).max())
half = X @ p >= 0
left = np.mean(((X @ p) ** 2 - (X @ d) ** 2) * half)
print(left, "<=", kernel(w1, w2, Sample(X, np.zeros((1000, 1)))))

# %% [markdown]
# ## Where the printed proof breaks
# Let $A$ be where both units are active, and $B$ the rest of the half-space $\langle x, w_m\rangle \ge 0$ around the unit
# bisector $w_m$; $r = \cos(\alpha/2)$. The proof bounds $E_1 = r^2 E[\langle X, w_m\rangle^2 1_B]$ by $r^2 \sin^2\alpha\, E[|X|^2 1_B]$. For
# $\alpha > 2\pi/3$ a single atom in $B$ defeats it.

# %%
angles = np.linspace(0.1, 3.1, 12 if FAST else 60)
ratio = []
for alpha in angles:
    c, s = np.cos(alpha / 2), np.sin(alpha / 2)
    atom = Sample([[1.0, 1e-6 + c / s]], [[0.0]])  # just inside B
    terms = proof_terms([c, -s], [c, s], atom)
    ratio.append(float(terms.E1 / terms.e1_printed[0]))
plt.semilogy(angles, ratio, "k")
plt.axhline(1, linestyle=":", color="grey")
plt.axvline(2 * np.pi / 3, linestyle="--", color="grey")
plt.xlabel("angle (radians)")
plt.ylabel("E1 over its printed bound")
plt.show()

# %% [markdown]
# ## The constant 1 is optimal
# $X = (\tan(\alpha/2), \pm 1)$ makes the sharp bound an equality for $\alpha \le \pi/2$.

# %%
alpha = 0.8
g = pair([np.cos(alpha / 2), -np.sin(alpha / 2)], [np.cos(alpha / 2), np.sin(alpha / 2)])
extreme = Sample([[np.tan(alpha / 2), 1.0], [np.tan(alpha / 2), -1.0]], [[0.0], [0.0]])
bounds = sharp_bounds(g.w1, g.w2, extreme)
print("kernel", kernel(g.w1, g.w2, extreme), "norm form of the bound", bounds.norm)

# %% [markdown]
# ## Exercises
# The answers tried here are wrong: 0 is a lower bound, but not good enough, and one atom on the bisector is not in $B$.

# %%
print(exercises.show("ex-3"))
print(exercises.verify("ex-3", lambda w1, w2, X: 0.0, examples=100))

# %%
print(exercises.show("ex-4"))
print(exercises.verify("ex-4", lambda alpha: np.array([[1.0, 0.0]]), examples=10))
