"""The order of chapters: a module imports only from what stands above it, and nothing heavy before it is needed."""

import ast
import re
import subprocess
import sys
from collections import Counter
from fnmatch import fnmatch
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# One line per floor, from the ground up. A module imports from lines above its own, and on its own line from what
# stands further left. Inside a package the modules follow the order given in brackets. A module that is not named here
# has no place, and fails.
CHAPTERS = """
theory.former_addresses
theory.numerics[arrays rounding scaling validation archives balls norms rationals]
theory.losses theory.networks theory.penalties theory.paths theory.risk
theory.moves theory.crossing
theory.maxima[results neighbourhoods quartic_in_fractions quartic evaluations taylor_models switches bends secants partitions branch_and_bound buckets windows segments]
theory.linear_paths[exact absolute_deviations nuclear_norm problem products canonical curves balanced critical_width ridge falls ridge_descent descent cases]
theory.relu_kernel[measures pairs gaussian sampling bounds proof] theory.population[enclosures risk maxima]
theory.lasso[problem duality solvers solve] theory.rays theory.oracle[scaling new_unit activation_patterns infinite_width finite_width] \
theory.compression[rules layers covering]
theory.relu_paths[problem constants sparsify pieces unit_rows candidates six_segments sharper_routes best_route]
theory.landscapes[objectives bands trainers exact] theory.string_sampling[strings runs algorithms as_published] theory.geodesics theory.polynomial_tasks
theory.barriers[scaling dependent_features real_roots one_direction invariants permutation_paths free_paths lower_bounds \
permutations zero_risk penalised] \
theory.counterexamples theory.sublevel_trees
theory.exchange theory.atoms theory.simplex theory.pivots theory.staircase
theory.deep_paths[halves trees refits compress route]
theory.held_out[confidence functions certificates] theory.alignment theory.masses theory.schatten_paths
theory.deep[backend layers models enclosures certificates recurrent tasks together landscape]
"""

# Claims stand behind the instances and oracles of their section; figures behind the two modules that they share.
CHECKS = """
checks.own_path checks.processes checks.clusters checks.programs
checks.table_files checks.tables checks.claim checks.sweeps checks.gap \
checks.smt[terms statements worker solvers proofs shared section_2_1 section_2_2 section_2_3_1 section_2_3_2 section_2_3_3 \
sections_3_4 section_5 steps __main__]
checks.claims.section_2_2[instances] checks.claims.section_2_1[finite_landscapes] checks.claims.section_2_3_2[exact_kernel exact_risk] \
checks.claims.section_2_3_1[] checks.claims.section_2_3_3[instances] checks.claims.sections_3_4[instances published deep_runs valley hyperplane_protocol] checks.claims.section_5[instances]
checks.claims[sentences] checks.strategies checks.predicates checks.examine checks.runner
checks.certificates[document verify shipped] checks.exercises[instances judges solutions attempts __main__]
checks.report[symbols mathml links notes pictures sketches surprises words document progress terminal two_nets slider entry page folder]
checks.__main__
"""
FIGURES = """
figures[_panels _figure1 _experiments _runs _deep_data _deep_rows]
figures.__main__
"""

HEAVY = ("cvxpy", "sympy", "sklearn", "matplotlib", "flint", "rich", "hypothesis", "z3", "jax")
LIGHT = [
    "theory",
    "theory.networks",
    "theory.risk",
    "theory.paths",
    "theory.maxima",
    "theory.relu_kernel",
    "theory.moves",
]


def places(table):
    """{module: (floor, place on the floor, place in its package)}; a package's face stands behind its modules."""
    found = {}
    for floor, line in enumerate(table.replace("\\\n", " ").strip().splitlines()):
        words = line.replace("[", " [ ").replace("]", " ] ").split()
        package, place = "", 0
        for word in words:
            if word == "[":
                package, inside = list(found)[-1], 0
            elif word == "]":
                found[package] = (*found[package][:2], 10**6)
                package = ""
            elif package:
                found[f"{package}.{word}"] = (*found[package][:2], inside)
                inside += 1
            else:
                found[word] = (floor, place, 0)
                place += 1
    return found


def modules(*tops):
    """{name: path} of every module; the face of a package bears the package's name."""
    found = {}
    for top in tops:
        for file in sorted((ROOT / top).rglob("*.py")):
            parts = file.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return found


