"""Its tests: nothing but what anybody can import from an installed halfrect."""

from detour import connect, kernel
from hypothesis import given

from checks import predicates, strategies

NETWORKS = strategies.networks(min_depth=2, max_depth=2, output_activations=["identity"], biases=[False])
# A risk and two nets to be joined: dead units, parallel rows, zero layers, copies and reorderings among them.
PROBLEMS = strategies.problems(
    NETWORKS, penalties=[None, "second_layer_l1"], max_size=6, kinds=["generic", "rank_deficient"]
)


@given(strategies.samples(2, weighted=False), strategies.unit_pairs(2))
def test_my_kernel_obeys_proposition_2_3(sample, pair):
    mine = kernel(pair.w1, pair.w2, sample.X)
    assert predicates.kernel_within_bounds(pair.w1, pair.w2, sample, value=mine)
    assert predicates.kernel_within_bounds(pair.w1, pair.w2, sample, value=mine, sharp=True)


@given(PROBLEMS)
def test_my_path_joins_its_ends(problem):
    risk, a, b = problem
    assert predicates.connects(connect(risk, a, b), a, b)


@given(PROBLEMS)
def test_my_path_moves_one_layer_at_a_time(problem):
    risk, a, b = problem
    assert predicates.moves_one_layer_at_a_time(risk, connect(risk, a, b))


@given(PROBLEMS)
def test_my_path_stays_below_its_ends_and_the_zero_net(problem):
    risk, a, b = problem
    level = max(risk(a), risk(b), risk(0 * a))
    assert predicates.stays_below(risk, connect(risk, a, b), level, rtol=1e-4)  # a level may be 0
