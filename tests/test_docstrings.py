"""Public docstrings are complete: every parameter named, arrays with a shape, errors and sources said; examples run.

Public: a name without a leading underscore, defined in one of the modules below. ruff (rules D, pyproject.toml) sees
that a docstring is there and well formed; what it cannot see is checked here, from signatures and sources:

- each parameter is named in the docstring, or in that of its class or module, or in the one that it refers to
  ("as in `name`"), or is one of the names that the docstring of `theory` explains once for all;
- each array, argument or result, comes with a shape, in the same places;
- a function that raises ValueError itself says so (what `theory` says of bad input goes without saying);
- each module of theory says where in the paper or in the literature its statements stand.

One-sided: a name that is there may still be explained badly; a name that is not there is not explained.
"""

import ast
import dataclasses
import doctest
import importlib
import inspect
import pkgutil
import re
import textwrap

import pytest

import checks
import figures
import halfrect
import theory

THEORY = [module.name for module in pkgutil.walk_packages(theory.__path__, "theory.") if not module.ispkg]
DOOR = [
    f"halfrect.{name}"
    for name in ("connection", "nets", "state_dicts", "data", "files", "pictures", "routes", "matching")
]
MODULES = [*THEORY, *DOOR, "checks.predicates", "checks.strategies", "checks.exercises.attempts", "figures"]
EVERY = [
    module.name
    for package in (theory, checks, figures, halfrect)
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + ".")
]
NO_MATHEMATICS = {module for module in THEORY if module.startswith("theory.numerics.")}

# (N, n), (P,), (..., P), (m + 1, n), (n_k, n_{k-1}), (len(levels), P), (): one comma at least, unless empty
LENGTH = r"(?:\.\.\.|[\w{}]+(?:\(\w+\)|(?: ?[-*+] ?)[\w{}]+)*)"
SHAPE = re.compile(rf"\((?:\.\.\.|{LENGTH},(?: ?{LENGTH}(?:, ?{LENGTH})*)?)?\)")
SOURCE = re.compile(
    r"\b(?:[Ee]qs?\.? \(?\d|[Ss]ec(?:tion|\.) [\dA-E]|Prop(?:osition|\.) \d|Theorem \d|Cor(?:ollary|\.) \d|"
    r"[Aa]pp(?:endix|\.) [A-E]|Algorithm \d|Figure \d|et al|[A-Z]\w+,? (?:19|20)\d\d)|paper_notes\.md"
)


def public(module):
    """(name, object, class it belongs to or None) of the functions, classes and methods that a module defines."""
    for name, found in vars(module).items():
        if name.startswith("_") or getattr(found, "__module__", None) != module.__name__:
            continue
        if inspect.isfunction(found):
            yield name, found, None
        elif inspect.isclass(found):
            yield name, found, None
            for attribute, member in vars(found).items():
                if isinstance(member, (property, classmethod, staticmethod)):
                    member = getattr(member, "fget", None) or member.__func__
                member = getattr(member, "func", member)  # cached_property
                if inspect.isfunction(member) and (not attribute.startswith("_") or attribute == "__call__"):
                    yield f"{name}.{attribute}", member, found


FOUND = {
    f"{module}.{name}": (importlib.import_module(module), found, owner)
    for module in MODULES
    for name, found, owner in public(importlib.import_module(module))
}
each = pytest.mark.parametrize(("home", "found", "owner"), FOUND.values(), ids=FOUND)


def words(home, found, owner, seen=()):
    """The docstring, with those of its class and module and of what it refers to."""
    own = inspect.getdoc(found) or ""
    texts = [own, (inspect.getdoc(owner) or "") if owner else "", home.__doc__ or ""]
    for reference in re.findall(r"\bas (?:in|of|for) `([\w.]+)`", own):
        target = meant(reference, home, owner)
        if target not in seen:
            texts.append(words(importlib.import_module(target.__module__), target, None, (*seen, found)))
    return "\n".join(texts)


def meant(reference, home, owner):
    """The object that a docstring of this class and module refers to."""
    places = [place for place in (owner, home) if place] + [importlib.import_module(module) for module in MODULES]
    found = [getattr(place, reference) for place in places if hasattr(place, reference)]
    found += [FOUND[reference][1]] if reference in FOUND else []
    face, _, name = reference.rpartition(".")
    if face.split(".")[0] in ("theory", "checks"):
        found += [getattr(importlib.import_module(face), name)]
    assert found, f"`{reference}` is referred to and not there"
    return found[0]