def imports(source, known):
    """(module of ours that is imported, line, whether inside a function) of every import in a source text."""
    tree = ast.parse(source)
    inner = {id(node) for f in ast.walk(tree) if isinstance(f, (ast.FunctionDef, ast.Lambda)) for node in ast.walk(f)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            inside = [f"{node.module}.{alias.name}" for alias in node.names]
            names = [name if name in known else node.module for name in inside]
        else:
            continue
        yield from ((name, node.lineno, id(node) in inner) for name in names if name in known)


def wrong(name, source, known, place):
    """What is wrong with the imports of one module, in words."""
    top = name.split(".")[0]
    for target, line, inside in imports(source, known):
        package = name if any(other.startswith(name + ".") for other in known) else name.rpartition(".")[0]
        if inside and target.split(".")[0] == top:
            yield f"{name}:{line} imports {target} inside a function"
        if target not in place or target == top:
            continue
        home = target.rpartition(".")[0]
        if (
            target != "theory.numerics.validation"
            and home not in ("", top, package)
            and not home.startswith("checks.claims.section")
            and home in place
            and place[home][2] == 10**6
        ):
            yield f"{name}:{line} imports {target} and not from the face {home}"
        if not place[target] < place[name] and not (place[target][2] == place[name][2] == 10**6 - 1):
            yield f"{name}:{line} imports {target}, which stands behind it"


THEORY, CHAPTERS_OF = modules("theory"), places(CHAPTERS)


@pytest.mark.parametrize("name", sorted(set(THEORY) - {"theory"}))
def test_a_module_of_theory_imports_from_the_chapters_before_its_own(name):
    assert name in CHAPTERS_OF, f"{name} has no place in the table of chapters"
    assert list(wrong(name, THEORY[name].read_text(), THEORY, CHAPTERS_OF)) == []


@pytest.mark.parametrize("top", ["theory", "checks", "figures"])
def test_there_is_no_circle(top):
    known = modules(top)
    edges = {name: {t for t, _, _ in imports(file.read_text(), known)} - {name, top} for name, file in known.items()}
    assert list(TopologicalSorter(edges).static_order())  # CycleError names the circle


def test_a_name_in_a_table_is_a_module():
    assert set(CHAPTERS_OF) <= set(THEORY)
    assert set(places(CHECKS)) | set(places(FIGURES)) <= set(modules("checks", "figures"))


def rest(table, known, last):
    """The table with every module that it does not name at the end of its package, or of the `last` one."""
    found = places(table)
    for name in known:
        home = name.rpartition(".")[0]
        if name not in found and home in found and home.startswith(last):
            found[name] = (*found[home][:2], 10**6 - 1)
    return found


def test_checks_and_figures_keep_their_order_too():
    for top, table, last in (("checks", CHECKS, "checks.claims.section"), ("figures", FIGURES, "figures")):
        known = modules(top)
        place = rest(table, known, last)
        assert set(known) - set(place) <= {top}
        placed = {name: file for name, file in known.items() if name in place}  # the face of checks stands before all
        assert [line for name, file in placed.items() for line in wrong(name, file.read_text(), known, place)] == []


@pytest.mark.parametrize(
    ("name", "source", "says"),
    [
        ("theory.moves", "from theory.maxima import path_maximum", "stands behind it"),
        ("theory.moves", "from theory import maxima", "stands behind it"),
        ("theory.lasso.duality", "from theory.lasso.solve import certify", "stands behind it"),
        ("theory.lasso.solve", "def f():\n    from theory.lasso import duality", "inside a function"),
        ("theory.oracle.new_unit", "from theory.lasso.solve import certify", "not from the face"),
        ("theory.nowhere", "import theory.risk", "no place"),
    ],
)
def test_a_wrong_import_is_caught(name, source, says):
    """The planted fault: modules that do not exist, with an import that must not be."""
    found = list(wrong(name, source, THEORY, CHAPTERS_OF)) if name in CHAPTERS_OF else [f"{name} has no place"]
    assert any(says in line for line in found)


# Functions that bear one name in several chapters, because they are the same thing there.
SHARED = {
    "connect",  # a path between two nets, in every chapter that has one
    "units_needed",  # how many units `connect` asks for (exchange, pivots)
    "segment_maximum",  # the true maximum along a segment: of a sample's risk (maxima), of the population's
    "path_maximum",
    "lower_bound",  # below the maximum on all paths (barriers), on all lines up to permutations (alignment)
    "bound",  # what a theorem promises between two nets (deep_paths, masses)
    "engine",  # the quickest loops for so much work, `compiled` by numba or in NumPy (switches, bends)
    "compiled",
    "maxima",  # over many segments at once (windows, quartic)
    "upper_bounds",  # of many cells or points at once: on forms in t (taylor_models), on chords (secants)
    "certify",  # bounds for what is given: weights (lasso), a path (relu_paths, held_out)
    "normalised",  # the door of a chapter: a problem brought to size one, and the way back
    "risk_above",  # the risk of given weights, rounded up, in the units of the chapter's door
    "digits",  # a task and the net that it trains, always named with their modules (deep.tasks, deep.models)
    "mnist",
    "cifar",
    "Status",  # how a run ended, in every chapter that has runs
}


def named_twice(sources):
    """The names that two public functions, classes or types bear, of the source texts of some modules."""
    names = Counter()
    for source in sources:
        for node in ast.parse(source).body:
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                names[node.name] += 1
            elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                names[node.targets[0].id] += not node.targets[0].id.isupper()  # a constant is its module's own
    return {name for name, times in names.items() if times > 1 and not name.startswith("_")}


def test_no_two_things_share_a_name():
    assert named_twice(file.read_text() for file in THEORY.values()) == SHARED


@pytest.mark.parametrize(
    ("source", "other"),
    [
        ("class Layer:\n    x = 1", "class Layer:\n    y = 2"),
        ("def walk(x):\n    return x", "def walk(y):\n    return y"),
        ("class Bound:\n    x = 1", "Bound = float"),
    ],
)
def test_a_name_given_twice_is_caught(source, other):
    """The planted fault."""
    assert len(named_twice([source, other])) == 1
    assert not named_twice([source, other.replace("Layer", "Hidden").replace("walk", "run").replace("Bound", "Gap")])


def test_the_face_of_a_package_defines_nothing_and_is_short():
    for name, file in {**THEORY, **modules("checks")}.items():
        if file.name == "__init__.py" and name not in ("theory", "checks", "checks.claims"):
            body = ast.parse(file.read_text()).body
            assert all(isinstance(node, (ast.ImportFrom, ast.Expr, ast.Assign)) for node in body), name
            handed = [
                node for node in body if isinstance(node, ast.ImportFrom) and node.module != name
            ]  # not its modules
            named = {alias.name for node in handed for alias in node.names}
            assert not named & {other.rpartition(".")[2] for other in THEORY if other.startswith(name + ".")}, name


def unnamed(face, names):
    """Those of the module names that the text of a face does not say, in backticks; a * stands for what it may."""
    said = re.findall(r"`(?:[\w.]*\.)?([\w*]+)`", face)
    return [name for name in names if not any(fnmatch(name, word) for word in said)]


@pytest.mark.parametrize(
    "package",
    sorted(
        name
        for name, file in modules("theory", "checks").items()
        if file.name == "__init__.py" and name not in ("theory", "checks.claims")
    ),
)
def test_a_face_names_the_files_of_its_chapter(package):
    known = modules("theory", "checks")
    inside = [name.rpartition(".")[2] for name in known if name.rpartition(".")[0] == package]
    inside = [name for name in inside if name != "__main__"]
    assert unnamed(ast.get_docstring(ast.parse(known[package].read_text())), inside) == []
    assert unnamed("Of `one` and `theory.moves`, and `app_*`.", ["one", "moves", "app_a", "two"]) == [
        "two"
    ]  # the fault


def test_the_argument_on_the_first_page_names_every_chapter():
    text = ast.get_docstring(ast.parse(THEORY["theory"].read_text()))
    chapters = {name.split(".")[1] for name in THEORY if "." in name} - {"former_addresses"}
    assert [name for name in sorted(chapters) if not re.search(rf"\b{name}\b", text)] == []


@pytest.mark.parametrize("module", LIGHT)
def test_importing_a_module_of_theory_imports_nothing_heavy(module):
    code = f"import sys, {module}; print(*[name for name in {HEAVY!r} if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.split() == []


def test_the_list_of_claims_imports_no_optimiser_and_no_algebra():
    code = (
        "import sys; from checks.__main__ import main; main(['--list']);"
        "print([name for name in ('scipy.optimize', 'sympy', 'sklearn', 'distributed') if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.splitlines()[-1] == "[]"


def test_the_ledger_runs_without_hypothesis():
    code = (
        "import sys; sys.modules['hypothesis'] = None; from checks import claims, runner;"
        "print(runner.run_claim('prop-2.1').status.name, len([claims.load(i) for i in claims.available()]) > 0)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.split() == ["AGREES", "True"]


def test_no_package_imports_those_above_it():
    for top, above in (("theory", ("checks", "figures", "halfrect")), ("checks", ("figures", "halfrect"))):
        for file in modules(top).values():
            tree = ast.parse(file.read_text())
            names = {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
            names |= {n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and n.module}
            assert not [name for name in names if name.split(".")[0] in above], file


def test_an_old_address_gives_the_module_at_the_new_one():
    code = (
        "import sys; from theory import certificates; from theory.topology import sublevel_tree; from checks import verify;"
        "from checks.certificates import document; import theory.sublevel_trees, checks.certificates.verify as v;"
        "print(certificates is document, sublevel_tree is theory.sublevel_trees.sublevel_tree, verify is v)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.split() == ["True"] * 3
