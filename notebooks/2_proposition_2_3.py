# %% [markdown]
# # 2. Proposition 2.3 by hand, and where its printed proof breaks
#
# **Level** ** · fifteen minutes · you need notebook 1 and the angle addition formulas · in a checkout
# `python -m pip install ".[notebooks]" && jupyter lab notebooks`
#
# The proposition is true. A step of its proof is not: beyond an angle of 120° between the units one data point defeats it.

# %%
import matplotlib.pyplot as plt
import numpy as np

import figures
from theory.relu_kernel import proof_terms
from theory.risk import Sample

plt.style.use(figures.STYLE)


def excess(alpha):
    """E1 over what the proof says that it is at most, for one point just inside B."""
    c, s = np.cos(alpha / 2), np.sin(alpha / 2)
    terms = proof_terms([c, -s], [c, s], Sample([[1.0, 1e-6 + c / s]], [[0.0]]))
    return float(terms.E1 / terms.e1_printed[0])


angles = np.linspace(0.1, 3.1, 60)
plt.semilogy(angles, [excess(alpha) for alpha in angles], label="one data point")
plt.axhspan(1, 1e3, color="#D55E00", alpha=0.12, linewidth=0, label="the step is false")
plt.axvline(2 * np.pi / 3, color="grey", linestyle=":", label="120°")
plt.gca().set(xlabel="angle α of the two units (radians)", ylabel="E1 over its printed bound", ylim=(None, 1e3))
plt.legend(loc="upper left")
plt.show()

# %% [markdown]
# **You should see** the curve enter the shaded half at 120°, and climb.
#
# ## The identity
# With $p = (w_1 + w_2)/2$ and $d = (w_2 - w_1)/2$ the whole proposition is one line:
# $\langle x, w_1\rangle\langle x, w_2\rangle = \langle x, p\rangle^2 - \langle x, d\rangle^2$. **Why that is enough:** on the half-space
# $\langle x, p\rangle \ge 0$ the product of the two forms is never above the product of the two ReLUs, and off it the product of the ReLUs is
# never negative. So $E[(\langle X, p\rangle^2 - \langle X, d\rangle^2) 1\{\langle X, p\rangle \ge 0\}] \le [w_1, w_2]_Z$.
#
# **You should see** an identity up to rounding, and the left side below the right one.

# %%
from theory.relu_kernel import kernel

rng = np.random.default_rng(1)
X = rng.standard_normal((1000, 3))
w1, w2 = rng.standard_normal((2, 3))
w1, w2 = w1 / np.linalg.norm(w1), w2 / np.linalg.norm(w2)
p, d = (w1 + w2) / 2, (w2 - w1) / 2
print("identity off by", np.abs((X @ w1) * (X @ w2) - ((X @ p) ** 2 - (X @ d) ** 2)).max())
left = np.mean(((X @ p) ** 2 - (X @ d) ** 2) * (X @ p >= 0))
print(f"{left:.6f} <= {kernel(w1, w2, Sample(X, np.zeros((1000, 1)))):.6f}")

# %% [markdown]
# ## The step that breaks
# Let $A$ be where both units are active, and $B$ the rest of the half-space around the unit bisector $w_m$; $r = \cos(\alpha/2)$. The proof
# bounds $E_1 = r^2 E[\langle X, w_m\rangle^2 1_B]$ by $r^2 \sin^2\alpha\, E[|X|^2 1_B]$. **Why it fails:** a point of $B$ makes an angle of at
# least $(\pi - \alpha)/2$ with $w_m$, so that $\sin^2(\alpha/2)$ is what it can reach, and the printed $\sin^2\alpha$ is smaller beyond 120°.
# The identity above needs neither.
#
# **You should see** on the left the point that does it, in $B$ beside $A$; on the right the two factors cross at 120°.

# %%
figure, (plane, curve) = plt.subplots(1, 2)
c, s = np.cos(1.25), np.sin(1.25)  # half of an angle of 143 degrees
plane.fill([0, 0, 2, 2], [0, 2, 2, 2 * c / s], color="#E69F00", alpha=0.3, linewidth=0)
plane.fill(
    [0, 0, 2, 2], [0, -2, -2, -2 * c / s], color="#E69F00", alpha=0.3, linewidth=0, label="B: one unit is silent"
)
plane.fill([0, 2, 2], [0, 2 * c / s, -2 * c / s], color="#56B4E9", alpha=0.4, linewidth=0, label="A: both are active")
for x, y, name in ((c, -s, "w1"), (c, s, "w2"), (1, 0, "bisector")):
    plane.annotate(name, (0, 0), (1.25 * x, 1.25 * y), va="center", arrowprops={"arrowstyle": "<-"})
plane.plot(1, c / s + 0.04, "ko")
plane.set(xlim=(-0.1, 2), ylim=(-1.6, 2), aspect="equal", xticks=[], yticks=[])
plane.legend(loc="upper right")
curve.plot(angles, np.sin(angles / 2) ** 2, label="what E1 can reach: sin²(α/2)")
curve.plot(angles, np.sin(angles) ** 2, label="what is printed: sin²α")
curve.axvline(2 * np.pi / 3, color="grey", linestyle=":")
curve.set(xlabel="angle α (radians)", ylabel="factor", ylim=(0, 1.4))
curve.legend(loc="upper left")
plt.show()

# %% [markdown]
# ## The constant 1 is optimal
# The points $(\tan(\alpha/2), \pm 1)$ and $(1, 0)$ make the sharp bound an equality. **Why look for one:** a bound that is attained cannot be
# improved, so the search is over. **You should see** the same number twice.

# %%
from theory.relu_kernel import pair, sharp_bounds

alpha = 0.8
g = pair([np.cos(alpha / 2), -np.sin(alpha / 2)], [np.cos(alpha / 2), np.sin(alpha / 2)])
extreme = Sample([[np.tan(alpha / 2), 1.0], [np.tan(alpha / 2), -1.0], [1.0, 0.0]], np.zeros((3, 1)))
print(f"kernel {kernel(g.w1, g.w2, extreme):.12f}   bound {sharp_bounds(g.w1, g.w2, extreme).norm:.12f}")

# %% [markdown]
# ## Exercises
# The answers tried here are wrong: the first takes the remark's upper bound for a lower one, and a point on the bisector is not in $B$.
# Stuck? `print(exercises.hint("ex-3"))`.

# %%
from checks import exercises

print(exercises.show("ex-3"))
print(exercises.verify("ex-3", lambda alpha, square, norm: np.cos(alpha) * square))

# %%
print(exercises.show("ex-4"))
print(exercises.verify("ex-4", lambda alpha: np.array([[1.0, 0.0]])))
