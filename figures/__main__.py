"""`python -m figures`: list the figures; `python -m figures NAME ...` or `all` draws them."""

from __future__ import annotations

import argparse
import os
import sys
import textwrap
from pathlib import Path as File
from typing import NoReturn

import figures
from checks import programs


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        line = " ".join(programs.suggesting(message, self._option_string_actions).split())
        self.exit(2, f"figures: error: {line}\n")


def parser_for(chosen: list[str], program: str = "python -m figures") -> argparse.ArgumentParser:
    """The command line of a program; a figure that is drawn alone brings its own options."""
    parser = _Parser(prog=program, description="Draw the figures; without a name, list them.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="figures to draw, or `all`")
    parser.add_argument("--out", type=File, default=File("out"), help="folder for pictures and data (default: out)")
    parser.add_argument("--fast", action="store_true", help="smaller runs, the same pictures in miniature")
    parser.add_argument("--format", choices=figures.FORMATS, default="png")
    parser.add_argument("--reuse", action="store_true", help="leave what the same code drew with the same settings")
    parser.add_argument(
        "--claims", nargs="+", metavar="ID", help="of the figures named, those that illustrate one of these claims"
    )
    parser.add_argument(
        "--data",
        type=File,
        help="NPZ beside a picture: draw it again; .csv, or .npz with X and y: draw of your table, where a figure takes one (*); "
        "images or a text for the deep rows of fig1",
    )
    known = figures.names()
    for name in chosen:
        if name in known and hasattr(figures.load(name), "arguments"):
            figures.load(name).arguments(parser.add_argument_group(f"options of {name}"))
    return parser


def main(argv: list[str] | None = None, program: str = "python -m figures") -> int:
    """Exit status 0, or 2 on bad usage of the command line, `argv` to the program of this name."""
    argv = sys.argv[1:] if argv is None else argv
    known = figures.names()
    named = [word for word in argv if word in known]
    parser = parser_for(named if len(named) == 1 and "all" not in argv else [], program)
    asked = vars(parser.parse_args(argv))
    chosen, out, fast, format, data = (asked.pop(key) for key in ("names", "out", "fast", "format", "data"))
    reuse, claims = asked.pop("reuse"), asked.pop("claims")
    unknown = [name for name in chosen if name not in (*known, "all", "list")]
    if unknown:
        parser.error(f"no figure named {', '.join(unknown)}; there are {', '.join(known)}")
    if not chosen or "list" in chosen:
        for name in known:
            star = "*" if figures.takes_table(name) else " "
            print(f"{name:12}{star} {(figures.load(name).__doc__ or '').strip().partition(chr(10))[0]}".rstrip())
        print("* is drawn of your table too: --data FILE")
        return 0
    chosen = list(known) if "all" in chosen else chosen
    if claims is not None:
        chosen = [name for name in chosen if set(claims).intersection(getattr(figures.load(name), "CLAIMS", ()))]
    if data is not None and len(chosen) != 1:
        parser.error("--data goes with exactly one figure")
    for name in chosen:
        if reuse and data is None and figures.drawn(name, out, fast=fast, format=format, **asked):
            print(f"{name}: as it was drawn")
            continue
        try:
            files = figures.make(name, out, fast=fast, format=format, data=data, **asked)
        except (ValueError, OSError, ImportError) as error:
            parser.error(str(error))
        print(f"{name}: {', '.join(str(file) for file in files)}")
        caption = next(file for file in files if file.suffix == ".txt").read_text(encoding="utf-8")
        print(textwrap.indent(textwrap.fill(caption, width=100), "    "), flush=True)
    return 0


def program() -> int:
    """`main` on the command line: exit status 130 after Ctrl-C, 141 when who reads the output closed the pipe."""
    os.environ["MPLBACKEND"] = "agg"  # the user's may be none that there is here
    try:
        return programs.run(main, "figures")
    except KeyboardInterrupt:
        print("stopped; what was finished is kept and will be resumed", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(program())
