"""Tables of images: columns, labels, paths and splits, and what is refused in which line."""

import json
import os
from pathlib import Path

import pytest
from PIL import Image

from components import keys
from components.example_gen import csv, sources
from components.example_gen import labels as labels_module
from configs.errors import UsageError
from configs.schema.data import DataConfig
from tests.components.digits import images
from tests.components.example_gen.at_once import assert_checked_at_once
from tests.components.example_gen.test_component import generated, ids, labels


@pytest.fixture
def place(tmp_path):
    """A folder with the digits a.png, b.png, c.jpg, in/d.png and e.1.jpeg."""
    root = tmp_path / "my [set] *?"
    (root / "in").mkdir(parents=True)
    for number, name in enumerate(["a.png", "b.png", "c.jpg", "in/d.png", "e.1.jpeg"]):
        Image.fromarray(images()[0][number][..., 0]).save(root / name)
    return root


def located(root: Path, data=None, **features) -> sources.Located:
    source = f"csv:{root / 'table.csv'}"
    sources.check(source, root.parent / "datasets")
    return sources.locate(DataConfig(source=source, features=features, **(data or {})), root.parent / "datasets")


def write(root: Path, text: str | bytes) -> Path:
    (root / "table.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    return root


def read(root: Path, data=None, **features) -> tuple[list[str], dict[str, dict[str, str | None]]]:
    """(class names, split -> id -> class name)."""
    address = json.loads(json.dumps(dict(located(root, data, **features).address)))
    held = csv.contents(address)
    names = list(held.class_names)
    by_split = {}
    for split, shards in held.shards.items():
        raws = [raw for shard in shards for raw in csv.images(address, shard)]
        by_split[split] = {raw.example_id.decode(): None if raw.label is None else names[raw.label] for raw in raws}
        assert len(raws) == held.counts[split]
    return names, by_split


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "with a mark"])
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["LF", "CRLF"])
def test_delimiters_marks_and_ends_of_lines_are_found(place, delimiter, mark, end):
    lines = ["file;label", "a.png;cat", "", "in/d.png;dög"]
    write(place, mark + end.join(lines).replace(";", delimiter).encode())
    assert read(place) == (["cat", "dög"], {"all": {"a.png": "cat", "in/d.png": "dög"}})


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("row_numbers", ["", '""|'], ids=["all quoted", "as R's write.csv"])
def test_a_header_may_be_quoted(place, delimiter, row_numbers):
    lines = [f'{row_numbers}"file"|"label"|"no;te,\t"', *(f'{row_numbers}"{name}"|"x"|"a;b,c\td"' for name in ("a.png", "b.png"))]
    write(place, "\n".join(lines).replace("|", delimiter))
    assert read(place) == (["x"], {"all": {"a.png": "x", "b.png": "x"}})
    write(place, '"file\n"\n"a.png"\n')
    assert read(place) == ([], {"all": {"a.png": None}}), "one column"


@pytest.mark.parametrize("header", ['"file"x,"label"', 'file,"label', '"file'])
def test_a_header_that_no_delimiter_parts_is_refused(place, header):
    write(place, f"{header}\na.png,1\n")
    with pytest.raises(UsageError, match="is no CSV"):
        located(place)


@pytest.mark.parametrize("image", ["path", "file", "filename", "Image", "ID", "image_id", "file_name", " img "])
@pytest.mark.parametrize("label", ["label", "Class", "target", "category"])
def test_columns_are_known_by_their_usual_names(place, image, label):
    write(place, f"width,{label},{image}\n8,cat,a.png\n8,dog,b.png\n")
    assert read(place)[1] == {"all": {"a.png": "cat", "b.png": "dog"}}


