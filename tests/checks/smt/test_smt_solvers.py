"""A solver that is missing, crashes, hangs or talks nonsense gives "unknown", in time and in silence."""

import os
import subprocess
import sys
import time
from fractions import Fraction

import pytest

from checks.smt import Session, solvers

TRUE = "(declare-const x Real)(assert (< (* x x) 0.0))"
FALSE = "(declare-const x Real)(assert (< (* x x) 9.0))(assert (< 2.0 x))"
ROOT = "(declare-const x Real)(assert (= (* x x) 2.0))(assert (< 0.0 x))"
HARD = "".join(f"(declare-const {v} Real)" for v in "abcdefgh") + (
    "(assert (= (+ (* a a a b c) (* d d e e f) (* g g h h h) (* a d g h)) 7.0))"
    "(assert (= (+ (* a b c d) (* e f g h) (* a a e e h h)) 3.0))(assert (< (+ (* a b d f h) (* c c e g g)) (- 5.0)))"
    "(assert (= (* a a a) (+ (* b b b) (* c c d) (* h h h e) 1.0)))(assert (= (+ (* b b c c) (* d g g g) f) (* e e e)))"
)


def worker(monkeypatch, tmp_path, body):
    """A session whose process runs this text instead of the worker."""
    file = tmp_path / "worker.py"
    file.write_text("import sys, time, os\n" + body)
    monkeypatch.setattr(solvers, "WORKER", file)
    monkeypatch.setattr(solvers, "GRACE", 0.3)
    return Session("z3")


def test_true_false_and_irrational():
    with Session("z3") as z3:
        assert z3.ask(TRUE, ("x",), 5.0).word == "unsat"
        answer = z3.ask(FALSE, ("x",), 5.0)
        assert answer.word == "sat"
        assert 2 < answer.model["x"] < 3
        root = z3.ask(ROOT, ("x",), 5.0)
        assert root.word == "sat"
        assert abs(root.model["x"] ** 2 - 2) < Fraction(1, 10**20)  # close, and for whoever asked to verify


@pytest.mark.parametrize("tactic", ["", "qfnra-nlsat"])
def test_tactics(tactic):
    with Session("z3") as z3:
        assert z3.ask(TRUE, ("x",), 5.0, tactic).word == "unsat"


def test_a_solver_that_is_not_installed(monkeypatch):
    monkeypatch.setattr(solvers, "available", lambda name: False)
    with Session("z3") as session:
        answer = session.ask(TRUE, ("x",), 1.0)
    assert (answer.word, answer.reason) == ("unknown", "not installed: pip install z3-solver")


def test_a_name_that_is_no_solver():
    with pytest.raises(ValueError, match="z3, cvc5"):
        Session("yices")


def test_z3_stops_at_its_own_time_limit():
    with Session("z3") as z3:
        start = time.monotonic()
        answer = z3.ask(HARD, tuple("abcdefgh"), 0.2)
        assert time.monotonic() - start < 0.2 + solvers.GRACE + 1
        assert (answer.word, answer.reason) == ("unknown", "no answer within 0.2 s")
        assert z3.ask(TRUE, ("x",), 5.0).word == "unsat"  # and goes on


