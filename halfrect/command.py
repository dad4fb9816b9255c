"""The command `halfrect`: one word, then what that word takes.

Installed as a console script, it runs our own modules whatever lies in the user's folders: what they call checks,
figures or theory stays theirs.

Exit status: 0, done (`connect`: and the path stays at the level); 1, a claim differs, a certificate is refused, a path
stays above its level; 2, bad usage or a file that cannot be used; 130 after Ctrl-C; 141 when who reads the output closed
the pipe.
"""

from __future__ import annotations

import argparse
import difflib
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from importlib import metadata
from pathlib import Path
from typing import NoReturn

import checks.__main__
import checks.exercises.__main__
import figures.__main__
import halfrect
from checks import certificates, claims, own_path, programs, tables
from checks.certificates import document
from halfrect import files

HELP = """usage: halfrect COMMAND [...]

  check [ID ...]           run the ledger: every claim of the paper, with its verdict
  list [ID ...]            what is on record, nothing is run
  report [DIR]             ledger, page, pictures and certificates in a folder (default: report)
  figures [NAME ...]       draw figures; without a name, list them
  verify FILE ...          check certificates in exact arithmetic (--pieces: a line for each piece)
  connect A.npz B.npz --data TABLE     a certified path between two nets
  plot FILE [PICTURE]      draw the risk along the path of a certificate
  exercises [ID ...]       the exercises of the notebooks, with hints
  notebooks [DIR]          copy the notebooks (default: notebooks)
  completion bash|zsh|fish how your shell completes these words

halfrect COMMAND --help says more; --version. Examples:

  halfrect check prop-2.3 --seed 1
  halfrect figures fig1 --fast --out pictures
  halfrect connect a.npz b.npz --data table.csv --plot path.png --save path.json && halfrect verify path.json

Exit status: 0 done, 1 a claim differs or a bound is refused, 2 bad usage or a file that cannot be used, 130 after Ctrl-C.
"""


