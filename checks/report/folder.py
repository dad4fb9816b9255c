"""The report as a folder that can be handed on: the page, its pictures, the ledger for programs, and the certificates.

index.html           the page, by itself enough to read
ledger.json          the results for programs
pictures/            every figure, with its numbers and the runs behind it (`python -m figures all --fast`)
certificates/        the paths behind the headlines
verify.py            checks them with the standard library alone: python verify.py certificates/*.json
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from checks import certificates, own_path

PAGE, LEDGER, PICTURES, CERTIFICATES = "index.html", "ledger.json", "pictures", "certificates"


def begin(folder: str | Path) -> Path:
    """Make the folder and put the verifier there; OSError where that cannot be done."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(certificates.main.__code__.co_filename, folder / "verify.py")
    return folder


def draw(
    folder: Path, claims: Sequence[str] = (), *, command: tuple[str, ...] = ("figures", "all", "--fast", "--reuse")
) -> str:
    """Draw the figures, or those of some claims, into folder/pictures; what went wrong, in one line, or nothing.

    What the same code drew there before is left as it is. The figures are a program of their own, which reads the ledger
    and is not known to it: it is run, not imported.
    """
    chosen = ("--claims", *claims) if claims else ()
    words = own_path.command(*command, "--out", str(folder / PICTURES), *chosen)
    done = subprocess.run(
        words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, encoding="locale", errors="replace", check=False
    )
    if done.returncode == 0:
        return ""
    said = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
    return f"pictures: python -m {' '.join(command)} failed: {said[-1]}"
