import pickle

import av
import numpy as np
import pytest
from miniature import FRAMES, frame, write_frames, write_masks, write_plain, write_video
from PIL import Image

from deixis.data.check import check_record
from deixis.data.readers import ImageFolder, LabelFolder, VideoFile, read_image
from deixis.data.ref_davis17 import records
from deixis.errors import DatasetError


def test_unreadable_and_missing_images(tmp_path):
    write_frames(tmp_path)
    reader = ImageFolder(tmp_path, (*FRAMES, "00020"))
    with pytest.raises(DatasetError, match=r"has no image 00020\.jpg"):
        reader.read([3])
    (tmp_path / "00005.png").write_bytes((tmp_path / "00005.png").read_bytes()[:60])
    with pytest.raises(DatasetError, match=r"cannot read the image .*00005.png"):
        reader.read([0, 1])
    Image.fromarray(frame(0, (10, 12))).save(tmp_path / "00015.png")
    with pytest.raises(DatasetError, match="several sizes"):
        reader.read([0, 2])
    with pytest.raises(ValueError, match="at least one index"):
        reader.read([])


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("options", [{"subsampling": 0}, {"subsampling": 2}, {"progressive": True}])
def test_jpegs_have_the_pixels_of_pillow(tmp_path, mode, options):
    noise = np.random.default_rng(0).integers(0, 256, (9, 11, 3), dtype=np.uint8)
    image = Image.fromarray(noise).resize((85, 67)).convert(mode)
    exif = Image.Exif()
    exif[0x0112] = 6  # lying on its side, as annotations then do too
    path = tmp_path / "00000.jpg"
    image.save(path, exif=exif, **options)
    with Image.open(path) as stored:
        np.testing.assert_array_equal(read_image(path), np.asarray(stored.convert("RGB")))
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(DatasetError, match="truncated"):
        read_image(path)


def test_masks_are_indices_never_colours(tmp_path):
    write_masks(tmp_path)
    reader = LabelFolder(tmp_path, (*FRAMES, "00020"))
    assert reader.read([1], [2]).sum() == 100
    assert reader.read([0, 1], []).shape == (0, 2, 32, 48)
    with pytest.raises(DatasetError, match="there are no masks"):
        reader.read([3], [1])
    with Image.open(tmp_path / "00005.png") as image:
        image.convert("RGB").save(tmp_path / "00005.png")
    with pytest.raises(DatasetError, match="RGB colours, not object ids"):
        reader.read([1], [1])
    (tmp_path / "00000.png").write_bytes(b"no png")
    with pytest.raises(DatasetError, match="cannot read the masks"):
        reader.read([0], [1])


def test_video_frames_by_index_in_any_order(tmp_path):
    path = tmp_path / "clip.mp4"
    write_video(path, 12)
    reader = pickle.loads(pickle.dumps(VideoFile(path)))
    assert len(reader) == 12
    greys = reader.read([11, 0, 3, 3, 8, 6, 40]).mean((1, 2, 3))
    np.testing.assert_allclose(greys, [220, 0, 60, 60, 160, 120, 220], atol=3)


def test_frames_passed_over_change_none_of_the_others(tmp_path):
    """Frames of every kind, bidirectional ones too, moving so that prediction matters."""
    noise = np.random.default_rng(0).integers(0, 256, (48, 120, 3), dtype=np.uint8)
    with av.open(str(tmp_path / "moving.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"bf": "3", "g": "30", "crf": "18"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for index in range(40):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(noise[:, index : index + 64]))
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with av.open(str(tmp_path / "moving.mp4")) as container:
        frames = list(container.decode(video=0))
    assert {int(one.pict_type) for one in frames} == {1, 2, 3}  # I, P and B
    whole = np.stack([one.to_ndarray(format="rgb24") for one in frames])
    reader = VideoFile(tmp_path / "moving.mp4")
    for indices in ([17], [39, 2], [5, 6, 7, 8], [29, 30, 31], list(range(40))):
        np.testing.assert_array_equal(reader.read(indices), whole[indices])


def test_broken_videos(tmp_path):
    with pytest.raises(DatasetError, match="cannot read the video"):
        VideoFile(tmp_path / "none.mp4").read([0])
    (tmp_path / "text.mp4").write_text("no video at all")
    with pytest.raises(DatasetError, match="cannot read the video"):
        VideoFile(tmp_path / "text.mp4").read([0])


def findings(root, **options):
    return [str(finding) for record in records(root) for finding in check_record(record, **options)]


def test_check_finds_what_is_wrong(tmp_path):
    write_plain(tmp_path)
    assert findings(tmp_path) == findings(tmp_path, is_thorough=True) == []
    mask = tmp_path / "Annotations" / "clip" / "00015.png"
    with Image.open(mask) as image:
        labels = np.asarray(image)[:, :-1]
    Image.fromarray(labels).save(mask)
    assert findings(tmp_path) == [], "the first frame alone is fine"
    assert findings(tmp_path, is_thorough=True) == ["clip: frame 00015 is 32x48 but its masks are 32x47"]
    mask.unlink()
    (tmp_path / "JPEGImages" / "clip" / "00005.png").unlink()
    assert findings(tmp_path) == ["clip: there is no image of frame 00005", f"clip: there is no {mask}"]


def test_check_looks_for_referents(tmp_path):
    write_plain(tmp_path)
    text = (tmp_path / "meta_expressions.json").read_text()
    (tmp_path / "meta_expressions.json").write_text(text.replace('["1", "2"]', '["1", "9"]'))
    assert findings(tmp_path, is_thorough=True) == [
        "clip: object 9 has no pixel in any annotated frame",
        "clip: object 2 of frame 00005 is in no metadata (known)",
    ]
