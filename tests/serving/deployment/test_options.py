"""Where models are, as it is typed."""

import pytest

from configs.errors import UsageError
from serving.deployment.options import CLAIM, HOST, IMAGE, URI, Storage


@pytest.mark.parametrize(
    ("text", "storage"),
    [
        ("pvc:models", Storage(CLAIM, "models")),
        ("pvc:models/of/team/", Storage(CLAIM, "models", "of/team")),
        ("hostpath:/srv/models/", Storage(HOST, "/srv/models")),
        ("image", Storage(IMAGE)),
        ("gs://bucket/models/", Storage(URI, "gs://bucket/models")),
        ("pvc://models/x", Storage(URI, "pvc://models/x")),
    ],
)
def test_a_place_is_what_it_says(text, storage):
    assert Storage.parse(text) == storage


@pytest.mark.parametrize(
    "text", ["", "pvc:", "pvc:A_b", "pvc:a/../b", "hostpath:models", "/srv/models", "ftp:x", "images", "gs:// a"]
)
def test_what_is_no_place_is_refused(text):
    with pytest.raises(UsageError, match="says no place of models") as refused:
        Storage.parse(text)
    assert "pvc:CLAIM" in refused.value.hint
