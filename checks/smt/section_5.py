"""Section 5 and after: what rests on steps of earlier sections."""

from __future__ import annotations

from checks.smt import section_2_2, section_2_3_3
from checks.smt.statements import Lemma

LEMMAS: dict[str, tuple[Lemma, ...]] = {
    "ridge-deep": section_2_2.LEMMAS[
        "prop-2.2-ridge-depth"
    ],  # the wall of deep nets is that of the scalars, at every width
    "ridge-one-layer": section_2_3_3.LEMMAS["rem-2.4-regularisation"],
}