def test_other_columns_are_named(place):
    write(place, "id,photo,label,breed\nx1,a.png,3,pug\nx1,b.png,4,lab\n")
    names, by_split = read(place, image="photo", label="breed")
    assert (names, by_split) == (["lab", "pug"], {"all": {"a.png": "pug", "b.png": "lab"}})
    address = located(place, image="photo", id="id").address
    held = csv.contents(address)
    assert [raw.example_id for shard in held.shards["all"] for raw in csv.images(address, shard)] == [b"x1", b"x1"]
    assert list(held.class_names) == ["3", "4"]


@pytest.mark.parametrize(
    ("given", "names"),
    [
        (["10", "9", "2"], ["2", "9", "10"]),
        (["-1", "+3", "007"], ["-1", "+3", "007"]),
        (["10", "9", "x"], ["9", "10", "x"]),
        (["b", "a", ""], ["a", "b"]),
        (["", "", ""], []),
        (["1", "1", ""], ["1"]),
    ],
)
def test_whole_numbers_stand_by_value_and_an_empty_label_is_none(place, given, names):
    write(
        place, "file,label\n" + "".join(f"{file},{label}\n" for file, label in zip(("a.png", "b.png", "c.jpg"), given, strict=True))
    )
    assert read(place) == (names, {"all": dict(zip(("a.png", "b.png", "c.jpg"), (label or None for label in given), strict=True))})


@pytest.mark.parametrize(
    ("given", "names", "known", "why"),
    [
        (["0.0", "1.0", "-1.0"], ["-1", "0", "1"], ["0", "1", "-1"], {}),
        (["1", "1.0", "10."], ["1", "10"], ["1", "1", "10"], {}),
        (["0.5", "1.0", "-0.0"], ["0", "0.5", "1"], ["0.5", "1", "0"], {}),
        (["nan", "NA", ""], [], [None] * 3, {"nan": 1, "NA": 1, "empty": 1}),
        (["cat", "None", "None"], ["cat"], ["cat", None, None], {"None": 2}),
        (["cat", "N/A", "<NA>"], ["cat"], ["cat", None, None], {"N/A": 1, "<NA>": 1}),
        (["TRUE", "True", "true"], ["True"], ["True"] * 3, {}),
        (["FALSE", "true", "false"], ["False", "True"], ["False", "True", "False"], {}),
        (["B\u00e4r", "Ba\u0308r", "bear"], ["B\u00e4r", "bear"], ["B\u00e4r", "B\u00e4r", "bear"], {}),
        (["cat", "none", "Nano"], ["Nano", "cat", "none"], ["cat", "none", "Nano"], {}),
    ],
)
def test_labels_are_what_pandas_wrote(place, given, names, known, why):
    write(
        place, "file,label\n" + "".join(f"{file},{label}\n" for file, label in zip(("a.png", "b.png", "c.jpg"), given, strict=True))
    )
    assert read(place) == (names, {"all": dict(zip(("a.png", "b.png", "c.jpg"), known, strict=True))})
    assert located(place).unlabelled == why


def test_every_marker_of_pandas_is_a_missing_label():
    from pandas._libs.parsers import STR_NA_VALUES

    assert {"", *labels_module.MISSING} == STR_NA_VALUES


def test_a_class_that_is_called_like_a_missing_label_can_be_kept(place):
    write(place, "file,label\na.png,None\nb.png,-1\nc.jpg,\n")
    assert read(place, {"missing_markers": []}) == (["-1", "None"], {"all": {"a.png": "None", "b.png": "-1", "c.jpg": None}})
    for marker in ("k\u00e4", "ka\u0308"):
        write(place, "file,label\na.png,k\u00e4\nb.png,ka\u0308\nc.jpg,x\n")
        assert read(place, {"missing_markers": [marker]})[0] == ["x"]
    write(place, "file,label\na.png,None\nb.png,-1\nc.jpg,\n")
    assert read(place, {"missing_markers": ["-1"]})[1] == {"all": {"a.png": "None", "b.png": None, "c.jpg": None}}


