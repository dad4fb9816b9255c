# %% [markdown]
# # 4. Six segments, and a coin toss instead
#
# **Level** *** · twenty minutes · you need expectation and variance, the idea of a convex problem · in a checkout
# `python -m pip install ".[notebooks]" && jupyter lab notebooks`
#
# Two ReLU nets, each the best second layer on random first-layer rows. Theorem 2.4 joins them without a hill; so does a shorter construction.

# %%
import matplotlib.pyplot as plt
import numpy as np

import figures
from theory import relu_paths
from theory.lasso import second_layer
from theory.networks import Network
from theory.risk import Risk, Sample

plt.style.use(figures.STYLE)
rng = np.random.default_rng(0)
X = rng.standard_normal((60, 3))
net = Network((3, 32, 1))
risk = Risk(net, Sample(X, np.sin(2 * X[:, :1])), kappa=0.05, penalty="second_layer_l1")
rows = rng.standard_normal((2, 32, 3))
rows /= np.linalg.norm(rows, axis=2, keepdims=True)
a, b = (net.pack([W, second_layer(np.maximum(X @ W.T, 0), risk.sample.Y[:, 0], risk.kappa).beta[None]]) for W in rows)
table = relu_paths.routes(risk, a, b, exhaustive=True, rng=0)
t = np.linspace(0, 1, 400)
for name, label in (
    ("maurey", "a coin toss"),
    ("straight", "straight line"),
    ("six_segment", "six segments (Theorem 2.4)"),
):
    plt.plot(t, risk.batch(table[name].path.at(t)), label=label)
plt.axhline(max(risk(a), risk(b)), color="grey", linestyle=":", label="the worse of the two nets")
plt.gca().set(xlabel="share of the way from one net to the other", ylabel="risk, with the penalty")
plt.legend()
plt.show()

# %% [markdown]
# **You should see** the straight line climb over a hill that both other paths avoid: they end where they must, at the dotted line.
#
# ## The printed path, repaired, piece by piece
# The setting of section 2.3: rows of $W_1$ on the unit sphere, penalty $\kappa |W_2|_1$. The path goes down to half of the units, across to the best
# net of few units that was found, and up again. **Why six:** every segment moves one layer, or units that carry nothing, so that the risk on it is
# convex. *certified* bounds the risk on the piece; it may not exceed what is *allowed* with the weights at hand, and that not what the *theorem*
# allows.
#
# **You should see** in each row certified ≤ allowed ≤ theorem. Rounding apart, anything else refutes the repair.

# %%
from theory.relu_paths import six_segment_report

report = six_segment_report(risk, a, b, active=16, angle=0.1, rng=0)
print("piece   certified   allowed   by the theorem")
for s in report.subpaths:
    print(f"{s.number:5}   {s.upper:9.4f}   {s.allowed:7.4f}   {s.theorem:14.4f}")

# %% [markdown]
# ## All routes
# What each one gives, what its theorem promises, and why it could not be taken. **Why promises differ:** the theorem's error terms need nearby units
# and a net of directions on the sphere, hence widths exponential in the dimension. The coin toss needs none.
#
# **You should see** several routes at the larger end, which no path undercuts, with very different promises.

# %%
for route in table.routes:
    print(
        f"{route.name:13} {route.status.name:10} maximum {route.upper:8.5f}  promised {route.allowed:8.5f}  {route.reason}"
    )

# %% [markdown]
# ## The coin toss
# A net $f = \sum_j v_j z_j$ is the mean of the random unit $|v|_1 \mathrm{sign}(v_j) z_j$, unit $j$ drawn with probability $|v_j| / |v|_1$. **Why it
# works in every dimension:** the mean of $l$ independent draws is off by a variance over $l$, and the dimension of the data does not enter. Some
# draw is no worse than the mean of all: that is Maurey's lemma.
#
# **You should see** a line of slope $-1$, and the simulated errors on it.

# %%
W, v = net.weights(a)
Z, weights = np.maximum(W @ X.T, 0), v[0]
f, norm = weights @ Z, np.abs(weights).sum()
variance = norm * np.abs(weights) @ (Z**2).mean(axis=1) - (f**2).mean()
units = np.array([1, 2, 4, 8, 16, 32, 64, 128])
errors = []
for count in units:
    draws = rng.choice(32, size=(400, count), p=np.abs(weights) / norm)
    tossed = norm * (np.sign(weights)[draws][:, :, None] * Z[draws]).mean(axis=1)
    errors.append(((tossed - f) ** 2).mean())
plt.loglog(units, variance / units, label="variance / units")
plt.loglog(units, errors, "ko", linestyle="", label="400 tosses")
plt.gca().set(xlabel="units drawn", ylabel="mean squared error")
plt.legend()
plt.show()

# %% [markdown]
# ## Enough units for the sample: no gap at all
# With $m \ge 2N$ Caratheodory's theorem replaces approximation: the level set is exactly connected. **Why:** $m > N$ features of $N$ points are
# dependent, so weight can be moved until $N$ units carry all, and the other half is free for the other net.
#
# **You should see** the certified maximum agree with the larger end to the last digits.

# %%
few = Risk(net, Sample(X[:16], np.sin(2 * X[:16, :1])), kappa=0.05, penalty="second_layer_l1")
best = relu_paths.routes(few, a, b).best
print(best.name, best.upper, " larger end", max(few(a), few(b)))

# %% [markdown]
# ## Exercises
# Caratheodory's theorem, and the variance of the coin toss. The answers tried here are wrong: read the smallest failure, then put your own function
# there. Stuck? `print(exercises.hint("ex-7"))`.

# %%
from checks import exercises

print(exercises.show("ex-7"))
print(exercises.verify("ex-7", lambda Z, v: v))

# %%
print(exercises.show("ex-8"))
print(exercises.verify("ex-8", lambda Z, v, units: 0.0))
