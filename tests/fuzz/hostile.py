"""What a hostile or unlucky world puts in place of a good input, and what is expected of whoever reads it.

Every strategy starts from something valid and spoils it, since noise alone is refused at the door. `bounded` turns a
hang or a runaway allocation into a failure.
"""

import contextlib
import io
import json
import resource
import signal
import warnings
import zipfile

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st

FEW = settings(max_examples=settings.default.max_examples // 5)  # of what takes longer, or has many tests
HANG = 60  # seconds: no example takes a hundredth of it, so a slow machine is no failure
MEMORY = 6 * 2**30  # bytes of address space


@contextlib.contextmanager
def bounded():
    """No hang, no runaway allocation and no warning in here."""

    def hang(signum, frame):
        raise AssertionError(f"still running after {HANG} s")

    limit = resource.getrlimit(resource.RLIMIT_AS)
    before = signal.signal(signal.SIGALRM, hang)
    signal.alarm(HANG)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, limit[1]))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, limit)
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def outcome(main, arguments):
    """(exit status, standard output, standard error) of a command run in this process."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), bounded():
        try:
            status = main(arguments)
        except SystemExit as stop:
            status = stop.code
    return status, out.getvalue(), err.getvalue()


def refusal(function, /, *arguments, **keywords):
    """(result, None) of a call, or (None, what its ValueError says)."""
    try:
        return function(*arguments, **keywords), None
    except ValueError as error:
        return None, str(error)


# --- bytes -------------------------------------------------------------------------------------------------------


@st.composite
def spoiled(draw, content):
    """Bytes like `content` with bits flipped, cut short, doubled, with a hole, a BOM or other line ends; or noise."""
    data = bytearray(content)
    for _ in range(draw(st.integers(0, 3))):
        where = draw(st.integers(0, max(len(data) - 1, 0)))
        what = draw(st.sampled_from(("flip", "cut", "insert", "hole", "double", "bom", "crlf", "noise")))
        if what == "flip" and data:
            data[where] ^= 1 << draw(st.integers(0, 7))
        elif what == "cut":
            del data[where:]
        elif what == "insert":
            data[where:where] = draw(
                st.binary(max_size=8) | st.sampled_from([b"\0", b"\xff\xfe", b"\xed\xa0\x80", b"\r"])
            )
        elif what == "hole":
            del data[where : where + draw(st.integers(1, 64))]
        elif what == "double":
            data += data[where:]
        elif what == "bom":
            data[:0] = draw(st.sampled_from([b"\xef\xbb\xbf", b"\xff\xfe"]))
        elif what == "crlf":
            data = bytearray(bytes(data).replace(b"\n", draw(st.sampled_from([b"\r\n", b"\r"]))))
        elif what == "noise":
            data = bytearray(draw(st.binary(max_size=200)))
    return bytes(data)


# --- JSON --------------------------------------------------------------------------------------------------------

DEEP = 100_000
LITERALS = (
    *("null", "true", "false", "0", "-0.0", "1", "-1", "2", "0.1", "1.0", "1.5", "1e308", "-1e308", "5e-324", "1e-320"),
    *("1e999", "-1e999", "1e999999", "NaN", "Infinity", "-Infinity", "1000000000", "4611686018427387904"),
    *("1" + "0" * 400, "1" + "0" * 4000, "1" + "0" * 5000, "-1" + "0" * 400),
    *('""', '"1"', '"1e999999999"', '"nan"', '"relu"', '"\\ud800"', '"\\u0000"', '"' + "x" * 1000 + '"', '"1/3"'),
    *("[]", "{}", "[[]]", "[[[1]]]", "[1]", "[1, 2]", "[1000000000, 1000000000]", '{"a": 1}', "[null]", '["a"]'),
    "[" * DEEP + "]" * DEEP,
    '{"a":' * DEEP + "1" + "}" * DEEP,
)


def nodes(document, path=()):
    """Paths to every node of a JSON tree, the root apart."""
    pairs = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for key, value in pairs:
        yield (*path, key)
        yield from nodes(value, (*path, key))


def at(document, path):
    for key in path:
        document = document[key]
    return document


@st.composite
def json_texts(draw, document):
    """Text of a JSON tree like `document`, with leaves and branches replaced, removed, doubled or moved."""
    document = json.loads(json.dumps(document))
    raw = {}
    for _ in range(draw(st.integers(1, 3))):
        paths = list(nodes(document))
        if not paths:
            break
        path = draw(st.sampled_from(paths))
        parent, key = at(document, path[:-1]), path[-1]
        what = draw(st.sampled_from(("literal", "literal", "literal", "number", "number", "remove", "double", "move")))
        if what == "literal":
            token = f"<literal {len(raw)}>"
            raw[json.dumps(token)] = draw(st.sampled_from(LITERALS))
            parent[key] = token
        elif what == "number":
            parent[key] = draw(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-3, 3))
        elif what == "remove":
            del parent[key]
        elif what == "double" and isinstance(parent, list):
            parent.insert(key, parent[key])
        elif what == "move":
            parent[key] = json.loads(json.dumps(at(document, draw(st.sampled_from(paths)))))
    text = json.dumps(document)
    for token, literal in raw.items():
        text = text.replace(token, literal)
    if draw(st.integers(0, 9)) == 0 and isinstance(document, dict) and document:
        name = json.dumps(draw(st.sampled_from(sorted(document))))
        text = "{" + f"{name}: {draw(st.sampled_from(LITERALS))}, " + text[1:]  # a key that occurs twice
    return text


# --- NPZ ---------------------------------------------------------------------------------------------------------


def npy(array):
    stream = io.BytesIO()
    if array.dtype == np.longdouble and array.dtype.itemsize == 16:
        raw = np.frombuffer(bytearray(array.tobytes()), dtype=np.uint8).reshape(-1, 16)
        raw[:, 10:] = 0  # the padding is whatever was in memory, and an example must be the same every time
        array = raw.view(array.dtype).reshape(array.shape)
    np.lib.format.write_array(stream, array, allow_pickle=True)
    return stream.getvalue()


def header(text, data=b""):
    """An .npy file with a header of one's own."""
    content = text.encode("latin1")
    return b"\x93NUMPY\x01\x00" + len(content).to_bytes(2, "little") + content + data


