"""Mathematics in Unicode, verdicts in words, and tables for terminals of every width."""

import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from sample_results import ledger, result

from checks import claims, programs
from checks.claim import Evidence, Standing, Status, Tightness, Verdict
from checks.report import terminal, words
from checks.report.symbols import LETTERS, SIGNS, typeset, typeset_markdown

TEXTS = [
    text
    for claim in map(claims.load, claims.available())
    for text in (claim.headline, claim.instead, claim.statement, claim.proof, claim.fault, claim.repaired or "")
]


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("{F <= lambda}", "{F ≤ λ}"),
        ("E|QX|^2 >= 0", "E|QX|² ≥ 0"),
        ("theta_0 -> theta_1", "θ₀ → θ₁"),
        ("sum_i |b_i|, j != k", "Σᵢ |bᵢ|, j ≠ k"),
        ("W_k ... W_1, U_theta, e(infinity)", "Wₖ ... W₁, U_θ, e(∞)"),
        ("x^-1, x^(n+1), 2^n", "x⁻¹, xⁿ⁺¹, 2ⁿ"),
        ("m^(-1/n), 2^Depth, a^{b}", "m^(-1/n), 2^Depth, a^{b}"),
        ("prop-2.1 stays_below(theta) pieces_2 lambda-terms", "prop-2.1 stays_below(θ) pieces_2 lambda-terms"),
        ("the sum of alphabets, a pin, an eta", "the sum of alphabets, a pin, an η"),
        ("if a <- b, a == b, a <= = b, --data", "if a <- b, a == b, a ≤ = b, --data"),
    ],
)
def test_mathematics_becomes_unicode_and_words_stay(typed, read):
    assert typeset(typed) == read
    assert typeset(read) == read


def keyboard(text):
    """The text as it is typed, up to the signs that powers and indices need, and names with one letter for both."""
    for name, letter in LETTERS.items():
        text = text.replace(letter, name)
    for name, sign in SIGNS.items():
        text = text.replace(sign, name)
    raised, lowered = "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿⁱʲᵏᵐ", "₀₁₂₃₄₅₆₇₈₉ᵢⱼₖₘₙ"
    text = text.translate(str.maketrans(raised + lowered, "0123456789+-nijkm0123456789ijkmn"))
    return re.sub(r"[_^() ]", "", text).replace("epsilon", "eps").replace("sum", "Sigma")


@given(st.sampled_from(TEXTS) | st.text(alphabet="abxΣ_^<=>-!(){}|0123 .nlambdaeta", max_size=40))
def test_typesetting_loses_nothing(text):
    assert keyboard(typeset(text)) == keyboard(text)


def test_formulas_and_code_in_markdown_stay():
    assert typeset_markdown(r"alpha <= $\alpha <= x^2$ and `a <= b`") == r"α ≤ $\alpha <= x^2$ and `a <= b`"


def test_every_word_has_its_meaning():
    assert set(words.EVIDENCE) == set(Evidence)
    assert set(words.CALLED) == set(Standing)
    assert set(words.ASSERTS) == set(Tightness)
    assert set(words.VERDICTS) == {verdict.value for verdict in Verdict} | {"none"} == set(terminal.OF_VERDICTS)
    assert set(terminal.IN_NUMBERS) == set(Status)
    for claim in map(claims.load, claims.available()):
        assert words.verdict(claim).startswith(f"{claim.verdict.value}: ")


def test_how_many_are_false_counts_statements_of_the_paper_only():
    def said(*ids):
        return words.how_many_are_false((claims.load(name), result(name)) for name in ids)

    assert said("sharper-N+1") == ""
    assert said("prop-2.1") == "Of 1 statement of the paper, none is false and none needs repair."
    assert (
        said("prop-2.1", "prop-2.2", "sharper-N+1") == "Of 2 statements of the paper, none is false and 1 needs repair."
    )
    assert said("abstract-exponential", "alg-1-runtime", "prop-2.2-width") == (
        "Of 3 statements of the paper, 3 are false and none needs repair."
    )
    assert said("prop-2.1", "prop-2.1-nonstrict").endswith("; of 1 reading not in print, 1 is false.")


