# %% [markdown]
# # 3. The fifteen puzzle: wide linear nets are connected
#
# **Level** ** · fifteen minutes · you need rank and linear dependence · in a checkout
# `python -m pip install ".[notebooks]" && jupyter lab notebooks`
#
# Two linear nets of four layers, one with a layer of zeros, one out of balance by a million. The straight line between them climbs; a path of
# four kinds of moves, found without any training, never rises above the worse of the two.

# %%
import matplotlib.pyplot as plt
import numpy as np

import figures
from theory import linear_paths
from theory.networks import Network
from theory.risk import Risk, Sample

plt.style.use(figures.STYLE)
rng = np.random.default_rng(0)
net = Network((3, 4, 5, 4, 2), activation="identity")
risk = Risk(net, Sample(rng.standard_normal((20, 3)), rng.standard_normal((20, 2))))
a, b = rng.standard_normal((2, net.size))
a[net.slices[1]] = 0.0
b[net.slices[0]] *= 1e-3
b[net.slices[2]] *= 1e3
path = linear_paths.connect(risk, a, b)
t = np.linspace(0, 1, 2000)
plt.plot(t, risk.batch(path.at(t)), label=f"path of {len(path)} moves")
plt.plot(t, risk.batch((1 - t)[:, None] * a + t[:, None] * b), label="straight line")
plt.axhline(max(risk(a), risk(b)), color="grey", linestyle=":", label="the worse of the two nets")
plt.gca().set(xlabel="share of the way from one net to the other", ylabel="risk", yscale="log")
plt.legend()
plt.show()

# %% [markdown]
# **You should see** the dashed line rise far above the dotted one, and the solid one stay at or below it. What would refute the theorem: one
# point of the solid line above. The picture is sampled; here is the certified maximum: a bound, so a few last digits above what is attained.

# %%
from checks import predicates
from theory.maxima import path_maximum

print("certified", path_maximum(risk, path).upper, " the worse net", max(risk(a), risk(b)))
print("stays below:", bool(predicates.stays_below(risk, path, max(risk(a), risk(b)))))
print("one layer at a time:", bool(predicates.moves_one_layer_at_a_time(risk, path)))

# %% [markdown]
# ## Four moves by hand
# Three units on two inputs: their rows are dependent, so one can be *freed*: its outgoing weights go to zero while the others take over. Then
# it is idle, the hole of the fifteen puzzle, and can be *placed* anywhere, as nothing sees its incoming row. *Transfer* hands outgoing weights to a
# unit with a parallel row; *refit* moves a second layer, and is the only move that changes the function. **Why it is enough:** with one hole every
# unit can be brought to every place, so any net becomes any other that computes the same; and along a refit the risk is convex.
#
# **You should see** a unit freed and the function unchanged to the last digits.

# %%
from theory.moves import Walk

small = Network((2, 3, 2), activation="identity")
theta = rng.standard_normal(small.size)
walk = Walk(small, theta)
unit = walk.free(1)
walk.place(1, unit, [1.0, 0.0])
before, after = small.weights(theta), small.weights(walk.theta)
print("moves:", "; ".join(walk.path.labels))
print("outgoing weights of the freed unit:", after[1][:, unit])
print("product of the layers changed by", np.abs(after[1] @ after[0] - before[1] @ before[0]).max())

# %% [markdown]
# ## One unit too few
# With a hidden width of only $\min(n_{in}, n_{out})$ there is no unit to spare, and the sign of a determinant cannot change: two components. The
# smallest case has one unit, $F(w_1, w_2) = (1 - w_2 w_1)^2$. **Why it is a wall:** from $w_2 w_1 > 0$ with both positive to both negative one must
# pass $w_2 w_1 \le 0$, where the risk is at least 1.
#
# **You should see** the level set fall into two parts, and be told so with the height of the wall.

# %%
w = np.linspace(-3, 3, 301)
heights = (1 - w * w[:, None]) ** 2
plt.figure(figsize=(4.2, 3.6))
plt.contourf(w, w, heights, levels=[0, 0.25, 0.5, 1], cmap="cividis")
plt.colorbar(label="risk (white: above 1)")
plt.plot([1, -1], [1, -1], "r:o")
plt.gca().set(xlabel="w1", ylabel="w2")
plt.show()
scalar = Risk(Network((1, 1, 1), activation="identity"), Sample([[1.0]], [[1.0]]))
try:
    linear_paths.connect(scalar, np.array([1.0, 1.0]), np.array([-1.0, -1.0]))
except ValueError as error:
    print(error)

# %% [markdown]
# ## Exercises
# Free a unit, and slide one into the hole, as `Walk` does. The answers tried here are wrong: read the smallest failure, then put your own function
# there. Stuck? `print(exercises.hint("ex-5"))`.

# %%
from checks import exercises

print(exercises.show("ex-5"))
print(exercises.verify("ex-5", lambda V, Z: np.zeros_like(V)))

# %%
print(exercises.show("ex-6"))
print(exercises.verify("ex-6", lambda W, v, hole, unit: [(W, v)]))
