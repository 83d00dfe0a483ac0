"""Every wrong prediction gets one clear line, and sound ones none."""

import io

import numpy as np
import pytest
from PIL import Image

from deixis.evaluation.checks.names import Wanted, check_names, find_top, find_tops
from deixis.evaluation.checks.pixels import Rule, check_mask, decode_mask
from deixis.evaluation.checks.problems import Findings, PredictionError, Problem

FRAMES = ("00000", "00005", "00010")
LABELS = [
    Wanted(video=name, expressions=None, frames=FRAMES[1:2], known_frames=FRAMES)
    for name in ("bear", "car-turn")
]
BINARY = [
    Wanted(video=name, expressions=("0", "1"), frames=FRAMES, known_frames=FRAMES)
    for name in ("bear", "car-turn")
]


class Names:
    """Files of which only the names matter."""

    place = "masks"

    def __init__(self, names):
        self.names = tuple(sorted(names))


def label_files(top=""):
    return [f"{top}{entry.video}/{frame}.png" for entry in LABELS for frame in FRAMES]


def binary_files(top=""):
    return [f"{top}{e.video}/{key}/{frame}.png" for e in BINARY for key in e.expressions for frame in FRAMES]


def find(names, wanted, **options):
    files = Names(names)
    return check_names(files, find_top(files, [entry.video for entry in wanted]), wanted, **options)


@pytest.mark.parametrize("top", ["", "Annotations/", "out/run 3/"])
@pytest.mark.parametrize(("files", "wanted"), [(label_files, LABELS), (binary_files, BINARY)])
def test_sound_predictions_pass_and_their_folder_is_named(files, wanted, top):
    findings = find(files(top), wanted)
    assert findings.problem_lines() == []
    assert findings.note_lines() == ([f"videos found in the folder: {top[:-1]}"] if top else [])


@pytest.mark.parametrize(
    ("names", "wanted", "line"),
    [
        (label_files()[:3], LABELS, "missing videos: car-turn - give --missing zero"),
        (binary_files()[3:], BINARY, "missing expressions: bear/0 -"),
        (
            [*binary_files()[3:], "bear/0/masks/00000.png"],
            BINARY,
            "masks too deep in folders: bear/0/masks - masks are wanted right in 0/",
        ),
        (binary_files()[:-1], BINARY, "missing frames: car-turn/1/00010.png -"),
        (
            binary_files("A/")[:-2],
            BINARY,
            "missing frames (2): A/car-turn/1/00005.png, A/car-turn/1/00010.png",
        ),
        (
            binary_files(),
            LABELS,
            "a folder an expression, but label maps VIDEO/FRAME.png are wanted (2): bear/0",
        ),
        (
            label_files(),
            BINARY,
            "label maps, but a folder of binary masks an expression is wanted (2): bear/0000",
        ),
        (
            [name.replace("000", "frame_0") for name in label_files()],
            LABELS,
            "no frame of the right name in (2): bear, car-turn - frames are called 00005.png; found frame_0",
        ),
        (
            [*label_files()[1:], "bear/00005.jpg"][1:],
            LABELS,
            "masks are not PNG: bear/00005.jpg - other formats change ids",
        ),
    ],
)
def test_wrong_files_are_one_line(names, wanted, line):
    (found,) = find(names, wanted).problem_lines()
    assert found.startswith(line)


def test_more_than_is_wanted_is_noted():
    names = [*binary_files(), "bear/9/00000.png", "bear/0/99999.png", "dog/0/00000.png", "log.txt"]
    findings = find(names, BINARY)
    assert not findings.problems
    assert findings.note_lines() == [
        "not a video of this split, left out: dog",
        "not frames that are scored, left out: bear/0/99999.png",
        "no expression of the video, left out: bear/9",
    ]


def test_what_is_missing_may_count_as_empty_and_is_noted():
    findings = find(binary_files()[4:8], BINARY, is_zero_allowed=True)
    assert not findings.problems
    assert [line.split(":")[0] for line in findings.note_lines()] == [
        "missing expressions (2)",
        "missing frames (2)",
    ]
    assert all(line.endswith("scored as empty masks") for line in findings.note_lines())