def test_a_one_hot_column_that_no_row_has_is_a_class_without_an_image(place):
    """Which ExampleGen refuses to train a classifier with, as the class of any other source."""
    write(place, "image,MEL,NV,UNK\na.png,1,0,0\nb.png,0,1,0\nc.jpg,0,1,0\nin/d.png,1,0,0\ne.1.jpeg,1,0,0\n")
    assert read(place, label=["MEL", "NV", "UNK"])[0] == ["MEL", "NV", "UNK"]
    assert located(place, label=["MEL", "NV", "UNK"]).class_names == ["MEL", "NV", "UNK"]


def test_one_hot_columns_are_labels_and_rows_of_none_or_several_have_none(place):
    write(place, "image,MEL,NV,age\na.png,1.0,0.0,40\nb.png,0,1,50\nc.jpg,1,1,60\nin/d.png,0,,70\ne.1.jpeg,False,true,\n")
    names, by_split = read(place, label=["NV", "MEL"])
    assert names == ["MEL", "NV"]
    assert by_split == {"all": {"a.png": "MEL", "b.png": "NV", "c.jpg": None, "in/d.png": None, "e.1.jpeg": "NV"}}
    assert located(place, label=["NV", "MEL"]).unlabelled == {"several labels": 1, "no column is 1": 1}
    with pytest.raises(UsageError, match=r"line 2: age is '40', and a one-hot column has 0 or 1"):
        located(place, label=["MEL", "age"])
    with pytest.raises(UsageError, match="no column 'BCC', which data"):
        located(place, label=["MEL", "BCC"])


@pytest.mark.parametrize(
    ("header", "rows", "lines"),
    [
        ("id,breed", ["a,pug", "b,lab", "c,pug"], ["breed (2 values)", "{label: breed}", "{label: null}"]),
        ("Filename;Width;ClassId", ["a.png;32;0", "b.png;32;1", "c.jpg;32;0"], ["Width (1 value)", "{label: ClassId}"]),
        ("image,MEL,NV,sex", ["a.png,1,0,f", "b.png,0,1,m", "c.jpg,0,1,m"], ["{label: [MEL, NV]}", "{label: sex}"]),
        ("file,what: it is", ["a.png,x", "b.png,y", "c.jpg,x"], ['{label: "what: it is"}']),
    ],
)
def test_columns_that_may_be_the_label_are_listed_with_the_line_that_would_use_them(place, header, rows, lines):
    write(place, "\n".join([header, *rows]))
    with pytest.raises(UsageError, match="has no column of labels that hubel knows") as caught:
        located(place)
    for line in lines:
        assert line in f"{caught.value.message} {caught.value.hint}"
    assert read(place, label=None)[0] == []
    write(place, ",file,Unnamed: 0.1\n0,a.png,0\n1,b.png,1\n")  # row numbers, as pandas writes them
    assert read(place)[0] == []


def test_the_folder_of_the_images_can_be_named(place):
    write(place, "file,label\na.png,1\nd.png,2\n/kaggle/input/set/in/d2.png,2\nC:\\set\\in\\d3.png,3\n/gone/away.png,1\n")
    for name in ("d2.png", "d3.png"):
        (place / "in" / name).write_bytes((place / "a.png").read_bytes())
    for folder in ("in", "./in/", str(place / "in")):
        _, by_split = read(place, {"images": folder})
        assert by_split["all"] == {"a.png": "1", "d.png": "2", "d2.png": "2", "d3.png": "3", "gone/away.png": "1"}
    address = located(place, {"images": "in"}).address
    [shard] = csv.contents(address).shards["all"]
    assert {raw.example_id: len(raw.encoded()) for raw in csv.images(address, shard) if raw.example_id == b"d.png"} == {
        b"d.png": (place / "in/d.png").stat().st_size
    }
    for folder, said in (("nowhere", "there is no folder"), ("a.png", "is no folder")):
        with pytest.raises(UsageError, match=said):
            located(place, {"images": folder})
    write(place, "file,label\n../a.png,1\n")
    with pytest.raises(UsageError, match="lies outside"):
        located(place, {"images": "in"})