def written(what, width, terminal_=True):
    console = Console(file=io.StringIO(), width=width, force_terminal=terminal_, color_system=None)
    console.print(what)
    return console.file.getvalue()


@pytest.mark.parametrize("width", [60, 80, 99, 100, 120, 200])
def test_the_list_is_readable_at_every_width(width):
    every = [claims.load(name) for name in claims.available()]
    text = written(terminal.catalogue(every, width), width)
    lines = text.splitlines()
    assert max(map(len, lines)) <= width
    for claim in every:
        line = next(line for line in lines if line.split()[:1] == [claim.id])
        assert line.split()[1] == claim.verdict.value  # never cut
        assert (claim.evidence.value in line.split()) >= (width >= 100)
    squeezed = " ".join(text.split())
    assert all(title in squeezed for title in claims.CATALOGUE)
    counts = re.search(r"(\d+) claims: (\d+) holds, (\d+) repaired, (\d+) refuted, (\d+) open", squeezed)
    assert int(counts[1]) == len(every) == sum(int(count) for count in counts.groups()[1:])


@pytest.mark.parametrize("width", [50, 70, 80, 120])
def test_no_verdict_is_cut_in_the_table_of_a_run(width):
    text = written(terminal.ledger(ledger(), width), width)
    for claim_id in claims.available():
        line = next(line for line in text.splitlines() if line.split()[:1] == [claim_id])
        assert claims.load(claim_id).verdict.value in line.split()


@pytest.mark.parametrize("claim_id", ["prop-2.1", "prop-2.1-nonstrict", "sharper-N+1", "prop-2.2", "app-a-hyperplane"])
def test_a_claim_by_name_tells_its_verdict_in_words(claim_id):
    claim = claims.load(claim_id)
    text = " ".join(written(terminal.details(claim, result(claim_id)), 300).split())
    assert f"verdict {words.verdict(claim)}" in text
    assert claim.headline in text
    assert f"planted {claim.fault}: caught" in text
    assert ("true is " + claim.instead in text) == bool(claim.instead)
    assert "repaired " not in text.replace(words.verdict(claim), "").replace(claim.statement, "").replace(
        claim.proof, ""
    )
    assert typeset(claim.statement) in " ".join(written(terminal.details(claim, result(claim_id), True), 3000).split())


def test_a_run_that_differs_says_so_beside_the_verdict():
    odd = result("prop-2.1", status=Status.DIFFERS, verdict=Verdict.REFUTED)
    assert "this run: refuted, the outcome is not the recorded verdict" in written(
        terminal.details(claims.load("prop-2.1"), odd), 300
    )


def test_numbers_and_nouns_agree():
    def closing(*statuses):
        found = [result("prop-2.1", status=status) for status in statuses]
        return written(terminal.summary(found, len(found), 0, "quick", 1.0), 300).splitlines()[0]

    assert closing(Status.AGREES).startswith("1 claim: 1 agrees. ")
    assert closing(Status.AGREES, Status.AGREES).startswith("2 claims: 2 agree. ")
    assert closing(Status.AGREES, Status.BROKEN, Status.BROKEN).startswith("3 claims: 1 agrees, 2 are broken. ")
    assert closing(Status.ERROR).startswith("1 claim: 1 ended in an error. ")


def test_planted_faults_are_said_in_words():
    text = " ".join(written(terminal.controls([result("prop-2.1")]), 300).split())
    assert claims.load("prop-2.1").fault in text


def test_what_is_piped_is_not_padded():
    console = programs.Unpadded(file=io.StringIO(), width=120)
    console.print(terminal.ledger(ledger(), 120))
    console.print(terminal.details(claims.load("prop-2.1"), result("prop-2.1")))
    console.print("x", end="")
    text = console.file.getvalue()
    assert text.endswith("x")
    assert not [line for line in text.splitlines() if line != line.rstrip()]


def test_verdicts_have_colours_on_a_terminal():
    console = Console(file=io.StringIO(), width=120, force_terminal=True, color_system="standard")
    console.print(terminal.catalogue([claims.load("prop-2.1"), claims.load("abstract-exponential")], 120))
    assert "\x1b[32mholds" in console.file.getvalue()
    assert "\x1b[31mrefuted" in console.file.getvalue()
