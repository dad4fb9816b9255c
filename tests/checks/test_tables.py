"""Tables: what is read, and that every unusable file is refused in one line."""

import gzip
import io
import pickle
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as hst

from checks import tables
from checks.tables import TableError


def write(tmp_path, name, content):
    file = tmp_path / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


def refusal(file):
    """What is wrong with the file; empty when it was read."""
    try:
        sample = tables.read(file)
    except TableError as error:
        return str(error)
    assert np.isfinite(sample.X).all()
    return ""


def npz(tmp_path, name="t.npz", **arrays):
    np.savez(tmp_path / name, **arrays)
    return tmp_path / name


X = np.array([[0.0, 1.0], [1.0, 1.0], [2.0, 1.0], [4.0, 1.0]])
Y = np.array([1.0, 2.0, 4.0, 1.0])


def test_shipped_tables_are_standardised_and_loaded_once():
    shipped = tables.shipped()
    assert list(shipped) == ["diabetes", "digits"]
    assert shipped.used == ()
    sample = shipped["digits"]
    assert sample is tables.shipped()["digits"]
    assert shipped.used == ("digits",)
    assert sample.X.shape == (1797, 64)
    assert sample.Y.shape == (1797, 1)
    spread = sample.X.std(axis=0)
    assert np.all((np.abs(spread - 1) < 1e-12) | (spread == 0))  # a few pixels are constant
    assert np.abs(sample.X.mean(axis=0)).max() < 1e-12


def test_csv_takes_the_column_named_y_or_else_the_last(tmp_path):
    named = tables.read(write(tmp_path, "a.csv", "y,u,v\n1,0,1\n2,1,1\n\n4,2,1\n1,4,1\n"))
    last = tables.read(write(tmp_path, "b.csv", "\ufeffu,v,w\r\n0,1,1\r\n1,1,2\r\n2,1,4\r\n4,1,1\r\n"))
    direct = tables.standardised(X, Y)
    for sample in (named, last):
        assert np.array_equal(sample.X, direct.X)
        assert np.array_equal(sample.Y, direct.Y)
    assert not direct.X[:, 1].any()  # constant


def test_npz_reads_what_csv_reads(tmp_path):
    for y in (Y, Y[:, None]):
        sample = tables.read(npz(tmp_path, X=X, y=y))
        assert np.array_equal(sample.Y, tables.standardised(X, Y).Y)


def test_columns_of_every_size_are_standardised():
    wanted = tables.standardised(X, Y)
    sample = tables.standardised(X * [2.0**1000, 2.0**-1000], Y * 2.0**-700)
    assert np.array_equal(sample.X, wanted.X)
    assert np.array_equal(sample.Y, wanted.Y)
    sample = tables.standardised(X * [1e300, 1e-300], Y * 1e-200)
    assert np.allclose(sample.X, wanted.X, rtol=1e-14, atol=0)


@given(hst.floats(1e-12, 1e300), hst.integers(2, 60), hst.integers(1, 1000), hst.booleans())
def test_a_column_that_varies_is_no_constant_however_long_it_is(offset, step, repeats, negative):
    """Whole multiples of a step of 8 units in the last place and more, on an offset: known without any rounding."""
    k = np.tile(np.arange(5.0), repeats)
    ulp = np.spacing(offset)
    column = (-1) ** negative * (offset + k * (8 * step) * ulp)
    if np.spacing(np.abs(column).max()) != ulp:
        return  # across a power of two the steps are no longer whole
    found = tables.standardised(k[:, None], column).Y[:5, 0]
    assert np.allclose((-1) ** negative * found, (np.arange(5) - 2) / np.sqrt(2), atol=1e-12)


@given(hst.floats(-1e300, 1e300), hst.integers(1, 1000))
def test_a_column_that_varies_in_its_last_digit_only_is_constant(value, repeats):
    column = np.tile([value, np.nextafter(value, np.inf)], repeats)
    column = column if abs(value) > 1e-300 else np.zeros(2 * repeats)
    assert not tables.standardised(np.arange(2.0 * repeats)[:, None], column).Y.any()