def test_the_digest_is_of_the_images_in_their_folder(place):
    write(place, "file,label\nd.png,1\n")
    before = located(place, {"images": "in"}).digest
    (place / "in/d.png").write_bytes((place / "a.png").read_bytes())
    changed = located(place, {"images": "in"}).digest
    write(place, "file,label\nd.png,2\n")
    assert len({before, changed, located(place, {"images": "in"}).digest}) == 3


def test_data_images_is_for_tables(place):
    with pytest.raises(UsageError, match=r"data\.images is set, and folder:.* has no use for it"):
        sources.locate(DataConfig(source=f"folder:{place}", images="in"), place.parent / "datasets")


@pytest.mark.parametrize(
    ("rows", "hint"),
    [
        (["/kaggle/input/d.png,1"], "data.images: in"),
        (["C:\\Users\\me\\in\\d.png,1"], "data.images: in"),
        (["/kaggle/input/unknown.png,1"], "data.images: DIR"),
        (["d,1"], "data.images: in"),
    ],
)
def test_images_that_are_elsewhere_are_looked_for(place, rows, hint):
    write(place, "\n".join(["file,label", *rows]))
    with pytest.raises(UsageError) as caught:
        located(place)
    assert hint in caught.value.hint


def test_files_are_found_in_another_case_and_with_backslashes(place):
    (place / "in/Naïve.PNG").write_bytes((place / "a.png").read_bytes())
    (place / "back\\slash.png").write_bytes((place / "a.png").read_bytes())
    rows = ["A.PNG", "IN\\D.png", "C", ".\\in\\nai\u0308ve", "back\\slash.png", "in\\none.png"]
    write(place, "file,label\n" + "".join(f"{row},x\n" for row in rows))
    assert set(read(place)[1]["all"]) == {"a.png", "in/d.png", "c.jpg", "in/Naïve.PNG", "back\\slash.png", "in\\none.png"}
    write(place, "file,label\na.png,1\nA.PNG,2\n")
    with pytest.raises(UsageError, match=r"line 3: 'a\.png' stands in line 2 already"):
        located(place)
    (place / "A.png").write_bytes((place / "b.png").read_bytes())
    write(place, "file,label\na.png,1\nA.png,2\n")
    assert set(read(place)[1]["all"]) == {"a.png", "A.png"}
    write(place, "file,label\na.PNG,1\n")
    with pytest.raises(UsageError, match=r"line 2: 'a\.PNG' may be any of A\.png, a\.png"):
        located(place)
    write(place, "file,label\n..\\a.png,1\n")
    with pytest.raises(UsageError, match="lies outside"):
        located(place)


def test_a_table_without_labels_is_unlabelled(place):
    write(place, "image\na.png\nb.png\n")
    assert read(place) == ([], {"all": {"a.png": None, "b.png": None}})


def test_a_split_column_is_used(place):
    write(place, "file,label,split\na.png,1,train\nb.png,2,Val\nc.jpg,1,validation\nin/d.png,2, test\n")
    assert read(place)[1] == {
        "train": {"a.png": "1"},
        "validation": {"b.png": "2", "c.jpg": "1"},
        "test": {"in/d.png": "2"},
    }


def test_a_missing_extension_is_found(place):
    write(place, "id,label\na,1\nc,2\ne.1,3\nin/d,4\nnone,5\n")
    assert set(read(place)[1]["all"]) == {"a.png", "c.jpg", "e.1.jpeg", "in/d.png", "none"}


