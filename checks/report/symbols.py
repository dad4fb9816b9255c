"""Mathematics that is written in letters and signs of the keyboard, in those of Unicode: for terminals and for the page."""

from __future__ import annotations

import re

LETTERS = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "eps": "ε", "zeta": "ζ", "eta": "η", "theta": "θ",
    "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "pi": "π", "rho": "ρ", "sigma": "σ", "tau": "τ", "phi": "φ",
    "psi": "ψ", "omega": "ω", "Delta": "Δ", "Theta": "Θ", "Lambda": "Λ", "Sigma": "Σ", "Phi": "Φ", "Omega": "Ω",
    "infinity": "∞", "sqrt": "√",
}  # fmt: skip
SIGNS = {"<=": "≤", ">=": "≥", "!=": "≠", "->": "→", "~=": "≈", "+-": "±"}
SUPERSCRIPTS = str.maketrans("0123456789+-=()nijkm", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿⁱʲᵏᵐ")
SUBSCRIPTS = str.maketrans("0123456789ijkmn", "₀₁₂₃₄₅₆₇₈₉ᵢⱼₖₘₙ")

_SIGN = re.compile(r"(?<![<>=!~+*/-])(?:<=|>=|!=|->|~=|\+-)(?![<>=!~*/-])")
_RAISED = r"\^(-?\d+|\((?:[-+ \d]|[nijkm](?![a-z]))+\)|[nijkm](?!\w))"
_POWER = re.compile(rf"(?<=[\w)|\]}}]){_RAISED}")
_INDEX = re.compile(r"(?<![^\W\d_])(?<!\d)(?<!_)([^\W\d_])_(\d+|[ijkmn])(?![\w{(])")
_ONE_WORD = re.compile(
    r"(?:(?<![\w.\-])|(?<=\b[A-Z]_))("
    + "|".join(sorted(LETTERS, key=len, reverse=True))
    + r")(?=[_\d]|\b)(?!-?[a-z])(?!\.\w)"
)


def typeset(text: str) -> str:
    """The text with Greek letters, relations, powers and indices as characters; words and identifiers stay.

    >>> typeset("{F <= lambda} needs theta_0 -> theta_1 with E|QX|^2 >= 1/m^(-2)")
    '{F ≤ λ} needs θ₀ → θ₁ with E|QX|² ≥ 1/m⁻²'
    >>> typeset("prop-2.1-nonstrict, stays_below, lambda-terms, m^(-1/n)")
    'prop-2.1-nonstrict, stays_below, lambda-terms, m^(-1/n)'
    """
    text = re.sub(r"\bsum(?=_)", "Σ", text)
    text = _SIGN.sub(lambda match: SIGNS[match[0]], text)
    text = _ONE_WORD.sub(lambda match: LETTERS[match[1]], text)
    text = _POWER.sub(lambda match: match[1].strip("()").replace(" ", "").translate(SUPERSCRIPTS), text)
    return _INDEX.sub(lambda match: match[1] + match[2].translate(SUBSCRIPTS), text)


def typeset_markdown(text: str) -> str:
    """The same for Markdown: formulas and code in it stay as they are."""
    parts = re.split(r"(\$[^$]*\$|`[^`]*`)", text)
    return "".join(part if k % 2 else typeset(part) for k, part in enumerate(parts))
