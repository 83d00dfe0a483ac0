"""The table of protocols: what each scores, how predictions lie on disk, what it demands."""

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType

from deixis.evaluation.protocols.alike import COLUMNS as COLUMNS_OF_ALIKE
from deixis.evaluation.protocols.alike import aggregate_alike, score_alike
from deixis.evaluation.protocols.base import SampleProtocol, VideoProtocol
from deixis.evaluation.protocols.davis import (
    aggregate_annotators,
    aggregate_objects,
    aggregate_referring,
    score_annotators_by_id,
    score_annotators_matched,
    score_by_id,
    score_matched,
    score_referring,
    score_single_object,
)
from deixis.evaluation.protocols.expressions import (
    aggregate_expressions,
    aggregate_with_presence,
    score_binary,
    score_expressions,
)
from deixis.evaluation.protocols.frames import MEANS, STATISTICS
from deixis.evaluation.protocols.propagation import (
    aggregate_followed,
    aggregate_lvos,
    aggregate_proxy,
    aggregate_youtube_vos,
    score_followed,
    score_lvos,
    score_youtube_vos,
)
from deixis.evaluation.protocols.samples import (
    COLUMNS_OF_BOXES,
    COLUMNS_OF_FILES,
    COLUMNS_OF_RUN_LENGTHS,
    aggregate_samples,
    score_files,
    score_run_lengths,
)

_LABELS = "{video}/{frame}.png"
_MASKS = "{video}/{key}/{frame}.png"
_ANNOTATORS = "anno_{key}/{video}/{frame}.png"
_TRUTH_2017 = "DAVIS Annotations/480p: ids, void is background"
_TRUTH_2019 = "DAVIS Annotations_unsupervised/480p: ids, 255 is void and left out"

_DAVIS = (
    VideoProtocol(
        name="davis16",
        benchmarks=("davis16",),
        description="one object a sequence, first and last frame left out; mean over sequences",
        layout=_LABELS,
        truth="DAVIS 2016 Annotations/480p: everything above 0 is the object",
        unit="",
        pixels="mask",
        frames="inner",
        columns=STATISTICS,
        zero="",
        score_video=score_single_object,
        aggregate=partial(aggregate_objects, "davis16"),
    ),
    VideoProtocol(
        name="davis16-referring",
        benchmarks=("davis16",),
        description="the answer to each of two annotators' sentences as the one object, first and last frame "
        "left out; mean over sequences, then over annotators (Khoreva et al., HINet)",
        layout=_MASKS,
        truth="DAVIS 2016 Annotations/480p: everything above 0 is the object",
        unit="expression",
        pixels="mask",
        frames="inner",
        columns=STATISTICS,
        zero="",
        score_video=score_referring,
        aggregate=partial(aggregate_referring, "davis16-referring"),
    ),
    VideoProtocol(
        name="davis17-semi",
        benchmarks=("davis17",),
        description="semi-supervised: id against id, first and last frame left out; mean over objects",
        layout=_LABELS,
        truth=_TRUTH_2017,
        unit="",
        pixels="ids",
        frames="inner",
        columns=STATISTICS,
        zero="an object whose id is never predicted has empty masks",
        score_video=score_by_id,
        aggregate=partial(aggregate_objects, "davis17-semi"),
    ),
    VideoProtocol(
        name="davis17-unsupervised",
        benchmarks=("davis17",),
        description="up to 20 proposals, matched to objects for the best J&F; all frames; mean over objects",
        layout=_LABELS,
        truth=_TRUTH_2019,
        unit="",
        pixels="ids",
        frames="all",
        columns=STATISTICS,
        zero="an object beyond the number of proposals is matched with empty masks",
        score_video=score_matched,
        aggregate=partial(aggregate_objects, "davis17-unsupervised"),
    ),
    VideoProtocol(
        name="davis17-binary",
        benchmarks=("davis17", "ref-davis17"),
        description="every object or expression on its own, overlaps allowed, no merging, no matching; "
        "first and last frame left out; mean over them (URVOS, HINet)",
        layout=_MASKS,
        truth=_TRUTH_2017,
        unit="expression",
        pixels="mask",
        frames="inner",
        columns=MEANS,
        zero="",
        score_video=score_binary,
        aggregate=partial(aggregate_expressions, "davis17-binary"),
    ),
)

