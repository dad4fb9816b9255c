"""The mathematics of Freeman & Bruna, *Topology and Geometry of Half-Rectified Network Optimization* (ICLR 2017).

One module per idea, in the paper's order; import them by name (`from theory.networks import Network`).
Nothing here prints, plots or reads configuration.

What means the same everywhere, and is not said again:

- risk, a `Risk` of a network on a sample; theta, theta_a, theta_b, theta_0 and theta_1, parameter vectors (P,) of its
  network, a batch (..., P); w1 and w2, vectors of the input space (..., n); path, a `Path`; sample, a `Sample`, with
inputs X (N, n) and targets Y (N, n_out);
- kappa >= 0, the factor of the penalty; level, the lambda of the sublevel set {F <= lambda}; risks, levels and bounds
  are in the units of Y squared, or of Y under the absolute loss, and t in [0, 1] has none;
- rng, a `numpy.random.Generator` or a seed for one (None: a fresh seed);
- what is not of the shape or type described, NaN, infinity and numbers out of the stated range raise ValueError, which
  names the argument, what it was and what is allowed.
"""
