# %% [markdown]
# # 5. Two trained nets, and yours: strings and geodesics
#
# **Level** * · ten minutes · you need to have trained a net with scikit-learn, or want to · in a checkout
# `python -m pip install ".[notebooks]" && jupyter lab notebooks`
#
# Two nets that scikit-learn trained on diabetes, from different seeds. Halfway along the straight line their average is twice as wrong as either;
# along a path that bends, the error is never above that of the worse one, and that is certified.

# %%
import matplotlib.pyplot as plt
from sklearn.datasets import load_diabetes
from sklearn.neural_network import MLPRegressor
from sklearn.preprocessing import scale

import figures
import halfrect

plt.style.use(figures.STYLE)
X, y = map(scale, load_diabetes(return_X_y=True))
net_a, net_b = (MLPRegressor(hidden_layer_sizes=(16,), max_iter=2000, random_state=seed).fit(X, y) for seed in (0, 1))
found = halfrect.connect(net_a, net_b, X, y, rng=0)
found.plot()
plt.show()
print(found)

# %% [markdown]
# **You should see** the dashed line rise to about 0.85 and the solid one stay below the dotted bound, near 0.41. (Digits depend on the version of
# scikit-learn.) **Why it matters:** the two nets looked like two valleys. They lie in one.
#
# ## What was tried
# Each way says why it does not apply, or what it gave. **Why in this order:** theorems are cheap and promise something before they are tried;
# strings are a search, and come last.
#
# **You should see** several theorems decline, most for want of units, and the search win.

# %%
for tried in found.routes:
    what = "no path" if tried.maximum is None else f"{tried.maximum.upper:.5f}"
    print(f"{tried.name:9} {what:>8}  {tried.reason}")

# %% [markdown]
# ## The string
# Dynamic String Sampling, Algorithm 1 of the paper: put a bead in the middle of a piece that is too high, train it until it lies below the level,
# and go on with both halves. **Why a certificate is needed:** the paper looks at beads and at points between them, and a hill may be narrower than
# any grid. Here `CONNECTED` is said only when the maximum over every piece is computed. Other words say what to try; they say nothing about the
# level set.
#
# **You should see** CONNECTED and a maximum at or below the level.

# %%
from theory import string_sampling

theta_a, theta_b = found.path.points[[0, -1]]
level = 1.02 * found.maximum.upper
string = string_sampling.greedy(found.risk, theta_a, theta_b, level, rng=0)
print(string.status.name, "with", string.beads, "beads; certified maximum", string.maximum.upper, "level", level)

# %% [markdown]
# ## Shorter
# The paper takes the length of the path over the distance of its ends for how curved a level set is. **Why shorten first:** a string is as long as
# its training left it; only a geodesic inside the level set says something about the set. What is found here is short, not proved shortest, and keeps
# its certificate.
#
# **You should see** the shortened path run just below the level all the way, and the normalised length fall.

# %%
from theory import geodesics

shorter = geodesics.geodesic(found.risk, string.path, level, sweeps=4)
figure, axes = plt.subplots(1, 2, sharey=True)
for ax, path, title in ((axes[0], string.path, "as trained"), (axes[1], shorter.path, "shortened")):
    halfrect.plot_path(found.risk, path, level=level, straight=False, ax=ax)
    ax.set_title(title)
low, high = axes[0].get_ylim()
axes[0].set_ylim(low - (high - low) / 2, high)  # room for the legends
plt.show()
print(
    f"normalised length {string.path.normalised_length:.3f} -> {shorter.path.normalised_length:.3f}, {shorter.status.name}"
)

# %% [markdown]
# ## Your own table
# Put the name of a file here: `.csv` with a header (the target is the column `y`, or the last one) or `.npz` with `X` and `y`. Columns are centred
# and scaled. Nets of your own work as well: `halfrect.connect` takes anything of scikit-learn, lists of arrays, and state dicts of PyTorch, Keras and
# Flax. `found.save("path.json")` writes a certificate that `halfrect verify path.json` checks in fractions, with nothing but Python.

# %%
MY_TABLE = ""  # such as "table.csv"

# %%
if MY_TABLE:
    from checks import tables

    sample = tables.read(MY_TABLE)
    X, y = sample.X, sample.Y[:, 0]
    net_a, net_b = (
        MLPRegressor(hidden_layer_sizes=(16,), max_iter=2000, random_state=seed).fit(X, y) for seed in (0, 1)
    )
    mine = halfrect.connect(net_a, net_b, X, y, rng=0)
    mine.plot()
    plt.show()
    print(mine)
else:
    print("No table given: set MY_TABLE in the cell above and run this one again.")

# %% [markdown]
# ## Exercise
# What the paper plots. The answer tried here forgets to divide. Stuck? `print(exercises.hint("ex-9"))`.

# %%
import numpy as np

from checks import exercises

print(exercises.show("ex-9"))
print(exercises.verify("ex-9", lambda points: np.linalg.norm(np.diff(points, axis=0), axis=1).sum()))