_REF_DAVIS = (
    VideoProtocol(
        name="refdavis-unsupervised",
        benchmarks=("ref-davis17",),
        description="label maps for each of the four annotators, ids re-matched to the objects, all "
        "frames; mean over objects, then over annotators (ReferFormer, UniRef)",
        layout=_ANNOTATORS,
        truth=_TRUTH_2019,
        unit="annotator",
        pixels="ids",
        frames="all",
        columns=STATISTICS,
        zero="an object beyond the number of predicted ids is matched with empty masks",
        score_video=score_annotators_matched,
        aggregate=partial(aggregate_annotators, "refdavis-unsupervised"),
    ),
    VideoProtocol(
        name="refdavis-semi",
        benchmarks=("ref-davis17",),
        description="the same with id against id, so that an expression must find its own object; first "
        "and last frame left out (URVOS, RefVOS, HINet)",
        layout=_ANNOTATORS,
        truth=_TRUTH_2017,
        unit="annotator",
        pixels="ids",
        frames="inner",
        columns=STATISTICS,
        zero="an object whose id is never predicted has empty masks",
        score_video=score_annotators_by_id,
        aggregate=partial(aggregate_annotators, "refdavis-semi"),
    ),
    VideoProtocol(
        name="refdavis-per-expression",
        benchmarks=("ref-davis17",),
        description="every expression on its own, all frames; mean over expressions (as VISA does)",
        layout=_MASKS,
        truth=_TRUTH_2017,
        unit="expression",
        pixels="mask",
        frames="all",
        columns=MEANS,
        zero="a video without any predicted file scores 0",
        score_video=partial(score_expressions, missing_video_is_zero=True),
        aggregate=partial(aggregate_expressions, "refdavis-per-expression"),
    ),
)

_EXPRESSIONS = (
    VideoProtocol(
        name="ref-youtube-vos",
        benchmarks=("ref-youtube-vos",),
        description="every expression on its own, on listed frames with annotation; mean over expressions",
        layout="Annotations/{video}/{key}/{frame}.png",
        truth="published annotations of the validation videos",
        unit="expression",
        pixels="mask",
        frames="all",
        columns=MEANS,
        zero="",
        score_video=score_expressions,
        aggregate=partial(aggregate_expressions, "ref-youtube-vos"),
    ),
    VideoProtocol(
        name="mevis",
        benchmarks=("mevis",),
        description="every expression on its own against the union of its objects, all frames; mean "
        "over expressions; N-acc and T-acc where some denote nothing",
        layout=_MASKS,
        truth="mask_dict.json",
        unit="expression",
        pixels="mask",
        frames="all",
        columns=(*MEANS, "N-acc", "T-acc"),
        zero="a video without any predicted file scores 0",
        score_video=partial(score_expressions, missing_video_is_zero=True),
        aggregate=partial(aggregate_with_presence, "mevis"),
    ),
    VideoProtocol(
        name="per-expression",
        benchmarks=("synthetic", "synthetic-wild"),
        description="every expression on its own against the union of its objects, all annotated "
        "frames; mean over expressions; N-acc and T-acc where some denote nothing",
        layout=_MASKS,
        truth="as the data set gives it",
        unit="expression",
        pixels="mask",
        frames="all",
        columns=(*MEANS, "N-acc", "T-acc"),
        zero="",
        score_video=score_expressions,
        aggregate=partial(aggregate_with_presence, "per-expression"),
    ),
)

_PROPAGATION_COLUMNS = ("G", "J_seen", "F_seen", "J_unseen", "F_unseen")

_PROPAGATION = (
    VideoProtocol(
        name="youtube-vos",
        benchmarks=("youtube-vos-2018", "youtube-vos-2019"),
        description="annotated frames after the one in which an object is given; objects of seen and of "
        "unseen categories apart; G is the mean of the four figures",
        layout="Annotations/{video}/{frame}.png",
        truth="label maps, of which the server keeps all but the first",
        unit="",
        pixels="ids",
        frames="all",
        columns=_PROPAGATION_COLUMNS,
        zero="",
        score_video=score_youtube_vos,
        aggregate=partial(aggregate_youtube_vos, "youtube-vos"),
    ),
    VideoProtocol(
        name="youtube-vos-proxy",
        benchmarks=("youtube-vos-2018", "youtube-vos-2019"),
        description="the same on training videos that were held out, all objects alike; never called G",
        layout="Annotations/{video}/{frame}.png",
        truth="label maps of the training set",
        unit="",
        pixels="ids",
        frames="all",
        columns=MEANS,
        zero="",
        score_video=score_youtube_vos,
        aggregate=partial(aggregate_proxy, "youtube-vos-proxy"),
    ),
    VideoProtocol(
        name="per-object",
        benchmarks=("synthetic", "synthetic-wild"),
        description="label maps; every object on the annotated frames after the one in which it is given, "
        "the first that shows it; mean over objects",
        layout=_LABELS,
        truth="as the data set gives it",
        unit="",
        pixels="ids",
        frames="all",
        columns=MEANS,
        zero="",
        score_video=score_followed,
        aggregate=partial(aggregate_followed, "per-object"),
    ),
    VideoProtocol(
        name="lvos",
        benchmarks=("lvos",),
        description="every fifth frame of an object's range without the first and the last; objects of "
        "seen and of unseen videos apart; J&F, J, F and V are means of both",
        layout=_LABELS,
        truth="label maps; void is not used",
        unit="",
        pixels="ids",
        frames="all",
        columns=(
            "J&F",
            *(f"{name}{part}" for name in ("J", "F", "V") for part in ("", "_seen", "_unseen")),
        ),
        zero="",
        score_video=score_lvos,
        aggregate=partial(aggregate_lvos, "lvos"),
    ),
)