def parameters(found):
    """(name, annotation) of what a caller passes: the parameters of a function, the fields of a dataclass."""
    if inspect.isclass(found):
        fields = dataclasses.fields(found) if dataclasses.is_dataclass(found) else ()
        return [(field.name, str(field.type)) for field in fields if field.init]
    return [
        (p.name, str(p.annotation))
        for p in inspect.signature(found).parameters.values()
        if p.name not in ("self", "cls")
    ]


def places(name, text):
    return [match.end() for match in re.finditer(rf"(?<!\w){re.escape(name)}(?!\w)", text)]


def shaped(name, text):
    """A shape follows the name, at most a line later (names in a list share one)."""
    return any(SHAPE.search(text[end : end + 120]) for end in places(name, text))


def is_array(annotation):
    return bool(re.search(r"\b(?:Array|ArrayLike|NDArray)\b", annotation)) and "Callable" not in annotation


def raises_itself(found):
    """Whether the body of a function, or of what makes an instance of a class, raises ValueError."""
    if inspect.isclass(found):
        makers = [vars(found)[name] for name in ("__init__", "__post_init__") if name in vars(found)]
        return any(raises_itself(maker) for maker in makers if maker.__code__.co_filename != "<string>")
    tree = ast.parse(textwrap.dedent(inspect.getsource(found)))
    return any(isinstance(node, ast.Raise) and "ValueError" in ast.unparse(node) for node in ast.walk(tree))


@each
def test_every_parameter_is_named(home, found, owner):
    assert inspect.getdoc(found)
    text = words(home, found, owner) + theory.__doc__
    assert [name for name, _ in parameters(found) if not places(name, text)] == []


@each
def test_every_array_has_a_shape(home, found, owner):
    text = words(home, found, owner) + theory.__doc__
    assert [name for name, kind in parameters(found) if is_array(kind) and not shaped(name, text)] == []
    if inspect.isfunction(found) and is_array(str(inspect.signature(found).return_annotation)):
        assert SHAPE.search(words(home, found, owner)), "the shape of the result"


@each
def test_what_raises_says_so(home, found, owner):
    if raises_itself(found):
        assert "ValueError" in "\n".join(inspect.getdoc(place) or "" for place in (found, owner) if place)


@pytest.mark.parametrize("module", sorted(set(THEORY) - NO_MATHEMATICS))
def test_every_module_of_theory_names_its_source(module):
    assert SOURCE.search(importlib.import_module(module).__doc__)


def test_the_tool_sees_what_is_missing():
    def bare(theta, width):
        """A function of theta that raises and does not say so."""
        raise ValueError(f"width must be 1; got {width}")

    assert [name for name, _ in parameters(bare) if not places(name, bare.__doc__)] == ["width"]
    assert not shaped("theta", bare.__doc__)
    assert shaped("theta", "theta, of shape (..., P)")
    assert not shaped("theta", "theta (an array)")
    assert raises_itself(bare)
    assert len(FOUND) > 400


def examples(module):
    return doctest.DocTestFinder(exclude_empty=True).find(importlib.import_module(module))


@pytest.mark.parametrize("module", EVERY)
def test_its_examples_run(module):
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    for example in examples(module):
        runner.run(example)
    assert runner.failures == 0


PUBLIC = [
    "networks.Network",
    "risk.Sample",
    "risk.Risk",
    "paths.Path",
    "relu_kernel.kernel",
    "relu_kernel.printed_bounds",
    "relu_kernel.sharp_bounds",
    "relu_kernel.arc_cosine",
    "linear_paths.connect",
    "relu_paths.connect",
    "relu_paths.six_segment",
    "lasso.second_layer",
    "oracle.limit",
    "barriers.permutation_barrier",
]


@pytest.mark.parametrize("name", PUBLIC)
def test_the_public_names_have_an_example(name):
    module, _, attribute = f"theory.{name}".rpartition(".")
    assert ">>>" in inspect.getdoc(getattr(importlib.import_module(module), attribute))
