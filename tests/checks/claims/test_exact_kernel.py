"""The integer terms of Proposition 2.3 against plain fractions, and the reach of their generators."""

from fractions import Fraction

import numpy as np
import pytest

from checks.claim import Setting
from checks.claims.section_2_3_2 import prop_2_3
from checks.claims.section_2_3_2.exact_kernel import (
    Atoms,
    Directions,
    directions,
    extremal,
    in_plane,
    integers,
    measures,
    relative,
    table,
    terms,
    trials,
)
from theory.relu_kernel.measures import second_moment_norm
from theory.relu_kernel.proof import proof_terms
from theory.risk import Sample


def brute_force(pair, atoms):
    """Kernel, c^2 ||w_m||^2, E1 and E2, atom by atom."""
    w1 = [Fraction(int(k), pair.q) for k in pair.k1]
    w2 = [Fraction(int(k), pair.q) for k in pair.k2]
    totals = dict.fromkeys(("kernel", "main", "E1", "E2"), Fraction(0))
    for x, weight in zip(atoms.X, atoms.weights):
        f, g = (sum(Fraction(int(a)) * b for a, b in zip(x, w)) for w in (w1, w2))
        weight = Fraction(int(weight), atoms.mass)
        totals["kernel"] += weight * max(f, 0) * max(g, 0)
        if f + g >= 0:
            totals["main"] += weight * (f + g) ** 2 / 4
            if f >= 0 and g >= 0:
                totals["E2"] += weight * (g - f) ** 2 / 4
            else:
                totals["E1"] += weight * (f + g) ** 2 / 4
    return totals


def test_the_terms_are_those_of_the_definitions():
    rng = np.random.default_rng(0)
    for _ in range(60):
        pair = directions(rng, int(rng.integers(1, 5)))
        assert (pair.k1**2).sum() == (pair.k2**2).sum() == pair.q**2
        for atoms in measures(rng, pair):
            t = terms(pair, atoms)
            for name, value in brute_force(pair, atoms).items():
                assert getattr(t, name) == value, (name, atoms.name)


def test_the_terms_agree_with_those_in_floats():
    rng = np.random.default_rng(1)
    sample = Sample(rng.standard_t(3, (20, 3)), np.zeros((20, 1)), rng.random(20))
    atoms = table(sample, "sample")
    factor = float(Fraction(float(sample.X[0, 0])) / int(atoms.X[0, 0])) ** 2
    for _ in range(20):
        pair = directions(rng, 3)
        w1, w2 = ([float(Fraction(int(k), pair.q)) for k in v] for v in (pair.k1, pair.k2))
        exact, floats = terms(pair, atoms), proof_terms(w1, w2, sample)
        for name in ("kernel", "E1", "E2"):
            assert float(getattr(exact, name)) * factor == pytest.approx(float(getattr(floats, name)), abs=1e-12)
        assert float(exact.sigma) * factor <= second_moment_norm(sample).upper
        assert float(exact.sigma) * factor >= second_moment_norm(sample).lower * (1 - 1e-6)


def test_pairs_reach_zero_pi_and_both_neighbourhoods():
    rng = np.random.default_rng(2)
    angles = np.array([directions(rng, 3).alpha for _ in range(400)])
    assert (angles == 0).any()
    assert (angles == np.pi).any()
    assert ((angles > 0) & (angles < 1e-7)).any()
    assert ((angles < np.pi) & (angles > np.pi - 1e-7)).any()
    assert ((angles > 1) & (angles < 2)).any()
    assert ((angles > 3 * np.pi / 4) & (angles < 3)).any()


def test_measures_reach_zero_atoms_single_atoms_walls_and_tails():
    rng = np.random.default_rng(3)
    seen = {}
    for _ in range(200):
        pair = directions(rng, 2)
        for atoms in measures(rng, pair):
            seen.setdefault(atoms.name, []).append((pair, atoms))
    assert any((atoms.X == 0).all(axis=1).any() for _, atoms in seen["lattice"])
    assert any((atoms.X == 0).all() for _, atoms in seen["one atom"])
    assert all(len(atoms.X) == 1 for _, atoms in seen["one atom"])
    for pair, atoms in seen["on both walls"]:
        if pair.s2 and pair.c2:
            assert (atoms.X @ pair.k1)[0] * (atoms.X @ pair.k2)[0] == 0
            assert terms(pair, atoms).kernel == 0
    assert any(terms(pair, atoms).E1 > 0 for pair, atoms in seen["beyond the walls"])
    spread = [np.abs(atoms.X).max() / max(np.median(np.abs(atoms.X)), 1) for _, atoms in seen["heavy-tailed"]]
    assert max(spread) > 1e4


def test_extremal_measures_attain_the_least_kernel():
    rng = np.random.default_rng(4)
    positive = 0
    for _ in range(100):
        pair = directions(rng, 3)
        t = terms(pair, extremal(pair, int(rng.integers(1, 5)), int(rng.integers(1, 5))))
        assert t.kernel == max(0, t.main - pair.s2 * t.sigma)
        positive += t.kernel > 0
    assert positive > 0


def test_pythagorean_pairs_have_the_angle_they_are_made_for():
    for numerator, denominator in ((0, 1), (1, 3), (1, 2), (3, 4), (1, 1)):
        pair = in_plane(numerator, denominator)
        assert (pair.k1**2).sum() == (pair.k2**2).sum() == pair.q**2
        assert pair.alpha == pytest.approx(4 * np.arctan2(numerator, denominator))


def test_floats_become_integers_exactly_and_large_tables_are_thinned():
    X = np.array([[0.1, -3.0, 1e-9], [0.0, 7e5, 2.5]])
    atoms = table(Sample(X, np.zeros((2, 1)), np.array([1.0, 3.0])), "t")
    ratio = Fraction(0.1) / int(atoms.X[0, 0])
    assert all(Fraction(x) == ratio * int(k) for x, k in zip(X.ravel().tolist(), atoms.X.ravel()))
    assert atoms.weights.tolist() == [1, 3]
    large = table(Sample(np.ones((180_000, 5)), np.zeros((180_000, 1))), "large")
    assert len(large.X) == 90_000


def test_signs_survive_the_conversion_to_float():
    assert relative(Fraction(1, 10**400), Fraction(1)) > 0
    assert relative(Fraction(-1, 10**400), Fraction(1)) < 0
    assert relative(Fraction(0), Fraction(0)) == 0


def test_trials_cover_the_tables():
    sample = Sample(np.array([[1.0], [-2.0]]), np.zeros((2, 1)))
    names = {atoms.name for _, atoms, _ in trials(Setting(np.random.default_rng(0), tables={"mine": sample}), 2)}
    assert "mine" in names


@pytest.mark.parametrize("part", prop_2_3.PARTS)
def test_each_part_of_the_check_of_proposition_2_3_catches_its_fault(part):
    sample = Sample(np.random.default_rng(0).standard_normal((30, 4)), np.zeros((30, 1)))
    for factor, holds in ((1.0, True), (0.1, False)):
        setting = Setting(np.random.default_rng(5), tables={"mine": sample})
        assert prop_2_3.attack(setting, factor=factor, parts=(part,)).holds is holds


def test_one_column_tables_are_ordinary():
    sample = Sample(np.array([[1.0], [-2.0], [0.0]]), np.zeros((3, 1)))
    assert prop_2_3.attack(Setting(np.random.default_rng(6), tables={"mine": sample})).holds
    assert (
        terms(Directions(integers([1]), integers([-1]), 1), Atoms(integers([[0]]), integers([1]), "nothing")).sigma == 0
    )