_SAMPLES = tuple(
    SampleProtocol(
        name=name,
        benchmarks=(benchmark,),
        description=description,
        columns=COLUMNS_OF_RUN_LENGTHS,
        zero="",
        score=partial(score_run_lengths, name, convention),
    )
    for name, benchmark, convention, description in (
        (
            "a2d-sentences",
            "a2d-sentences",
            "mttr",
            "annotated frames that show the referent; P@K counts what is above K (MTTR, ReferFormer)",
        ),
        (
            "a2d-sentences-refvos",
            "a2d-sentences",
            "lavt",
            "the same; P@K counts K itself, two empty masks are worth 0 (RefVOS, HINet)",
        ),
        (
            "jhmdb-sentences",
            "jhmdb-sentences",
            "mttr",
            "three fixed frames of each video; P@K counts what is above K (MTTR, ReferFormer)",
        ),
    )
)

_SAMPLE_FILES = tuple(
    VideoProtocol(
        name=name,
        benchmarks=benchmarks,
        description=description,
        layout=layout,
        truth="as the data set gives it",
        unit="expression",
        pixels="mask",
        frames="all",
        columns=COLUMNS_OF_FILES,
        zero="",
        score_video=partial(score_files, first_of_each_object=is_first),
        aggregate=partial(aggregate_samples, name, convention),
    )
    for name, benchmarks, layout, convention, is_first, description in (
        (
            "refcoco",
            ("refcoco", "refcoco+", "refcocog"),
            "{video}/{key}.png",
            "lavt",
            False,
            "every sentence of every object; overall and mean IoU; P@K counts K itself (RefVOS, LAVT)",
        ),
        (
            "refcoco-referformer",
            ("refcoco", "refcoco+", "refcocog"),
            "{video}/{key}.png",
            "mttr",
            False,
            "every sentence of every object; P@K counts what is above K (ReferFormer)",
        ),
        (
            "refcoco-uniref",
            ("refcoco", "refcoco+", "refcocog"),
            "{video}/{key}.png",
            "mttr",
            True,
            "the first sentence of every object, the nearest to UniRef's, which draws one at random",
        ),
        (
            "sentences-best-mask",
            ("a2d-sentences", "jhmdb-sentences"),
            _MASKS,
            "mttr",
            False,
            "one mask a sample, without scores: P@K, overall and mean IoU, but no mAP",
        ),
    )
)

_SAMPLE_BOXES = SampleProtocol(
    name="refcoco-boxes",
    benchmarks=("refcoco", "refcoco+", "refcocog"),
    description="every sentence of every object; the box of the best prediction against the box around the "
    "mask (referring expression comprehension), and the measures of masks with scores (ReferFormer)",
    columns=COLUMNS_OF_BOXES,
    zero="",
    score=partial(score_run_lengths, "refcoco-boxes", "mttr", has_boxes=True),
)

_ALIKE = VideoProtocol(
    name="fss-1000",
    benchmarks=("fss-1000",),
    description="the thing of a class in each of its images; mean IoU over images (UniRef++), over classes",
    layout=_LABELS,
    truth="masks of the images; what is brighter than 127",
    unit="",
    pixels="mask",
    frames="all",
    columns=COLUMNS_OF_ALIKE,
    zero="",
    score_video=score_alike,
    aggregate=partial(aggregate_alike, "fss-1000"),
)

PROTOCOLS: Mapping[str, VideoProtocol | SampleProtocol] = MappingProxyType(
    {
        protocol.name: protocol
        for protocol in (
            *_DAVIS,
            *_REF_DAVIS,
            *_EXPRESSIONS,
            *_PROPAGATION,
            *_SAMPLES,
            *_SAMPLE_FILES,
            _SAMPLE_BOXES,
            _ALIKE,
        )
    }
)
"""All protocols by name."""

DEFAULTS: Mapping[str, str] = MappingProxyType(
    {
        "davis16": "davis16",
        "davis17": "davis17-semi",
        "ref-davis17": "refdavis-unsupervised",
        "ref-youtube-vos": "ref-youtube-vos",
        "mevis": "mevis",
        "synthetic": "per-expression",
        "synthetic-wild": "per-expression",
        "youtube-vos-2018": "youtube-vos",
        "youtube-vos-2019": "youtube-vos",
        "lvos": "lvos",
        "a2d-sentences": "a2d-sentences",
        "jhmdb-sentences": "jhmdb-sentences",
        "refcoco": "refcoco",
        "refcoco+": "refcoco",
        "refcocog": "refcoco",
        "fss-1000": "fss-1000",
    }
)
"""The protocol of a benchmark unless another is named."""
