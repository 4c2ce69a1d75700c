"""Tests of label places; boxes in pixels."""

from itertools import combinations

from archsim.report.label_placement import Box, Surroundings, gap_to, leader_pieces, place_labels

CANVAS = Box(0, 0, 400, 300)


def around(**areas: list[Box]) -> Surroundings:
    return Surroundings(**{"bounds": CANVAS, "blocked": [], "points": [], "lines": [], **areas})  # type: ignore[arg-type]


def test_labels_of_one_crowded_spot_do_not_touch() -> None:
    places = place_labels([(200.0, 150.0)] * 6, [(60.0, 12.0)] * 6, around())
    boxes = [box for box in places if box]
    assert len(boxes) == 6
    assert not any(first.overlaps(second) for first, second in combinations(boxes, 2))
    assert all(CANVAS.contains(box) for box in boxes)


def test_a_label_without_room_is_left_out() -> None:
    assert place_labels([(200.0, 150.0)], [(500.0, 12.0)], around()) == [None]
    assert place_labels([(200.0, 150.0)], [(60.0, 12.0)], around(blocked=[CANVAS])) == [None]


def test_a_label_keeps_off_markers_and_lines() -> None:
    right = Box(205, 100, 400, 200)
    for areas in ({"points": [right]}, {"lines": [right]}):
        (place,) = place_labels([(200.0, 150.0)], [(60.0, 12.0)], around(**areas))
        assert place is not None
        assert not place.overlaps(right)


def test_only_a_far_label_needs_a_leader() -> None:
    assert leader_pieces(Box(10, -5, 70, 5), (0.0, 0.0)) == []
    pieces = leader_pieces(Box(40, -5, 100, 5), (0.0, 0.0))
    assert pieces
    assert all(0 < piece.right <= 41 for piece in pieces)


def test_gap_is_zero_inside() -> None:
    assert gap_to(Box(0, 0, 10, 10), (5.0, 5.0)) == (0, 0)
    assert gap_to(Box(0, 0, 10, 10), (13.0, -4.0)) == (-3, 4)
