import numpy as np

from deixis.synthetic.benchmark import HELD_OUT_PAIRS, split_settings
from deixis.synthetic.concepts import CONCEPT_KINDS, draw_concepts, judge
from deixis.synthetic.grammar import names_pair
from deixis.synthetic.render import render
from deixis.synthetic.sampling import sample_scene
from deixis.synthetic.vocabulary import NOUNS


def test_truths_are_those_of_the_scene() -> None:
    rng = np.random.default_rng(0)
    concepts = draw_concepts(rng, 300, ("appearance",))
    clip = render(sample_scene(7, split_settings("train")))
    truths = judge(clip, concepts)
    assert truths.shape == (300, len(clip.scene.objects))
    for concept, row in zip(concepts, truths, strict=True):
        for spec, truth in zip(clip.scene.objects, row, strict=True):
            if truth == 1:
                said = {item.name: item.value for item in concept.claim.attributes}
                assert spec.shape in NOUNS[concept.claim.noun.value].shapes
                assert all(getattr(spec, name) == value for name, value in said.items())
    assert {-1, 0, 1} >= set(truths.ravel().tolist()) >= {0, 1}


def test_held_out_pairs_are_never_named() -> None:
    rng = np.random.default_rng(1)
    concepts = draw_concepts(rng, 2000, CONCEPT_KINDS, HELD_OUT_PAIRS)
    assert not any(names_pair(concept.claim, HELD_OUT_PAIRS) for concept in concepts)
    assert any(
        names_pair(concept.claim, HELD_OUT_PAIRS) for concept in draw_concepts(rng, 2000, CONCEPT_KINDS)
    )
    assert {kind for concept in concepts for kind in concept.claim.kinds} == set(CONCEPT_KINDS)