class Usage(Exception):
    """A command that cannot be carried out; the message is one line."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise Usage(programs.suggesting(message, self._option_string_actions))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line `argv` (default: the process's own) and return the exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    if not words or words[0] in ("-h", "--help", "help"):
        print(HELP, end="")
        return 0
    if words[0] in ("-V", "--version", "version"):
        print(f"halfrect {halfrect.__version__}")
        return 0
    try:
        return _command(words[0])(words[1:])
    except (Usage, tables.TableError) as error:
        print("halfrect:", " ".join(str(error).split()), file=sys.stderr)
        return 2
    except OSError as error:
        if error.filename is None:
            raise  # of standard output, which `programs.run` knows
        print(f"halfrect: {error.filename}: {error.strerror or error}", file=sys.stderr)
        return 2


def program() -> int:
    """`main` as the console script runs it: our own modules first, Ctrl-C is status 130, a closed pipe 141."""
    sys.path[:] = [own_path.ROOT, *own_path.without_current_folder(sys.path)]
    os.environ["MPLBACKEND"] = "agg"  # the user's may be none that there is here
    try:
        return programs.run(main, "halfrect")
    except KeyboardInterrupt:
        print("halfrect: interrupted", file=sys.stderr)
        return 130


def check(words: Sequence[str]) -> int:
    """`halfrect check`: as `python -m checks`."""
    return checks.__main__.main(words, "halfrect check")


def listing(words: Sequence[str]) -> int:
    """`halfrect list`: as `python -m checks --list`."""
    return checks.__main__.main([*words, "--list"], "halfrect list")


def report(words: Sequence[str]) -> int:
    """`halfrect report DIR ...`: as `python -m checks --report DIR`, with its other options."""
    named = bool(words) and not words[0].startswith("-")
    folder, rest = (words[0], words[1:]) if named else ("report", words)
    asked = any(word in ("-h", "--help") for word in rest)
    return checks.__main__.main(["--help"] if asked else ["--report", folder, *rest], "halfrect report [DIR]")


def draw(words: Sequence[str]) -> int:
    """`halfrect figures`: as `python -m figures`."""
    return figures.__main__.main(list(words), "halfrect figures")


def verify(words: Sequence[str]) -> int:
    """`halfrect verify FILE`: as `python -m checks verify FILE`."""
    return certificates.main(list(words))


def connect(words: Sequence[str]) -> int:
    """`halfrect connect A.npz B.npz --data TABLE`: join two nets, say what was found, save and draw it."""
    options = _connect_parser().parse_args(words)
    table = tables.load(options.data, options.target)
    X, y = table.X, table.given
    if options.standardise:
        sample = tables.standardised_table(table)
        X, y = sample.X, sample.Y[:, 0]
    try:
        a, b = (
            files.load(file, activation=options.activation, inputs=X.shape[1])
            for file in (options.net_a, options.net_b)
        )
        found = halfrect.connect(a, b, X, y, level=options.level, loss=options.loss, rng=options.seed)
        print(table.line)
        print(found)
        for tried in found.routes:
            what = "-" if tried.maximum is None else f"{tried.maximum.upper:.6g}"
            print(f"  {tried.name:10} {what:>12}  {tried.reason}".rstrip())
        written = (
            ("--plot", lambda file: found.plot().figure.savefig(file)),
            ("--path", found.path.save),
            ("--save", found.save),
        )
        for option, write in written:
            file = getattr(options, option[2:])
            if file == "":  # matplotlib would write .png
                raise Usage(f"{option} needs the name of a file")
            try:
                if file is not None:
                    write(file)
            except OSError as error:  # a full disk names no file
                raise Usage(f"{option} {file}: {error.strerror or error}") from error
    except ValueError as error:
        raise Usage(str(error)) from error
    return 0 if found.reached else 1


def _connect_parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="halfrect connect",
        description="A certified path between two nets of one architecture, on the data of a table.",
        epilog="A net is an NPZ of halfrect.files.save, or the arrays of a state dict: "
        "numpy.savez('a.npz', **{k: v.numpy() for k, v in model.state_dict().items()}). Exit status 1: the best path found "
        "stays above the level. Example: halfrect connect a.npz b.npz --data table.csv --plot path.png",
    )
    parser.add_argument("net_a", metavar="A.npz", help="the net where the path begins")
    parser.add_argument("net_b", metavar="B.npz", help="the net where it ends")
    parser.add_argument("--data", required=True, metavar="TABLE", help=f"{', '.join(tables.SUFFIXES)}")
    parser.add_argument(
        "--target", metavar="NAME", help="the column of the table to be fitted (default: y, or the last)"
    )
    parser.add_argument("--standardise", action="store_true", help="centre and scale the columns first, the target too")
    parser.add_argument("--activation", default="relu", help="of the hidden layers of a state dict (default relu)")
    parser.add_argument("--loss", help="squared, absolute, logistic, hinge or softmax (default: by nets and target)")
    parser.add_argument(
        "--level", type=float, help="what the path is to stay below (default: the larger of both risks)"
    )
    parser.add_argument("--seed", type=int, default=0, help="an integer >= 0 (default 0)")
    parser.add_argument("--plot", metavar="FILE", help="draw the risk along the path (.png, .pdf, .svg)")
    parser.add_argument("--save", metavar="FILE", help="write a certificate for halfrect verify (.json)")
    parser.add_argument("--path", metavar="FILE", help="write the points of the path (.npz)")
    return parser


def exercises(words: Sequence[str]) -> int:
    """`halfrect exercises`: as `python -m checks.exercises`."""
    return checks.exercises.__main__.main(words, "halfrect exercises")


def notebooks(words: Sequence[str]) -> int:
    """`halfrect notebooks DIR`: copy the notebooks there; none that is there already is overwritten."""
    if len(words) > 1 or (words and words[0].startswith("-")):
        raise Usage("notebooks takes the name of a folder: halfrect notebooks [DIR]")
    sources, folder = _notebooks(), Path(words[0] if words else "notebooks")
    if not sources:
        raise Usage("this installation holds no notebooks; they are in the source tree, in notebooks/")
    folder.mkdir(parents=True, exist_ok=True)
    for source in sources:
        target = folder / source.name
        kept = target.exists()
        if not kept:
            shutil.copyfile(source, target)
        print(f"{target}{' (kept: it was there)' if kept else ''}")
    installed = own_path.ROOT if sources[0].parent == Path(own_path.ROOT) / "notebooks" else "halfrect"
    print(f'To run them: python -m pip install "{installed}[notebooks]" && jupyter lab "{folder}"')
    print("They can be read as they are: their outputs are stored. Start with 1, or with 5 for nets of your own.")
    return 0


def plot(words: Sequence[str]) -> int:
    """`halfrect plot CERTIFICATE [PICTURE]`: draw the risk along the path of a certificate, and the bound that it claims."""
    if len(words) not in (1, 2) or words[0].startswith("-"):
        raise Usage("plot takes a certificate and the name of a picture: halfrect plot path.json [path.png]")
    picture = Path(words[1] if len(words) == 2 else f"{words[0].removesuffix('.json')}.png")
    try:
        held = document.load(words[0])
        axes = halfrect.plot_path(held.risk, held.path, level=held.upper)
        axes.figure.savefig(picture)
    except ValueError as error:
        raise Usage(str(error)) from error
    print(picture)
    return 0


def completion(words: Sequence[str]) -> int:
    """`halfrect completion SHELL`: print a script that completes our words; eval it in the shell's start-up file."""
    if list(words) not in ([shell] for shell in ("bash", "zsh", "fish")):
        raise Usage('completion is for bash, zsh or fish: put eval "$(halfrect completion bash)" into ~/.bashrc')
    second = dict.fromkeys(_COMMANDS, "") | {
        "check": " ".join(claims.available()),
        "list": " ".join(claims.available()),
        "figures": " ".join(figures.names()),
        "completion": "bash zsh fish",
    }
    if words[0] == "fish":
        print(f"complete -c halfrect -n __fish_use_subcommand -xa '{' '.join(_COMMANDS)}'")
        for name, names in second.items():
            if names:
                print(f"complete -c halfrect -n '__fish_seen_subcommand_from {name}' -a '{names}'")
        return 0
    if words[0] == "zsh":
        print("autoload -U +X bashcompinit && bashcompinit")
    cases = "".join(f"    {name}) words='{names}' ;;\n" for name, names in second.items() if names)
    print(
        "_halfrect() {\n  local words=''\n"
        f"  if [ $COMP_CWORD -eq 1 ]; then words='{' '.join(_COMMANDS)}'; else case ${{COMP_WORDS[1]}} in\n{cases}"
        '  esac; fi\n  COMPREPLY=($(compgen -W "$words" -- "${COMP_WORDS[COMP_CWORD]}"))\n}\n'
        "complete -o default -F _halfrect halfrect"
    )
    return 0


