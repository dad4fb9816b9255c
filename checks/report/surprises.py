"""What a careful reading found: what the paper says, what is true, where the proof is. README prints the same table."""

from __future__ import annotations

import html
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from checks.report import pictures, sketches
from checks.report.pictures import Picture
from checks.report.symbols import typeset


@dataclass(frozen=True)
class Surprise:
    """paper, true: a sentence each; claims: where the proof is; picture: the figure that shows it, or what draws it."""

    paper: str
    true: str
    claims: tuple[str, ...]
    picture: str | Callable[[], str]

    def __repr__(self) -> str:
        return f"Surprise({', '.join(self.claims)}: {self.true})"


SURPRISES = (
    Surprise(
        "ReLU level sets become connected at all levels as the width grows",
        "false as an exact statement: data on the circle give at least (m - 1)! components at levels in [e(m), e(m-1)), "
        "for every m >= 3; only the gap vanishes",
        ("cor-2.5-connected",),
        sketches.components,
    ),
    Surprise(
        "and on N samples?",
        "connected at all levels from m = N + 1 units on, at any depth, and with the penalty; m = N is not enough",
        ("sharper-N+1", "deep-exchange"),
        sketches.one_unit_more,
    ),
    Surprise(
        "the energy gap is O(m^(-1/n))",
        "a coin toss gives 1/m in every dimension, and dropping the least units 1/m^2 at any fixed level",
        ("sharper-drop",),
        "width",
    ),
    Surprise(
        "open question: more layers?",
        "yes, for any depth, convex loss and law of the data, under the path norm",
        ("multilayer-2.4",),
        "rates",
    ),
    Surprise(
        "conjecture: other regularisers give the same",
        "yes for weight decay on one hidden layer; no from two on: a wall that no width removes",
        ("rem-2.4-regularisation", "ridge-deep"),
        "ridge_wall",
    ),
    Surprise(
        "open question: empirical and oracle risk",
        "held-out points bound the population risk and the error along a whole path at once",
        ("held-out",),
        "deep_routes",
    ),
    Surprise(
        "open question: does it help to count permuted nets as one?",
        "no: not exactly, and not for the exponent 2",
        ("sec-5-symmetry",),
        sketches.walls,
    ),
    Surprise(
        "Theorem 2.4 needs Proposition 2.3",
        "it needs that ReLU is 1-Lipschitz; the printed constant fails by a change of units, and 8/27 is the right one",
        ("thm-2.4-constant",),
        "segments",
    ),
    Surprise(
        "from any linear net a strictly decreasing path leads to the lowest level",
        "a ridge net with one unit has a strict poor minimum, in rationals",
        ("prop-2.2-decreasing",),
        sketches.poor_minimum,
    ),
    Surprise(
        "linear nets: n_j > min(n_1, n_K) for j = 2..K-1",
        "every hidden width must be at least min(n_in, n_out) + 1; then one idle unit and a fifteen puzzle suffice",
        ("prop-2.2",),
        "product",
    ),
    Surprise(
        "two Gaussians disconnect two ReLUs, at risk 1/2",
        "the zero net is as good; repaired, the barrier grows like the square of the separation",
        ("sec-2.3.1-gaussians",),
        sketches.separation,
    ),
    Surprise(
        "a disconnection cannot be proved numerically",
        "for the paper's own task (a net and its copy with two units swapped) it is a determinant, with the exact height "
        "of the barrier",
        ("app-e1-disconnected",),
        "permutation",
    ),
    Surprise(
        "level sets become exponentially more curvy",
        "by the paper's own figure, like a power law",
        ("abstract-exponential",),
        sketches.power_law,
    ),
    Surprise(
        "the cubic task's spike is the onset of non-convexity",
        "it is the plateau of the best constant predictor",
        ("fig-1-cubic-spike",),
        "spike",
    ),
)


def cards(shown: Collection[str], figures: Iterable[Picture]) -> str:
    """A card for every surprise whose claims are shown; the picture is left out where it was not drawn."""
    drawn = {figure.name: figure for figure in figures}
    return "".join(_card(one, drawn) for one in SURPRISES if set(one.claims) <= set(shown))


def _card(one: Surprise, drawn: dict[str, Picture]) -> str:
    if isinstance(one.picture, str):
        picture = pictures.drawn(drawn[one.picture]) if one.picture in drawn else ""
    else:
        picture = one.picture()
    where = ", ".join(f'<a href="#{html.escape(name)}">{html.escape(name)}</a>' for name in one.claims)
    return (
        f'<article class="card"><dl><dt>In the paper</dt><dd>{_sentence(one.paper)}</dd>'
        f'<dt>What is true</dt><dd class="true">{_sentence(one.true)}</dd></dl>'
        f'{picture}<p class="proof">Proof and numbers: {where}</p></article>'
    )


def _sentence(text: str) -> str:
    text = typeset(text)
    return html.escape(text[0].upper() + text[1:] + ("" if text.endswith("?") else "."))
