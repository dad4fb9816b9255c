"""`python -m checks`: run the ledger. `python -m checks verify FILE`: check a certificate in exact arithmetic.

Exit status: 0 when every claim's outcome is its recorded verdict, 1 when one is not, 2 on bad usage or a file that
cannot be used, 130 after Ctrl-C (what was done by then is printed and written), 141 when who reads the output closed
the pipe (quietly; the files asked for are written all the same).
"""

from __future__ import annotations

import argparse
import difflib
import os
import sys
import time
import webbrowser
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from checks import certificates, claims, clusters, programs, report, tables
from checks.claim import Status
from checks.examine import Result
from checks.processes import cpus
from checks.runner import results


class Usage(Exception):
    """A command that cannot be carried out; the message is one line."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise Usage(programs.suggesting(message, self._option_string_actions))


def main(argv: Sequence[str] | None = None, program: str = "python -m checks") -> int:
    """Run the command line `argv` (default: the process's own), named `program`, and return the exit status."""
    programs.show_anything()
    words = list(sys.argv[1:] if argv is None else argv)
    if words[:1] == ["verify"]:
        return certificates.main(words[1:])
    try:
        options = _parser(program).parse_args(words)
        ids = select(options.ids)
        if options.list:
            return _list(ids, options)
        if options.report is not None:
            _report_folder(options)
        for option, file in (("--json", options.json), ("--html", options.html)):
            if file is not None:
                _writable(option, file)
        for option, given in (("--pictures", options.pictures is not None), ("--open", options.open)):
            if given and options.html is None:
                raise Usage(f"{option} needs a page: --html FILE or --report DIR")
        figures = report.read(options.pictures) if options.pictures is not None else ()
        folder = options.certificates or "."
        if os.path.exists(folder) and not os.path.isdir(folder):
            raise Usage(f"--certificates {folder}: not a folder")
        if options.target is not None and options.data is None:
            raise Usage("--target names a column of --data FILE")
        if options.data is not None:
            table = tables.load(options.data, options.target)
            tables.standardised_table(table)
            print(table.line)
    except (Usage, tables.TableError, report.PictureError) as error:
        print("checks:", " ".join(str(error).split()), file=sys.stderr)
        return 2
    return _run(ids, options, figures)


def select(words: Sequence[str]) -> list[str]:
    """Ids of the claims that `words` name, in the catalogue's order; a word also names every id that it begins.

    >>> select(["prop-2.1", "prop-2.1"])
    ['prop-2.1']
    """
    known = claims.available()
    chosen: set[str] = set()
    for word in words:
        matching = {word} if word in known else {i for i in known if i.startswith(word + "-")}
        if not matching:
            near = difflib.get_close_matches(word, known, n=3, cutoff=0.5)
            if f"--{word}" in _parser()._option_string_actions:
                near = [f"--{word}"]
            hint = f"did you mean {', '.join(near)}?" if near else "--list shows them all"
            raise Usage(f"no claim is called {word!r}; {hint}")
        chosen |= matching
    return [claim_id for claim_id in known if claim_id in chosen or not words]


def _run(ids: Sequence[str], options: argparse.Namespace, figures: Sequence[report.Picture] = ()) -> int:
    start, done, interrupted = time.perf_counter(), {}, False
    try:
        with clusters.workers(options.scheduler) as executor, report.Bar(ids) as bar:
            how = {"seed": options.seed, "budget": options.budget, "jobs": options.jobs}
            how |= {"data": options.data, "target": options.target}
            for result in results(ids, **how, executor=executor, progress=bar.part):
                done[result.id] = result
                bar.finish(result)
    except clusters.ClusterError as error:
        print(f"checks: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        interrupted = True
    found = [done[claim_id] for claim_id in ids if claim_id in done]
    unread = None
    try:
        _show(found, ids, options, time.perf_counter() - start)
    except OSError as error:  # a closed pipe or a full disk: the files are written all the same
        unread = error
    if options.report is not None and not interrupted:
        try:
            figures = _drawn(Path(options.report), ids if options.ids else ())
        except KeyboardInterrupt:
            interrupted = True
    problem = _write(found, options, figures)
    if unread is not None:
        raise unread
    if problem:
        print(f"checks: {problem}", file=sys.stderr)
        return 2
    if options.html is not None:
        _say_where(Path(options.html), options.open)
    if interrupted:
        print("checks: interrupted; the claims above were finished", file=sys.stderr)
        return 130
    return 0 if found and all(result.status is Status.AGREES for result in found) else 1


def _write(found: Sequence[Result], options: argparse.Namespace, figures: Sequence[report.Picture]) -> str:
    """Write the files that were asked for; which one could not be written and why, or nothing."""
    run = {"seed": options.seed, "budget": options.budget, "data": options.data, "target": options.target}
    file = ""
    try:
        if options.json is not None:
            file = f"--json {options.json}"
            report.write_json(options.json, report.as_document(found, **run))
        shipped: list[certificates.Shipped] = []
        if options.certificates is not None or options.html is not None:
            shipped = certificates.make(options.seed)
        if options.certificates is not None:
            file = f"--certificates {options.certificates}"
            certificates.write(options.certificates, shipped)
        if options.html is not None:
            file = f"--html {options.html}"
            text = report.render_page(found, figures=figures, certificates=shipped, **run)
            Path(options.html).write_text(text, encoding="utf-8", errors="replace")  # a file name may be no text
    except OSError as error:
        return f"{file}: {error.strerror or error}"
    return ""


def _report_folder(options: argparse.Namespace) -> None:
    """Make the folder of --report, and have its parts written there."""
    given = [name for name in ("json", "html", "certificates", "pictures") if getattr(options, name) is not None]
    if given:
        raise Usage(f"--report DIR holds these already: leave out --{' and --'.join(given)}")
    if not options.report:
        raise Usage("--report needs the name of a folder; . is this one")
    try:
        here = report.begin(options.report)
    except OSError as error:
        raise Usage(f"--report {options.report}: {error.strerror or error}") from error
    options.html, options.json = str(here / report.PAGE), str(here / report.LEDGER)
    options.certificates = str(here / report.CERTIFICATES)


def _drawn(here: Path, ids: Sequence[str]) -> Sequence[report.Picture]:
    """The pictures of the report, or those of some claims, drawn now where they are not there; what cannot be is said."""
    with programs.Console(stderr=True).status("drawing the pictures"):
        problem = report.draw(here, ids)
    folder = here / report.PICTURES
    if not problem and any(folder.glob("*.npz")):
        try:
            return [one for one in report.read(folder) if not ids or set(ids).intersection(one.claims)]
        except report.PictureError as error:
            problem = str(error)
    if problem:
        print(f"checks: {problem}", file=sys.stderr)
    return ()


def _say_where(page: Path, show: bool) -> None:
    """Where the page is and how large; `show` opens it in the user's browser."""
    print(f"{page} ({page.stat().st_size / 1e6:.1f} MB): open it in a browser")
    if show and not webbrowser.open(page.resolve().as_uri()):
        print("checks: --open: there is no browser to open it", file=sys.stderr)


def _list(ids: Sequence[str], options: argparse.Namespace) -> int:
    """What is on record: on the terminal, or with --json for programs."""
    found = [claims.load(claim_id) for claim_id in ids]
    if options.json is None:
        console = report.console()
        console.print(report.catalogue(found, console.width, report.shows_unicode(console)))
        return 0
    _writable("--json", options.json)
    try:
        report.write_json(options.json, report.on_record(found))
    except OSError as error:
        raise Usage(f"--json {options.json}: {error.strerror or error}") from error
    return 0


def _show(found: Sequence[Result], ids: Sequence[str], options: argparse.Namespace, seconds: float) -> None:
    console = report.console()
    if options.ids and not options.quiet:
        for result in found:
            if result.recorded is not None:  # else its module does not load, which its error says
                console.print(report.details(claims.load(result.id), result, report.shows_unicode(console)))
    if not options.quiet:
        console.print(report.ledger(found, console.width))
        console.print(report.measured(found), end="")
    if options.controls:
        console.print(report.controls(found))
    if any(result.status is not Status.AGREES for result in found):
        console.print(report.troubles(found))
    console.print(report.summary(found, len(ids), options.seed, options.budget, seconds))


HELP = """examples:
  {run} prop-2.1 cor-2.5        these claims, in words (cor-2.5 names every cor-2.5-*)
  {run} --report report --open  page, pictures, ledger and certificates in a folder, and look at it
  {run} --data table.csv --target price
  {verify} FILE ...      check certificates in rational arithmetic

exit status: 0 every outcome is the recorded verdict; 1 one is not; 2 bad usage, or a file that cannot be used;
130 after Ctrl-C, what was done by then is kept; 141 who reads the output closed the pipe"""


def _parser(program: str = "python -m checks") -> argparse.ArgumentParser:
    shell = program.startswith("halfrect")
    run, verify = ("halfrect check", "halfrect verify") if shell else (program, f"{program} verify")
    parser = _Parser(
        prog=program,
        description="Run the ledger: every claim of the paper, with its verdict.",
        epilog=HELP.format(run=run, verify=verify),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "ids", nargs="*", metavar="id", help="claims to run (default: all); cor-2.5 names all cor-2.5-*"
    )
    parser.add_argument("--list", action="store_true", help="show what is on record and run nothing")
    parser.add_argument("--json", metavar="FILE", help="also write the results (with --list: the record) as JSON")
    parser.add_argument(
        "--certificates", metavar="DIR", help="also write the paths behind the headlines, for python -m checks verify"
    )
    parser.add_argument(
        "--html", metavar="FILE", help="also write one page to read, with every claim, proof and witness"
    )
    parser.add_argument(
        "--report", metavar="DIR", help="also write a folder: page, pictures, ledger, certificates and their verifier"
    )
    parser.add_argument("--open", action="store_true", help="show the page in a browser when it is written")
    parser.add_argument("--pictures", metavar="DIR", help="show in the page what `python -m figures --out DIR` wrote")
    parser.add_argument("--quiet", action="store_true", help="say only what needs a look, and the closing lines")
    parser.add_argument("--seed", type=_count("--seed", 0), default=0, help="an integer >= 0 (default 0)")
    parser.add_argument("--budget", choices=("quick", "full"), default="quick", help="full tries 100 times as much")
    parser.add_argument(
        "--jobs", type=_count("--jobs", 1), default=min(cpus(), 8), help="processes (default: one per core, at most 8)"
    )
    parser.add_argument("--scheduler", metavar="ADDRESS|FILE", help=clusters.HELP)
    parser.add_argument("--controls", action="store_true", help="show what each planted fault gave")
    parser.add_argument(
        "--data",
        metavar="FILE",
        help=f"your table instead of the shipped ones: {', '.join(tables.SUFFIXES)} (see README)",
    )
    parser.add_argument(
        "--target", metavar="NAME", help="the column of your table to be fitted (default: y, or the last)"
    )
    return parser


def _count(name: str, minimum: int) -> Any:
    def convert(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = minimum - 1
        if value < minimum:
            raise Usage(f"{name} must be an integer >= {minimum}; got {text!r}")
        return value

    return convert


def _writable(option: str, file: str) -> None:
    parent = os.path.dirname(file) or "."  # os.path takes names that are too long for a file, Path raises
    there = file if os.path.exists(file) else parent
    if os.path.isdir(file) or not os.path.isdir(parent) or not os.access(there, os.W_OK) or not file:
        raise Usage(f"{option} {file}: cannot be written there")


if __name__ == "__main__":
    sys.exit(programs.run(main, "checks"))