def test_long_lists_are_cut():
    problems = [Problem("missing frames", f"{index}.png", "look") for index in range(25)]
    (line,) = Findings(problems=[*problems, *problems]).problem_lines()
    assert line.startswith("missing frames (25): 0.png, 1.png") and line.endswith("9.png and 15 more - look")


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (
            ["0123456789/0/00000.png"],
            "look like videos of YouTube-VOS or Ref-YouTube-VOS: predictions of another",
        ),
        (["00000.png", "00001.png"], "2 files without folders, such as 00000.png"),
        (["bears/00000.png"], "it holds bears; is bears meant to be bear?"),
        (["run/log.txt"], "it holds run, but no image"),
        ([*label_files("a/"), *label_files("b/")], "the same videos in 2 folders (a, b)"),
    ],
)
def test_wrong_folders_are_told_apart(names, message):
    with pytest.raises(PredictionError) as error:
        find_top(Names(names), ["bear", "car-turn"])
    assert message in str(error.value)


def test_folders_of_annotators_are_found():
    tops = [f"out/anno_{index}/" for index in range(4)]
    found = find_tops(Names([name for top in tops for name in label_files(top)]), ["bear", "car-turn"])
    assert found == {top[:-1]: {"bear", "car-turn"} for top in tops}


def png(array, mode=None):
    content = io.BytesIO()
    Image.fromarray(array, mode).save(content, "PNG")
    return content.getvalue()


IDS, BOTH = Rule(is_binary=False, ids=frozenset({1, 2})), Rule(is_binary=True)
MASK = np.array([[0, 1, 2], [0, 0, 2]], np.uint8)


def look(content, rule, size=(2, 3)):
    findings = Findings()
    mask = decode_mask(content, "bear/00000.png", findings)
    is_good = mask is not None and check_mask(mask, "bear/00000.png", size, rule, findings)
    assert is_good == (not findings.problems)
    return mask, findings


def test_palettes_give_ids_not_colours():
    image = Image.fromarray(MASK, "P")
    image.putpalette([0, 0, 0, 200, 10, 10, 20, 200, 20])
    content = io.BytesIO()
    image.save(content, "PNG")
    mask, findings = look(content.getvalue(), IDS)
    np.testing.assert_array_equal(mask, MASK)
    assert not findings.notes


@pytest.mark.parametrize(
    ("content", "rule", "line"),
    [
        (
            png(np.zeros((2, 3, 3), np.uint8)),
            IDS,
            "unusable images: bear/00000.png - stores colours",
        ),
        (png(np.zeros((2, 3, 4), np.uint8)), BOTH, "unusable images: bear/00000.png - stores colours"),
        (png(np.zeros((2, 3), np.uint16)), IDS, "unusable images: bear/00000.png - stores I;16 colours"),
        (png(MASK)[:40], IDS, "unusable images: bear/00000.png - is damaged: it ends early"),
        (b"", IDS, "unusable images"),
        (png(MASK.T), IDS, "masks of 3x2 where the truth is 2x3: bear/00000.png - nothing is resized"),
        (png((MASK > 0) * np.uint8(255)), IDS, "masks of 0 and 255 where object ids are wanted"),
        (png(np.where(MASK == 2, 255, MASK)), IDS, "void (255) in the prediction"),
        (
            png(MASK + 2),
            IDS,
            "objects that the truth lacks (ids 3, 4): bear/00000.png - the video's objects are 1, 2",
        ),
    ],
)
def test_wrong_pixels_are_one_line(content, rule, line):
    (found,) = look(content, rule)[1].problem_lines()
    assert found.startswith(line)


def test_binary_masks_may_have_any_foreground():
    assert not look(png((MASK > 0) * np.uint8(255)), BOTH)[1].notes
    (note,) = look(png(MASK), BOTH)[1].note_lines()
    assert note.startswith("masks with several non-zero values: bear/00000.png - every non-zero pixel")