_COMMANDS: dict[str, Callable[[Sequence[str]], int]] = {
    "check": check,
    "list": listing,
    "report": report,
    "figures": draw,
    "verify": verify,
    "connect": connect,
    "plot": plot,
    "exercises": exercises,
    "notebooks": notebooks,
    "completion": completion,
}


def _command(word: str) -> Callable[[Sequence[str]], int]:
    if word in _COMMANDS:
        return _COMMANDS[word]
    if word in claims.available() or word in figures.names():
        kind = "check" if word in claims.available() else "figures"
        raise Usage(f"no command is called {word!r}; did you mean halfrect {kind} {word}?")
    raise Usage(f"no command is called {word!r}; {_near(word, list(_COMMANDS))}")


def _near(word: str, known: list[str]) -> str:
    near = difflib.get_close_matches(word, known, n=2, cutoff=0.5)
    return f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(known)}"


def _notebooks() -> list[Path]:
    """The notebooks: beside the packages in a source tree, else where the installation put them."""
    beside = sorted((Path(own_path.ROOT) / "notebooks").glob("[0-9]_*.ipynb"))
    if beside:
        return beside
    try:
        installed = metadata.files("halfrect") or []
    except metadata.PackageNotFoundError:
        return []
    found = [Path(str(file.locate())) for file in installed if file.suffix == ".ipynb"]
    return sorted(path for path in found if path.is_file())
