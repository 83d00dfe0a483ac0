import pytest
import torch

from deixis.inference.linking import Candidates, Linker, mask_iou


def candidates(start, boxes, scores, num_frames=6, presence=None):
    """Candidates whose masks are columns ``left:right`` in every frame."""
    cells = torch.full((1, num_frames, len(boxes), 4, 20), -1.0)
    for k, (left, right) in enumerate(boxes):
        cells[0, :, k, :, left:right] = 1
    scores = torch.tensor([scores])
    by_frame = scores[:, None].expand(-1, num_frames, -1)
    present = torch.ones_like(by_frame) if presence is None else presence
    return Candidates(start, scores, by_frame, present, cells)


def test_tracks_follow_masks_not_order_and_the_referent_is_chosen_once():
    linker = Linker()
    a, b = (0, 5), (10, 15)
    assert linker.add(candidates(0, [a, b], [0.9, 0.1])).tolist() == [[0, 1]]
    # The second window prefers the other object and lists it first.
    assert linker.add(candidates(4, [b, a], [0.7, 0.3])).tolist() == [[1, 0]]
    assert linker.add(candidates(8, [a, b], [0.8, 0.1])).tolist() == [[0, 1]]
    assert linker.best.tolist() == [0]
    # Handovers at 5 and 9 of 14 frames.
    torch.testing.assert_close(linker.scores[0, 0], torch.tensor((0.9 * 5 + 0.3 * 4 + 0.8 * 5) / 14))


def test_a_window_counts_by_the_frames_it_is_kept_for():
    linker = Linker()
    linker.add(candidates(0, [(0, 5), (10, 15)], [0.6, 0.5]))
    linker.add(candidates(1, [(0, 5), (10, 15)], [0.1, 0.9]))
    # Handover at 4 of 7 frames.
    torch.testing.assert_close(linker.scores, torch.tensor([[0.6 * 4 + 0.1 * 3, 0.5 * 4 + 0.9 * 3]]) / 7)


def test_scores_decide_between_candidates_of_the_same_object():
    linker = Linker()
    linker.add(candidates(0, [(0, 10), (0, 9)], [0.9, 0.1]))
    # The double now covers the object slightly better.
    assert linker.add(candidates(4, [(0, 10), (0, 9)], [0.1, 0.9])).tolist() == [[1, 0]]


def test_scores_decide_when_objects_are_out_of_sight():
    linker = Linker(presence_threshold=0.5)
    gone = torch.zeros(1, 6, 2)
    linker.add(candidates(0, [(0, 5), (10, 15)], [0.9, 0.2], presence=gone))
    assert linker.add(candidates(4, [(10, 15), (0, 5)], [0.8, 0.1], presence=gone)).tolist() == [[0, 1]]


def test_causal_handover_is_at_the_end_of_the_earlier_window():
    linker = Linker(is_causal=True)
    linker.add(candidates(0, [(0, 5)], [0.9]))
    linker.add(candidates(4, [(0, 5)], [0.3]))
    torch.testing.assert_close(linker.scores, torch.tensor([[(0.9 * 6 + 0.3 * 4) / 10]]))


def test_a_linker_goes_on_from_its_state():
    first = Linker()
    first.add(candidates(0, [(0, 5), (10, 15)], [0.9, 0.1]))
    second = Linker()
    second.load_state(first.state())
    following = candidates(4, [(10, 15), (0, 5)], [0.7, 0.3])
    assert first.add(following).equal(second.add(following))
    assert first.scores.equal(second.scores)


def test_mask_iou_counts_space_and_time():
    a, b = torch.zeros(1, 2, 1, 1, 4, dtype=torch.bool), torch.zeros(1, 2, 2, 1, 4, dtype=torch.bool)
    a[0, 0, 0, 0, :2] = True
    b[0, :, 0, 0, 0] = True
    torch.testing.assert_close(mask_iou(a, b), torch.tensor([[[1 / 3, 0.0]]]))


def test_no_score_before_the_first_window():
    with pytest.raises(ValueError, match="no window"):
        _ = Linker().best