HEADERS = (
    "{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }\n",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (-1,), }\n",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (10000000000000000000000,), }\n",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (2L, 2L), }\n",
    "{'descr': '<f8', 'fortran_order': False, 'shape': ((2,),), }\n",
    "{'descr': '|O', 'fortran_order': False, 'shape': (2, 2), }\n",
    "{'descr': '<U1000000000', 'fortran_order': False, 'shape': (2,), }\n",
    "{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (2,), }\n",
    "{'descr': 'nonsense', 'fortran_order': 3, 'shape': 2}\n",
    "(" * 5000,
    "{",
    "",
)


@st.composite
def arrays(draw, example=None):
    """Arrays of every kind, shape and value that a file may hold where numbers (such as `example`) are expected."""
    like = np.zeros((2, 2)) if example is None else np.asarray(example)
    kind = draw(
        st.sampled_from(
            ["value", "shape", "dtype", "dtype", "huge", "object", "text", "date", "empty", "scalar", "record"]
        )
    )
    if kind == "value" and like.size and like.dtype.kind == "f":
        changed = like.copy()
        worst = (np.nan, np.inf, -np.inf, 1e308, -1e308, 5e-324, 1e154, -0.0, 0.0, 1.0)
        for _ in range(draw(st.integers(1, 3))):
            changed.flat[draw(st.integers(0, like.size - 1))] = draw(st.sampled_from(worst))
        return changed
    if kind == "shape":
        return draw(
            st.sampled_from([like.ravel(), like[None], like.T, like[..., None], like[None][:0], like.ravel()[:1]])
        )
    if kind == "dtype" and like.dtype.kind in "fiub":
        types = ("f2", "f4", "g", "i1", "u8", "?", "c16", ">f8", "S3", "U3")
        with np.errstate(all="ignore"):
            return like.astype(draw(st.sampled_from(types)))
    others = {
        "huge": np.array(["1e4000"], dtype=np.longdouble) * np.ones(like.shape, dtype=np.longdouble),
        "object": np.array([{"pickled": 1}, None], dtype=object),
        "text": np.full(like.shape, "$\\frac{"),
        "date": np.zeros(like.shape, dtype="M8[s]"),
        "empty": np.zeros(draw(st.sampled_from([(0,), (0, 2), (2, 0), (0, 0, 0)]))),
        "scalar": np.array(draw(st.floats())),
        "record": np.zeros(2, dtype=[("a", "f8"), ("b", "U2")]),
    }
    return others.get(kind, like)


@st.composite
def npz_files(draw, valid):
    """Bytes of an NPZ like that of the arrays in `valid`: members replaced, missing, added, renamed, spoiled."""
    members = {name: npy(np.asarray(array)) for name, array in valid.items()}
    for _ in range(draw(st.integers(0, 2))):
        name = draw(st.sampled_from(sorted(members))) if members else "x"
        what = draw(st.sampled_from(["array", "array", "array", "header", "spoil", "remove", "swap", "add", "bomb"]))
        if what == "array":
            members[name] = npy(draw(arrays(valid.get(name))))
        elif what == "header":
            members[name] = header(draw(st.sampled_from(HEADERS)), draw(st.sampled_from([b"", b"\0" * 64])))
        elif what == "spoil":
            members[name] = draw(spoiled(members.get(name, b"")))
        elif what == "remove":
            members.pop(name, None)
        elif what == "swap" and members:
            other = draw(st.sampled_from(sorted(members)))
            members[name], members[other] = members[other], members[name]
        elif what == "add":
            members[draw(st.sampled_from(["../up", "", "a/b", "é", "x" * 300]))] = b"nothing"
        elif what == "bomb":
            members[name] = npy(np.zeros(2_000_000))  # 16 MB from 16 kB
    stream = io.BytesIO()
    method = draw(st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]))
    suffix = draw(st.sampled_from([".npy", ".npy", ".npy", ".npy", ""]))
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in members.items():
            member = zipfile.ZipInfo(name + suffix or " ")  # of no date, so that the bytes are the same every time
            archive.writestr(member, content, method)
    data = stream.getvalue()
    if draw(st.integers(0, 7)) == 0:
        return draw(
            st.sampled_from(
                [npy(np.zeros((2, 2))), data.replace(b"PK\x01\x02", b"PK\x01\x03"), b"PK\x05\x06" + b"\0" * 18]
            )
        )
    return draw(spoiled(data)) if draw(st.integers(0, 2)) == 0 else data