@pytest.mark.parametrize("header", ["x1,,y", "x1,y,", ",,y"])
def test_a_column_without_a_name_is_refused(tmp_path, header):
    said = refusal(write(tmp_path, "t.csv", f"{header}\n0.5,1,2\n1,2,1\n2,5,3\n"))
    assert f"column {[cell.strip() for cell in header.split(',')].index('') + 1} has no name" in said


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "empty"),
        ("\n \n", "blank"),
        ("y\n1\n2\n", "two columns"),
        ("a,y,y\n1,2,3\n1,3,3\n", "named y"),
        ("a,y\n1,2\n", "at least two rows"),
        ("a,y\n", "at least two rows"),
        ("a,y\n1,2\n1,2,3\n", "line 3 has 3 columns"),
        ("a,y\n1,2\nred,3\n", "line 3, column 'a': 'red' is not a number"),
        ("a,y\n1,2\n,3\n", "is empty"),
        ("a,y\n1,2\nnan,3\n", "nan is not finite"),
        ("a,y\n1,2\n3,-inf\n", "column 'y': -inf is not finite"),
        ("a,y\n1,2\n1_0,3\n", "not a number"),
        ("a;y\n1,5;2\n2;3\n", "a decimal comma? write a point"),
        ('a;y\n"1,234,567.5";2\n2;3\n', "one between thousands? leave it out"),
        ("a y\n1 2 3\n2 3 4\n", "line 2 has 3 columns, the header has 2 (row names that the header does not name?"),
        ("a,b,y\n1\n2\n", "line 2 has 1 column, the header has 3"),
        ("a,y\n1,u\n2,v\n3,NA\n4,u\n5,v\n6,NA\n", "line 4, column 'y': 'NA' stands for no value"),
        ("a,y\n1,u\n2,v\n3,?\n4,u\n5,v\n", "line 4, column 'y': '?' stands for no value"),
        ("a,kind\n1,u\n2,v\n3,w\n", "column 'kind': 'u' is not a number"),  # as many words as rows are no classes
        ("a,kind\n1,u\n2,\n3,u\n4,v\n5,v\n", "line 3, column 'kind': is empty"),
        ("a,y\n1,2\n2,2\n", "target is constant"),
        ("a,y\n1,2\n1,3\n", "every input column is constant"),
        (b"\xff\xfe\x00a", "not a text file of separated columns"),
        (b"a,y\n1,\x002\n", "line 2, column 'y'"),
    ],
)
def test_an_unusable_csv_is_refused_in_one_line(tmp_path, content, says):
    file = write(tmp_path, "t.csv", content)
    with pytest.raises(TableError) as caught:
        tables.read(file)
    assert says in str(caught.value)
    assert "t.csv" in str(caught.value)
    assert "\n" not in str(caught.value)


class Harmful:
    def __reduce__(self):
        return (pytest.fail, ("a pickle was loaded",))


def archive_with(tmp_path, member, data):
    file = tmp_path / "odd.npz"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("X.npy", npy(X))
        archive.writestr(member, data)
    return file


def npy(array):
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=True)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda d: npz(d, X=X), "y missing"),
        (lambda d: npz(d), "it holds nothing"),
        (lambda d: npz(d, X=X, y=Y[:3]), "y must have shape (4,)"),
        (lambda d: npz(d, X=X, y=np.zeros((4, 2))), "y must have shape"),
        (lambda d: npz(d, X=X[0], y=Y), "X must have shape"),
        (lambda d: npz(d, X=X[:, :0], y=Y), "X must have shape"),
        (lambda d: npz(d, X=X[:1], y=Y[:1]), "at least two rows"),
        (lambda d: npz(d, X=X * 1j, y=Y), "real numbers"),
        (lambda d: npz(d, X=X.astype(str), y=Y), "real numbers"),
        (lambda d: npz(d, X=np.where(X == 4, np.nan, X), y=Y), "entry (3, 0) is nan"),
        (lambda d: npz(d, X=X, y=np.array([1.0, 2, np.inf, 0])), "y must be finite"),
        (lambda d: archive_with(d, "y.npy", npy(np.array([Harmful()] * 4))), "never loaded"),
        (lambda d: archive_with(d, "y.npy", pickle.dumps(Harmful())), "cannot be read"),
        (lambda d: archive_with(d, "y.npy", npy(Y)[:-9]), "cannot be read"),
        (lambda d: archive_with(d, "y.npy", b"\x93NUMPY\x01\x00\xff\xff{"), "cannot be read"),
        (lambda d: write(d, "t.npz", npy(X)), "not an NPZ archive"),
        (lambda d: write(d, "t.npz", pickle.dumps(Harmful())), "not an NPZ archive"),
        (lambda d: write(d, "t.npz", b""), "empty"),
        (lambda d: d / "absent.npz", "No such file"),
        (lambda d: d / "absent.csv", "No such file"),
        (lambda d: write(d, "t.xlsx", b"x"), "must end in .csv, .tsv, .csv.gz, .tsv.gz, .npz or .parquet"),
    ],
)
def test_an_unusable_npz_is_refused_in_one_line(tmp_path, make, says):
    with pytest.raises(TableError) as caught:
        tables.read(make(tmp_path))
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_directory_is_refused(tmp_path):
    for name in ("folder.csv", "folder.npz"):
        (tmp_path / name).mkdir()
        with pytest.raises(TableError, match="is a directory"):
            tables.read(tmp_path / name)


