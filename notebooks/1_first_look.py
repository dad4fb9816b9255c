# %% [markdown]
# # 1. A first look: a sentence of the paper that breaks
#
# **Level** * · ten minutes · you need means, scalar products and a little NumPy · in a checkout
# `python -m pip install ".[notebooks]" && jupyter lab notebooks`
#
# For two hidden units at an angle $\alpha$ the paper prints an upper bound of their kernel. One data point is enough to see it fail.

# %%
import matplotlib.pyplot as plt
import numpy as np

import figures
from theory.relu_kernel import kernel
from theory.risk import Sample

plt.style.use(figures.STYLE)
alpha = np.linspace(0, np.pi, 200)  # the angle between two units w1, w2
w1 = np.stack([np.cos(alpha / 2), -np.sin(alpha / 2)], axis=1)
w2 = w1 * [1, -1]
atom = Sample([[1.0, 0.0]], [[0.0]])  # all the data there is: one point, halfway between them
found, printed = kernel(w1, w2, atom), np.cos(alpha)
plt.plot(alpha, found, label="the kernel of the two units")
plt.plot(alpha, printed, label="what, as printed, it never exceeds")
plt.fill_between(alpha, printed, found, color="#D55E00", alpha=0.12)
plt.annotate("at 60° it is 3/4, not at most 1/2", (np.pi / 3, 0.75), (1.4, 0.85), arrowprops={"arrowstyle": "->"})
plt.gca().set(xlabel="angle α between the units (radians)", ylabel="[w1, w2] on one point")
plt.legend()
plt.show()

# %% [markdown]
# **You should see** the solid curve above the dashed one at every angle: the sentence is false, not only loose.
#
# ## The sentence, and its witness
# The kernel of two ReLU units is $[w_1, w_2]_Z = E \max(0, \langle w_1, X\rangle) \max(0, \langle w_2, X\rangle)$: how much they
# see of the same data. The remark after Proposition 2.3 says that $[w_1, w_2]_Z \le \langle w_1, w_2 \rangle \, \|w_m\|_Z^2$, with the
# bisector $w_m$ of the two. **Why it matters:** the paper measures the distance of units in this kernel, and its error terms, as printed, rest on such bounds.
#
# Every statement of the paper is a *claim* here, that is run. One that is false carries a witness, which is verified again each time.

# %%
from checks import claims
from checks.examine import run_claim

result = run_claim("remark-2.3-upper")
print(claims.load("remark-2.3-upper").statement)
print(result.witness.explanation)

# %% [markdown]
# ## A claim that holds
# Proposition 2.3 itself bounds the kernel from both sides. `run_claim` attacks it with random, degenerate and adversarial instances; the
# margin is how much room was left in the worst one. **Why believe it:** the attack is repeated with a fault planted in the bound, and that
# must be caught. A check that cannot fail proves nothing.
#
# **You should see** a margin of about zero (the bound is attained), never below it by more than rounding, and the fault caught.

# %%
result = run_claim("prop-2.3")
print(result.status.name, "after", result.instances, "instances; worst margin", result.margin)
print("planted fault caught:", result.control_caught)

# %% [markdown]
# ## How loose is a bound?
# The printed lower bound against the sharp one, on fifty random points. **Why two:** the printed one soon falls below zero, where it says
# nothing, since a kernel is never negative. **You should see** both below the kernel; a line above it would refute the bound.

# %%
from theory.relu_kernel import printed_bounds, sharp_bounds

points = Sample(np.random.default_rng(0).standard_normal((50, 2)), np.zeros((50, 1)))
a, b = w1[1:-1], w2[1:-1]
plt.plot(alpha[1:-1], kernel(a, b, points), label="kernel")
plt.plot(alpha[1:-1], sharp_bounds(a, b, points).lower, label="sharp lower bound")
plt.plot(alpha[1:-1], printed_bounds(a, b, points).lower, label="printed lower bound")
plt.axhline(0, color="grey", linewidth=0.5)
plt.gca().set(xlabel="angle α between the units (radians)", ylabel="kernel", ylim=(-1, 1))
plt.legend()
plt.show()

# %% [markdown]
# ## The true maximum, not a grid's
# Everywhere here a *bound* on a path is a bound: rounding included, every point between two grid points included. **Why that needs care:** this
# net's risk along a segment is a hat of height 1, between two points of a 101-point grid. **You should see** the dots at zero and the
# curve missed by all of them; `upper` is what the risk nowhere exceeds.

# %%
from theory.maxima import segment_maximum
from theory.networks import Network
from theory.risk import Risk

net = Network((1, 3, 1))
risk = Risk(net, Sample([[1.0]], [[0.0]]))
kinks = np.array([[0.501], [0.505], [0.509]])
start, end = (net.pack([t - kinks, [[250.0, -500.0, 250.0]]]) for t in (0.0, 1.0))
found = segment_maximum(risk, start, end)
t, grid = np.linspace(0.47, 0.54, 1001)[:, None], np.linspace(0.47, 0.54, 8)[:, None]
plt.plot(t, risk.batch((1 - t) * start + t * end), label="risk on the segment")
plt.plot(grid, risk.batch((1 - grid) * start + grid * end), "ko", linestyle="", label="grid of step 1/100")
plt.axhline(found.upper, color="#009E73", linestyle=":", label=f"certified: never above {found.upper:.6g}")
plt.gca().set(xlabel="t", ylabel="risk")
plt.legend()
plt.show()
print(found)

# %% [markdown]
# ## Exercises
# `exercises.verify` tries your function on small instances first and shows the smallest on which it fails, with an answer that would be right
# there. Each cell below tries a wrong answer: read why it is wrong, then put your own function there. Stars are the level; stuck?
# `print(exercises.hint("ex-1"))`.

# %%
from checks import exercises

print(exercises.show("ex-1"))
print(exercises.verify("ex-1", lambda w1, w2, X: np.mean((X @ w1) * (X @ w2))))

# %%
print(exercises.show("ex-2"))
print(exercises.verify("ex-2", lambda risk, theta_a, theta_b: max(risk(theta_a), risk(theta_b))))

# %% [markdown]
# **Next:** the same proposition by hand, and where its printed proof breaks, in notebook 2; two nets of your own, in notebook 5.