def test_an_id_that_may_be_any_of_several_files_is_refused(place):
    (place / "a.jpg").write_bytes((place / "b.png").read_bytes())
    for name in ("a", "A"):
        write(place, f"id,label\n{name},1\n")
        with pytest.raises(UsageError, match=rf"line 2: '{name}' may be any of a\.jpg, a\.png") as caught:
            located(place)
        assert caught.value.hint == "Write it as the file is called."
    (place / "B.png").write_bytes((place / "a.png").read_bytes())
    (place / "c").write_bytes((place / "a.png").read_bytes())
    write(place, "id,label\na.jpg,1\nb,2\nB,3\nc,4\n")
    assert set(read(place)[1]["all"]) == {"a.jpg", "b.png", "B.png", "c"}, "as written comes first"
    (place / "b.JPG").write_bytes((place / "a.png").read_bytes())
    write(place, "id,label\nb,1\n")
    with pytest.raises(UsageError, match=r"'b' may be any of b\.JPG, b\.png"):
        located(place)


def test_paths_stay_in_the_folder_of_the_table(place):
    write(place, f"file,label\nin/../a.png,1\n./b.png,2\n{place / 'c.jpg'},3\n")
    assert set(read(place)[1]["all"]) == {"a.png", "b.png", "c.jpg"}


def test_paths_of_all_kinds_work(place):
    odd = ["two\nlines.png", 'a "quoted".png', "naïve 猫.png", "sp ace.png", "com,ma.png"]
    for name in odd:
        (place / name).write_bytes((place / "a.png").read_bytes())
    quoted = ['"' + name.replace('"', '""') + '"' for name in odd]
    write(place, "file,label\n" + "".join(f"{name}, x\n" for name in quoted))
    assert read(place)[1] == {"all": dict.fromkeys(odd, "x")}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("file,label\na.png,1\n../b.png,2\n", "line 3: '../b.png' lies outside"),
        ("file,label\n/etc/passwd,1\n", "line 2: '/etc/passwd' lies outside"),
        ("file,label\nin/../../my set2/a.png,1\n", "line 2: 'in/../../my set2/a.png' lies outside"),
        ("file,label\n.,1\n", "line 2: '.' lies outside"),
        ("file,label\na.png,1\n,2\n", "line 3: no image is named"),
        ("file,label\na\0.png,1\n", "line 2: no image is named"),
        ("file,label\na.png,1\nb.png\n", "line 3 has 1 cells and the header 2"),
        ("file,label\na.png,1\n\nb.png,2,3\n", "line 4 has 3 cells and the header 2"),
        ("file,label\na.png,1\na.png,2\n", "line 3: 'a.png' stands in line 2 already"),
        ("file,label\na.png,1\n./a,2\n", "line 3: 'a.png' stands in line 2 already"),
        ("file,label,split\na.png,1,train\nb.png,2,fold3\n", "line 3: 'fold3' is no split"),
        ("file,label,split\na.png,1,\n", "line 2: '' is no split"),
        ('file,label\na.png,1\nb.png,"2\n', "line 3 is no CSV"),
        (b"file,label\na.png,1\nb.png,caf\xe9\n", "line 3 is not UTF-8"),
        ("file,label\na.png,1\n".encode("utf-16"), "line 1 is not UTF-8"),
        ("photo,label\na.png,1\n", "has no column of images, such as path, file or image; it has: photo, label"),
        ("", "has no rows"),
        ("\n\n", "has no rows"),
        ("file,label\n", "has no rows"),
        ("file,label\nx.png,1\ny.png,2\n", "None of the 2 images"),
    ],
)
def test_a_table_that_is_no_such_table_is_refused_with_the_line(place, text, said):
    write(place, text)
    with pytest.raises(UsageError) as caught:
        located(place)
    assert said in caught.value.message
    assert str(place / "table.csv") in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize(
    ("features", "said"),
    [
        ({"label": "breed"}, "has no column 'breed', which data.features.label names"),
        ({"image": "label2"}, "has more than one column 'label2', which data.features.image names"),
        ({"id": "key"}, "line 3: the id is empty"),
    ],
)
def test_columns_that_cannot_be_used_are_refused(place, features, said):
    write(place, "file,label2,label2,key\na.png,1,1,k\nb.png,2,2,\n")
    with pytest.raises(UsageError) as caught:
        located(place, **features)
    assert said in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize(
    ("header", "said", "hint"),
    [
        ("file,label,label", "has 2 columns that may be the label: label, label.", "Call them differently in the header"),
        ("file,label, Label", "has 2 columns that may be the label: label, Label.", "data.features: {label: label}"),
        ("File,label,file", "has 2 columns that may be the image: File, file.", "data.features: {image: File}"),
        ("file,split,Split", "has 2 columns that may be the split: split, Split.", "Call them differently in the header"),
    ],
)
def test_two_columns_of_one_usual_name_are_refused(place, header, said, hint):
    write(place, f"{header}\na.png,train,test\n")
    with pytest.raises(UsageError) as caught:
        located(place)
    assert said in caught.value.message
    assert hint in caught.value.hint