@given(
    hst.binary(max_size=80) | hst.text(alphabet='ay,1.\n"-e', max_size=60).map(str.encode),
    hst.sampled_from(["csv", "npz", "tsv", "csv.gz", "parquet"]),
)
def test_any_bytes_give_a_table_or_one_line(tmp_path_factory, content, suffix):
    file = write(tmp_path_factory.mktemp("t", numbered=True), f"t.{suffix}", content)
    assert "\n" not in refusal(file)


@given(hst.integers(0, 400), hst.integers(0, 255))
def test_a_damaged_archive_gives_a_table_or_one_line(tmp_path_factory, place, byte):
    file = npz(tmp_path_factory.mktemp("t", numbered=True), X=X, y=Y)
    content = bytearray(file.read_bytes())
    content[place % len(content)] = byte
    file.write_bytes(bytes(content))
    assert "\n" not in refusal(file)


# --- what is read, said in a line ------------------------------------------------------------------------------------------

NUMBERS = hst.floats(-1e6, 1e6).map(lambda x: x + 0.0)
NAMES = hst.lists(hst.text("abcdefgh", min_size=1, max_size=4), min_size=2, max_size=5, unique=True)
WRITTEN = {",": "csv", ";": "csv", "\t": "tsv", "|": "csv"}


@given(NAMES, hst.data(), hst.sampled_from(list(WRITTEN)), hst.booleans(), hst.booleans())
def test_however_a_table_is_written_it_reads_back(tmp_path_factory, names, data, separator, indexed, zipped):
    """With any separator, zipped or not, with the row numbers that pandas writes or without; whichever column is the target."""
    cells = np.array(
        data.draw(hst.lists(hst.lists(NUMBERS, min_size=len(names), max_size=len(names)), min_size=2, max_size=6))
    )
    target = data.draw(hst.sampled_from(names))
    head = [""] * indexed + names
    rows = [[str(k)] * indexed + [repr(float(x)) for x in row] for k, row in enumerate(cells)]
    text = "\n".join(separator.join(row) for row in [head, *rows]) + "\n"
    folder = tmp_path_factory.mktemp("t", numbered=True)
    content = gzip.compress(text.encode(), mtime=0) if zipped else text
    table = tables.load(write(folder, f"t.{WRITTEN[separator]}{'.gz' * zipped}", content), target)
    at = names.index(target)
    assert np.array_equal(table.y, cells[:, at])
    assert np.array_equal(table.X, np.delete(cells, at, axis=1))
    assert (table.target, table.inputs) == (target, tuple(name for name in names if name != target))
    assert f"{len(cells)} rows, {len(names) - 1} input" in table.line
    assert ("row numbers" in table.line) == indexed
    assert ("separated by" in table.line) == (separator != ",")
    assert "\n" not in table.line
    assert repr(table) == f"Table({table.line})"


def test_a_data_frame_reads_back_from_whatever_pandas_wrote(tmp_path):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"a": [0.1 + 0.2, 2.0, 3.0, 4.0], "b": [4, 3, 2, 2], "kind": ["u", "v", "u", "v"]})
    shuffled = frame.sample(frac=1, random_state=0)
    for name, written in (
        ("i.csv", frame),
        ("s.csv", shuffled),
        ("z.csv.gz", shuffled),
        ("p.parquet", frame),
        ("q.parquet", shuffled),
    ):
        if name.endswith("parquet"):
            pytest.importorskip("pyarrow")
            written.to_parquet(tmp_path / name)
        else:
            written.to_csv(tmp_path / name)
        table = tables.load(tmp_path / name)
        assert np.array_equal(table.X, written[["a", "b"]].to_numpy())
        assert table.labels == ("u", "v")
        assert table.given.tolist() == written["kind"].tolist()
        assert "2 class labels (u, v)" in table.line
        assert ("row numbers" in table.line) == (name != "p.parquet")
    assert tables.load(tmp_path / "i.csv").target == "kind"
    with pytest.raises(TableError, match="did you mean 'kind'"):
        tables.load(tmp_path / "i.csv", "knd")
    with pytest.raises(TableError, match="line 2, column 'kind': 'u' is not a number"):
        tables.load(tmp_path / "i.csv", "a")


