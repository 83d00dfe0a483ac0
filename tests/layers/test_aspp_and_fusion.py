import pytest
import torch

from deixis.layers.aspp import Aspp
from deixis.layers.score_head import ScoreHead
from deixis.layers.sentence_fusion import SentenceFusion


def test_pyramid_pooling_sees_the_whole_map():
    torch.manual_seed(0)
    aspp = Aspp(6, 8, (2, 4), dropout=0.5).eval()
    x = torch.randn(2, 6, 9, 11)
    y = aspp(x)
    assert y.shape == (2, 8, 9, 11)
    changed = x.clone()
    changed[0, :, 8, 10] += 50
    difference = (aspp(changed) - y).abs().amax(dim=1)  # n h w
    assert difference[0, 0, 0] > 0  # far from every branch but the pooling
    assert not difference[1].any()


def test_one_clip_serves_all_sentences():
    torch.manual_seed(0)
    fusion = SentenceFusion(5, 8).eval()
    maps, sentences = torch.randn(1, 3, 8, 4, 6), torch.randn(2, 5)
    together = fusion(maps, sentences)
    assert together.shape == (2, 3, 8, 4, 6)
    for index in range(2):
        torch.testing.assert_close(fusion(maps, sentences[index : index + 1])[0], together[index])
    torch.testing.assert_close(fusion(maps.expand(2, -1, -1, -1, -1), sentences), together)


def test_a_single_sentence_cannot_train_its_norm():
    fusion = SentenceFusion(5, 8).train()
    with pytest.raises(ValueError, match="2 expressions or more"):
        fusion(torch.randn(1, 2, 8, 4, 6), torch.randn(1, 5))


def test_scores_of_two_classes():
    assert ScoreHead(8).eval()(torch.randn(3, 8, 4, 6)).shape == (3, 2, 4, 6)
