"""The mathematics of Freeman & Bruna, *Topology and Geometry of Half-Rectified Network Optimization* (ICLR 2017).

The argument of the paper, and where each step of it stands. A sublevel set of the risk is connected when any two of
its points are joined by a path below the level. A hidden unit is *idle* when its outgoing weights vanish: its row
goes anywhere at no loss, and round one such unit everything else can be rearranged (`moves`); with more of them two
nets stand side by side (`crossing`). So widths suffice as soon as one unit can be spared. In a linear net n_in + 1
units are linearly dependent, so one of them can (`linear_paths.canonical`; n_out + 1 where that is less); in a ReLU
net N + 1 units are dependent on N samples (`exchange`, at every depth; with a penalty `pivots`). With fewer, room is
bought by saying the same with fewer units: how much that costs is a matter of the kernel of two units
(`relu_kernel`), of the convex second layer (`lasso`), of the least risk of m units (`oracle`) and of clusters
(`compression`), and the price is how far above the level the path must go (`relu_paths`; layer by layer at any depth
`deep_paths`). Where nothing is proved, strings of beads find paths (`string_sampling`, on `landscapes`), and where
there is no path, `barriers` prove it. What a path reaches is computed, never sampled (`maxima`). Whether all this is
so is asked by the claims: `checks.claims`, one module each, section by section.

The spine, an afternoon's reading in this order; everything else is workshop, for when a number is doubted
(`numerics` for arithmetic; `rays`, `atoms`, `simplex`, `staircase` for the second layer; `geodesics`,
`polynomial_tasks` for strings, `deep` for the nets of section 4.2; `population` for the oracle risk; `sublevel_trees` for
pictures of level sets):

    networks, losses, penalties, risk, paths   the alphabet (eqs 1-5)
    moves, crossing                  the mechanism: free, place, transfer, refit; and two nets side by side
    maxima.segments                  the true maximum along a segment and the bound above it: which method applies
    linear_paths.problem, canonical, cases     Proposition 2.2: what is asked, the path, which theorem applies
    relu_kernel.pairs, bounds        Proposition 2.3: two units, their kernel, its bounds
    lasso.solve, oracle.infinite_width         eqs (6) and (8): the second layer, e(infinity)
    compression.layers               delta of eq. (8)
    relu_paths.problem, sparsify, six_segments, sharper_routes, best_route     Theorem 2.4 and Corollary 2.5
    string_sampling.algorithms       section 3: Dynamic String Sampling
    barriers.invariants, lower_bounds, permutations; counterexamples           section 2.3.1, appendix E.1
    exchange, pivots                 after the paper: N + 1 units, at every depth and with the penalty
    deep_paths.route                 after the paper: Theorem 2.4 at any depth, any convex loss
    held_out.certificates            after the paper: the population's risk and error along a path, from held-out points
    alignment; masses; schatten_paths          after the paper: up to permutations; weight decay; Schatten norms by layer

Import a thing by name from the face of its chapter (`from theory.lasso import second_layer`); a chapter itself imports
only from chapters before it (tests/theory/test_imports.py has the table). Nothing here prints, plots or
reads configuration.

What means the same everywhere, and is not said again:

- risk, a `Risk` of a network on a sample; theta, theta_a, theta_b, theta_0 and theta_1, parameter vectors (P,) of its
  network, a batch (..., P); w1 and w2, vectors of the input space (..., n); path, a `Path`; sample, a `Sample`, with
  inputs X (N, n) and targets Y (N, n_out);
- kappa >= 0, the factor of the penalty (in `string_sampling` of the distance to the hyperplane, as in appendix A);
  level, the lambda of the sublevel set {F <= lambda}; risks, levels and bounds are in the units of Y squared, or of Y
  under the absolute loss (the other losses have none), and t in [0, 1] has none;
- rng, a `numpy.random.Generator` or a seed for one (None: a fresh seed);
- what is not of the shape or type described, NaN, infinity and numbers out of the stated range raise ValueError, which
  names the argument, what it was and what is allowed.
"""

from theory import former_addresses as former_addresses  # addresses that older scripts import