def test_one_of_two_columns_of_one_usual_name_can_be_named(place):
    write(place, "file,label,Label\na.png,cat,pug\nb.png,dog,lab\n")
    assert read(place, label="Label")[0] == ["lab", "pug"]
    assert read(place, label="label")[0] == ["cat", "dog"]


def test_what_is_not_there_is_refused_at_once_and_without_tensorflow(place, tmp_path):
    for rest, said in ((tmp_path / "none.csv", f"There is no file {tmp_path / 'none.csv'}."), (place, f"{place} is no file.")):
        with pytest.raises(UsageError) as caught:
            sources.check(f"csv:{rest}", tmp_path)
        assert caught.value.message == said
    write(place, "file,label\n" + "a.png,1\n" * 200_000)
    assert_checked_at_once(f"csv:{place / 'table.csv'}", tmp_path)


def test_a_table_that_may_not_be_read_is_refused(place, monkeypatch):
    write(place, "file,label\na.png,1\n")

    def denied(path, *rest, **more):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("builtins.open", denied)
    with pytest.raises(UsageError, match=r"table\.csv cannot be read: Permission denied\."):
        sources.check(f"csv:{place / 'table.csv'}", place)


def test_the_digest_is_of_the_table_and_its_images(place):
    seen = []
    for text in ("file,label\na.png,1\n", "file,label\na.png,2\n", "file,label\na.png,2\nlate.png,1\n"):
        seen.append(located(write(place, text)).digest)
    (place / "late.png").write_bytes((place / "b.png").read_bytes())
    seen.append(located(place).digest)
    (place / "late.png").write_bytes((place / "a.png").read_bytes() + b"\0")
    seen.append(located(place).digest)
    assert len(set(seen)) == 5
    os.utime(place / "late.png", (1, 1))
    (place / "b.png").unlink()  # not in the table
    assert located(place).digest == seen[-1]


def test_it_goes_through_example_gen_and_missing_files_are_set_aside(tmp_path):
    pixels, known = images()
    lines = ["id;target"]
    for number in range(200):
        (tmp_path / "digits").mkdir(exist_ok=True)
        Image.fromarray(pixels[number][..., 0]).save(tmp_path / "digits" / f"{number}.png")
        lines.append(f"digits/{number};{known[number]}")
    write(tmp_path, "\n".join([*lines, "digits/gone;1", "digits;2"]))
    by_split, artifact = generated(located(tmp_path), tmp_path, source=f"csv:{tmp_path / 'table.csv'}", max_quarantined=0.05)
    assert json.loads(artifact.get_string_custom_property(keys.QUARANTINED)) == {"unreadable": 2}
    assert json.loads(artifact.get_string_custom_property(keys.CLASS_NAMES)) == [str(i) for i in range(10)]
    assert sum(map(len, by_split.values())) == 200
    for rows in by_split.values():
        for image_id, label in zip(ids(rows), labels(rows), strict=True):
            assert label == known[int(Path(image_id.decode()).stem)]
