"""Ways between codes."""

import numpy as np

from components.codes import ways


def test_a_great_circle_keeps_the_length_and_a_line_does_not():
    first, second, shares = np.array([3.0, 0]), np.array([0, 3.0]), np.linspace(0, 1, 5)
    np.testing.assert_allclose(np.linalg.norm(ways.between(first, second, shares, True), axis=1), 3)
    np.testing.assert_allclose(ways.between(first, second, shares, False)[2], [1.5, 1.5])
    for other in (2 * first, -first, 0 * first):
        np.testing.assert_allclose(ways.between(first, other, shares, True)[2], (first + other) / 2)


def test_a_way_leads_from_each_class_to_the_next():
    labels = np.array([2, 0, 1, -1, 2, 0])
    pairs = ways.pairs(np.zeros((6, 2)), labels, 8)
    assert [(labels[a], labels[b]) for a, b in pairs] == [(0, 1), (1, 2), (2, 0)]
    assert pairs == [(1, 2), (2, 4), (0, 5)]
    assert len(ways.pairs(np.zeros((6, 2)), labels, 2)) == 2


def test_without_classes_a_way_leads_to_what_is_farthest():
    codes = np.array([[0.0], [1], [10], [2]])
    for labels in (None, np.full(4, -1), np.array([3, 3, 3, -1])):
        assert ways.pairs(codes, labels, 8) == [(0, 2), (1, 3)]
    assert ways.pairs(codes[:1], None, 8) == []


def test_one_number_moves_and_the_others_stay():
    codes = ways.along(np.array([1.0, 2, 3]), 1, [-5, 0])
    np.testing.assert_array_equal(codes, [[1, -5, 3], [1, 0, 3]])
