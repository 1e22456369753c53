"""What `hubel gc` keeps of what answers."""

from pipelines.workspace.collect import collect
from pipelines.workspace.layout import Workspace


def test_a_version_that_lacks_its_model_is_kept_in_the_place_of_none_that_answers(tmp_path):
    place = Workspace.at(tmp_path)
    (tmp_path / "pipelines/digits").mkdir(parents=True)
    for version in (1, 2, 10):
        folder = place.served("digits") / str(version)
        folder.mkdir(parents=True)
        (folder / "saved_model.pb").write_bytes(b"graph")
    (place.served("digits") / "11/variables").mkdir(parents=True)
    removed = collect(place, keep=1)["removed"]
    assert removed == ["models/digits/1", "models/digits/2"]
    assert (place.served("digits") / "10/saved_model.pb").is_file()
