"""Every headline that rests on a path comes with a certificate, and each is verified in exact arithmetic."""

import json

import pytest

from checks import claims
from checks.certificates import shipped, verify


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return shipped.write(tmp_path_factory.mktemp("certificates"), shipped.make())


def test_every_headline_is_a_claim(files):
    assert {file.stem for file in files} == {headline.claim for headline in shipped.HEADLINES}
    assert {file.stem for file in files} <= set(claims.available())


@pytest.mark.parametrize("headline", shipped.HEADLINES, ids=lambda headline: headline.claim)
def test_the_certificate_is_verified(files, headline, capsys):
    file = next(file for file in files if file.stem == headline.claim)
    assert verify.main([str(file)]) == 0
    assert "verified" in capsys.readouterr().out
    document = json.loads(file.read_text())
    document["upper"] *= 0.9
    file.with_suffix(".lowered").write_text(json.dumps(document))
    if document["upper"] > 1e-20:  # a zero risk cannot be undercut by scaling
        assert verify.main([str(file.with_suffix(".lowered"))]) == 1
        assert "piece" in capsys.readouterr().err


def test_the_same_seed_gives_the_same_files(files, tmp_path):
    assert [f.read_text() for f in shipped.write(tmp_path, shipped.make())] == [f.read_text() for f in files]