HANGS = "for line in sys.stdin: time.sleep(60)"
CRASHES = "sys.stdin.readline(); sys.stderr.write('Segmentation fault'); os._exit(139)"
NEVER_STARTS = "raise SystemExit(3)"
FAULTS = {
    "hangs": (HANGS, "no answer within 0.2 s"),
    "hangs with signals off": ("import signal; signal.signal(15, signal.SIG_IGN)\n" + HANGS, "no answer within 0.2 s"),
    "crashes": (CRASHES, "crashed"),
    "never starts": (NEVER_STARTS, "crashed"),
    "nonsense": ("for line in sys.stdin: print('hello', flush=True)", "answered nonsense"),
    "not an answer": ("for line in sys.stdin: print('[1]', flush=True)", "answered nonsense"),
    "an answer to another question": (
        """for line in sys.stdin: print('{"number": 0, "answer": "unsat", "reason": "", "model": {}}', flush=True)""",
        "answered nonsense",
    ),
    "no model": ("""for line in sys.stdin: print('{"answer": "sat"}', flush=True)""", "answered nonsense"),
    "a model over 0": (
        """for line in sys.stdin: print('{"number": 1, "answer": "sat", "reason": "", "model": {"x": [1, 0]}}', flush=True)""",
        "answered nonsense",
    ),
    "maybe": (
        """for line in sys.stdin: print('{"number": 1, "answer": "maybe", "reason": "", "model": {}}', flush=True)""",
        "no reason",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_solver_that_fails_is_unknown_in_time_and_in_silence(monkeypatch, tmp_path, capfd, fault):
    body, reason = FAULTS[fault]
    with worker(monkeypatch, tmp_path, body) as session:
        if fault.startswith("hangs"):
            start = time.monotonic()
            assert session.ask(TRUE, ("x",), 0.2).word == "unknown"
            assert time.monotonic() - start < 2.0
        answer = session.ask(TRUE, ("x",), 0.2 if fault.startswith("hangs") else 10.0)
        assert answer.word == "unknown"
        assert reason in answer.reason
    assert capfd.readouterr() == ("", "")


def test_it_goes_on_after_a_crash(monkeypatch, tmp_path):
    body = f"""
import json
first = not os.path.exists({str(tmp_path / "seen")!r})
open({str(tmp_path / "seen")!r}, "w").close()
for line in sys.stdin:
    if first: os._exit(1)
    print('{{"number": ' + json.loads(line)["number"].__str__() + ', "answer": "unsat", "reason": "", "model": {{}}}}', flush=True)
"""
    with worker(monkeypatch, tmp_path, body) as session:
        assert [session.ask(TRUE, ("x",), 10.0).word for _ in range(3)] == ["unknown", "unsat", "unsat"]


def test_a_solver_that_talks_too_much_never_gives_the_answer_to_an_earlier_question(monkeypatch, tmp_path):
    body = """
import json
for line in sys.stdin:
    number = json.loads(line)["number"]
    for text in ("warning", json.dumps({"number": number, "answer": "unsat", "reason": "", "model": {}})):
        print(text, flush=True)
"""
    with worker(monkeypatch, tmp_path, body) as session:
        for _ in range(3):
            assert session.ask(FALSE, ("x",), 10.0).word == "unknown"


def test_a_long_script_to_a_process_that_does_not_read(monkeypatch, tmp_path):
    with worker(monkeypatch, tmp_path, "time.sleep(60)") as session:
        start = time.monotonic()
        assert session.ask("; " + "x" * 10**7, ("x",), 0.2).reason == "no answer within 0.2 s"
        assert time.monotonic() - start < 5


def test_an_interpreter_that_cannot_be_run(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with Session("z3") as session:
        assert "could not be run" in session.ask(TRUE, ("x",), 1.0).reason


def test_what_the_solver_raises_is_a_reason():
    with Session("z3") as z3:
        answer = z3.ask("(assert (< y 0.0))", ("x",), 1.0)
        assert answer.word == "unknown"
        assert "y" in answer.reason
        assert z3.ask(TRUE, ("x",), 5.0).word == "unsat"


def test_no_process_is_left_behind():
    with Session("z3") as z3:
        z3.ask(TRUE, ("x",), 5.0)
        process = z3._process.pid
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


def test_the_worker_ends_with_whoever_asked():
    code = (
        "import os\nfrom checks.smt import Session\nz3 = Session('z3')\n"
        f"z3.ask({TRUE!r}, ('x',), 5.0); print(z3._process.pid, flush=True); os._exit(0)"
    )
    pid = int(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
    for _ in range(100):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.1)
    pytest.fail("the worker outlives the process that started it")
