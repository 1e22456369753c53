"""Numbers and nouns agree."""

from configs import words


def test_one_is_singular_and_all_else_plural():
    assert [words.count(number, "image") for number in (0, 1, 2, 1_234)] == ["0 images", "1 image", "2 images", "1,234 images"]
    assert [words.classes(number) for number in (1, 106)] == ["1 class", "106 classes"]