# --- CSV ---------------------------------------------------------------------------------------------------------

CELLS = (
    "",
    " ",
    "nan",
    "inf",
    "-Infinity",
    "1e999",
    "1e308",
    "-1e308",
    "5e-324",
    "1_000",
    "0x10",
    "1,5",
    '"',
    "'1'",
    "y",
)
CELLS += (
    "1" * 5000,
    "x" * 200_000,
    "١٢",
    "\0",
    "\ufeff1",
    "1\n2",
    '"1\n2"',
    "=1+1",
    "1;2",
    "True",
    "1j",
    "\x85",
    "\u2028",
)


@st.composite
def csv_files(draw):
    """Bytes of a table whose cells, rows and header are those of real life, or worse."""
    columns = draw(st.integers(1, 4))
    header = [draw(st.sampled_from(["a", "b", "y", "", "1", "é"])) for _ in range(columns)]
    rows = [header] + [[str(draw(st.integers(-3, 3))) for _ in range(columns)] for _ in range(draw(st.integers(0, 5)))]
    for _ in range(draw(st.integers(0, 2))):
        row = draw(st.sampled_from(rows))
        if row:
            row[draw(st.integers(0, len(row) - 1))] = draw(st.sampled_from(CELLS))
        if draw(st.integers(0, 4)) == 0:
            row.pop() if row else row.append("1")
    text = "\n".join(draw(st.sampled_from([",", ",", ",", ";", "\t"])).join(row) for row in rows)
    content = text.encode(draw(st.sampled_from(["utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16"])))
    return draw(spoiled(content)) if draw(st.booleans()) else content


# --- files that are no files -------------------------------------------------------------------------------------


def odd_places(folder, suffix):
    """Names under which no file can be read: missing, a folder, a loop of links, too long, empty, below a file."""
    (folder / f"folder{suffix}").mkdir(exist_ok=True)
    loop = folder / f"loop{suffix}"
    if not loop.is_symlink():
        loop.symlink_to(loop.name)
    (folder / f"empty{suffix}").write_bytes(b"")
    names = ["absent", "folder", "loop", "empty", "x" * 300, "empty" + suffix + "/below", "\udcff", "new\nline"]
    return [str(folder / f"{name}{suffix}") for name in names]


# --- arguments in Python -----------------------------------------------------------------------------------------


def arguments(good):
    """Values that a caller may pass where `good` belongs."""
    values = [None, True, False, np.bool_(True), 0, -1, 1, 2, 10**9, 10**30, 10**400, 0.5, -0.5, 1e308, -1e308, 5e-324]
    values += [
        float("nan"),
        float("inf"),
        -float("inf"),
        np.float32(0.5),
        np.int8(1),
        np.uint64(2**63),
        1j,
        "",
        "1",
        "a",
    ]
    values += [
        b"1",
        [],
        [[]],
        [1, 2],
        [[1.0], [1.0, 2.0]],
        (),
        {},
        {"a": 1},
        set(),
        object(),
        np.datetime64("2020-01-01"),
    ]
    values += [np.array("1"), np.array(None), np.array([None, 1.0]), np.array(["a"]), np.zeros(0), np.zeros((0, 2))]
    values += [np.zeros((2, 2)), np.zeros((1, 1, 1)), np.array([np.nan]), np.array([1e308, 1e308]), np.ma.masked_all(2)]
    values += [np.array(["1e4000"], dtype=np.longdouble), np.array([10**400], dtype=object), range(3), lambda x: x, int]
    if isinstance(good, np.ndarray):
        tiny, many = np.finfo(float).tiny, np.asarray(good, dtype=float)
        values += [
            many / max(1.0, float(np.abs(many).max(initial=1.0))) * 1e308,
            many * 1e160,
            many * tiny,
            many * 5e-324,
        ]
        values += [
            many[None],
            many.ravel(),
            many[..., :-1],
            many.astype(object),
            many.astype(str),
            many.astype(np.float16),
        ]
        values += [many.astype(complex), many * np.nan, np.asfortranarray(many), many[::-1], np.full(many.shape, 1e308)]
        values += [np.ma.masked_array(many, mask=True), many.astype("M8[s]"), many.tolist(), -0.0 * many]
    return st.sampled_from(range(len(values))).map(values.__getitem__)