def test_tables_that_scikit_learn_ships_load_as_they_are():
    from sklearn import datasets

    folder = Path(datasets.__file__).parent / "data"
    for file, bunch in (
        ("iris.csv", datasets.load_iris()),
        ("wine_data.csv", datasets.load_wine()),
        ("breast_cancer.csv", datasets.load_breast_cancer()),
    ):
        table = tables.load(folder / file)
        assert np.array_equal(table.X, bunch.data)
        assert np.array_equal(table.y, bunch.target)
        assert table.labels == tuple(bunch.target_names)
        assert "a header of scikit-learn" in table.line
    digits = tables.load(folder / "digits.csv.gz")
    assert np.array_equal(digits.y, datasets.load_digits().target)
    assert "no header" in digits.line
    assert "10 class labels" in digits.line
    exercise = tables.load(folder / "linnerud_exercise.csv", "Situps")
    assert np.array_equal(np.column_stack([exercise.X, exercise.y])[:, [0, 2, 1]], datasets.load_linnerud().data)
    assert "separated by spaces" in exercise.line


@pytest.mark.parametrize(
    ("name", "content", "target", "says"),
    [
        ("t.csv", "a,b\n1,2\n2,3\n", "c", "no column is called 'c'; there are a, b"),
        ("t.csv", "a,b,a\n1,2,3\n2,3,5\n", "a", "2 columns are named a"),
        ("t.csv", "a\n1\n2\n", None, "separators tried: commas, semicolons, tabs, bars, spaces"),
        ("t.csv.gz", b"a,b\n1,2\n2,3\n", None, "Not a gzipped file"),
        ("t.csv.gz", gzip.compress(b"a,b\n1,2\n2,3\n", mtime=0)[:-9], None, "not a text file of separated columns"),
        ("t.parquet", b"PAR1 no table PAR1", None, "is not a Parquet file that can be read"),
    ],
)
def test_a_target_or_a_file_that_will_not_do_is_one_line(tmp_path, name, content, target, says):
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow")
    with pytest.raises(TableError) as caught:
        tables.load(write(tmp_path, name, content), target)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_npz_has_no_column_to_name(tmp_path):
    with pytest.raises(TableError, match="leave out the target 'u'"):
        tables.load(npz(tmp_path, X=X, y=Y), "u")


def test_parquet_without_pyarrow_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(TableError, match="pip install pyarrow"):
        tables.load(write(tmp_path, "t.parquet", b"PAR1"))


def test_a_column_that_only_looks_like_row_numbers_stays(tmp_path):
    named = [(name, True) for name in ("index", "id", "level_0", "Row", "idle", "index of price", "Unnamed")]
    for name, stays in (*named, ("", False), ("Unnamed: 0", False), ("Unnamed: 0.1", False), ("Unnamed: 0_x", False)):
        head = f"{name},u,v"
        text = f"{head}\n0,1,2\n7,2,3\n2,3,5\n"  # not one after the other
        assert (len(tables.load(write(tmp_path, "t.csv", text)).inputs) == 2) is stays
    assert tables.load(write(tmp_path, "t.csv", "index,v\n0,1\n1,3\n")).inputs == ("index",)  # there is no other input
    assert tables.load(write(tmp_path, "t.csv", "index,u,v\n5,1,2\n3,2,3\n4,3,5\n")).inputs == ("u",)


@pytest.mark.parametrize(
    "head",
    [",Unnamed: 0,u,v", "Unnamed: 0.1,Unnamed: 0,u,v", "level_0,index,u,v", "u,Unnamed: 0,ID,v", "u,v,row_id,id"],
)
def test_rows_that_are_numbered_several_times_are_not_inputs(tmp_path, head):
    """A frame that is written and read again has its row numbers twice; merged, in the middle."""
    names = head.split(",")
    rows = [",".join(str({"u": k * k, "v": 7 - k}.get(name, k)) for name in names) for k in range(4)]
    table = tables.load(write(tmp_path, "t.csv", "\n".join([head, *rows]) + "\n"))
    assert (table.inputs, table.target) == (("u",), "v")
    assert table.line.count("row numbers") == 2
    assert tables.load(tmp_path / "t.csv", names[1]).target == names[1]  # one that is asked for stays


def test_what_parquet_calls_the_index_is_no_input(tmp_path):
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    frame = pandas.DataFrame({"g": [1, 1, 2, 2], "k": [5, 9, 5, 9], "u": [1.0, 2.0, 4.0, 3.0], "y": [3, 2, 1, 0]})
    frame.set_index(["g", "k"]).to_parquet(tmp_path / "t.parquet")
    table = tables.load(tmp_path / "t.parquet")
    assert (table.inputs, table.target) == (("u",), "y")
    assert "left out: 'g', the index; left out: 'k', the index" in table.line
    assert tables.load(tmp_path / "t.parquet", "k").inputs == ("u", "y")
    frame[["g", "y"]].set_index("g").to_parquet(tmp_path / "t.parquet")
    assert tables.load(tmp_path / "t.parquet").inputs == ("g",)  # there is no other input
