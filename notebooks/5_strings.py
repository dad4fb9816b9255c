# %% [markdown]
# # 5. Strings and geodesics on your own data
#
# Dynamic String Sampling puts beads between two trained nets until the risk stays below a level. Here a connection is
# reported only with a certificate, and then shortened inside the level set.

# %%
import os

import matplotlib.pyplot as plt
import numpy as np
from scipy.optimize import minimize

from checks import exercises
from theory import geodesics, string_sampling
from theory.networks import Network
from theory.paths import Path
from theory.risk import Risk, Sample

FAST = bool(os.environ.get("HALFRECT_FAST"))
rng = np.random.default_rng(4)

# %% [markdown]
# ## Your data
# Replace X (N, n) and Y (N, 1) by your own table, standardised. The paper's quadratic task stands in. The level is a
# tenth of the risk of the best constant: take a higher one where training does not get there.

# %%
X = np.linspace(0, 1, 60 if FAST else 256)[:, None]
Y = 0.5 * X**2 + 0.25 * X + 0.1
net = Network((X.shape[1], 4, 4, Y.shape[1]), activation="tanh", bias=True)
risk = Risk(net, Sample(X, Y))
level = 0.1 * float(np.mean((Y - Y.mean(axis=0)) ** 2) * Y.shape[1])


def trained():
    """A net somewhat below the level, from one of twenty starts."""
    for _ in range(20):
        found = minimize(risk, rng.standard_normal(net.size), jac=risk.gradient, method="L-BFGS-B")
        if found.fun < 0.9 * level:
            return found.x
    raise ValueError(f"no start was trained below {level:.3g}: raise the level or the widths")


a, b = trained(), trained()
print("level", level, "risks", risk(a), risk(b))

# %% [markdown]
# ## The string
# `status` says what was found, and what to try where nothing was; only CONNECTED is a statement about the level set.

# %%
result = string_sampling.greedy(risk, a, b, level, rng=0)
print(result.status.name, "beads", result.beads, "certified maximum", result.maximum.upper)
print("normalised length", result.string.normalised_length)

# %% [markdown]
# ## Shorter
# The geodesic inside the level set is at most as long as what is found here. The certificate is kept.

# %%
if result.connected:
    shorter = geodesics.geodesic(risk, result.path, level, sweeps=4 if FAST else 40)
    print("length", shorter.before, "->", shorter.after, shorter.status.name)
    t = np.linspace(0, 1, 400)
    for path, style, name in (
        (Path(np.stack([a, b])), ":", "straight"),
        (result.path, "--", "string"),
        (shorter.path, "-", "shortened"),
    ):
        plt.plot(t, risk.batch(path.at(t)), style, label=name)
    plt.axhline(level, color="grey", linewidth=0.5)
    plt.yscale("log")
    plt.xlabel("path parameter")
    plt.ylabel("risk")
    plt.legend()
    plt.show()

# %% [markdown]
# ## Exercise
# What the paper plots. The answer tried here forgets to divide.

# %%
print(exercises.show("ex-9"))
print(exercises.verify("ex-9", lambda points: np.linalg.norm(np.diff(points, axis=0), axis=1).sum(), examples=10))
