import pytest

from deixis.cli import main


def test_list(capsys):
    main(["data", "list", "--layouts"])
    printed = capsys.readouterr().out
    assert "ref-youtube-vos\n  split    train (3,471 videos, 12,913 expressions, 6,459 objects)" in printed
    assert "  split    val (202 videos, 834? expressions)" in printed
    assert "    ROOT/meta_expressions/{train,valid,test}/meta_expressions.json" in printed


@pytest.mark.parametrize(
    ("layout", "split"), [("ref-youtube-vos", "val"), ("a2d-sentences", "test"), ("davis17", "val")]
)
def test_export_and_check(layout, split, tmp_path, capsys):
    options = ["--split", split, "--num-clips", "2", "--height", "48", "--width", "64", "--length", "6"]
    main(["data", "export", layout, "--out", str(tmp_path), *options])
    main(["data", "check", layout, "--root", str(tmp_path), "--thorough", "--partial"])
    assert f"{split}: 2 videos" in capsys.readouterr().out
    with pytest.raises(SystemExit) as stop:
        main(["data", "check", layout, "--root", str(tmp_path), "--split", split])
    assert stop.value.code == 1 and f"{split}: 2 videos, published: " in capsys.readouterr().out
    victim = sorted(path for path in tmp_path.rglob("*.*") if path.suffix in (".jpg", ".mp4"))[0]
    victim.unlink()
    with pytest.raises(SystemExit) as stop:
        main(["data", "check", layout, "--root", str(tmp_path), "--partial"])
    printed = capsys.readouterr().out
    assert (
        stop.value.code == 1
        and "2 videos" in printed
        and "1 findings" in printed
        and "there is no" in printed
    )


def test_render(tmp_path, capsys):
    options = ["--num-clips", "1", "--height", "48", "--width", "64", "--length", "4"]
    main(["data", "render", "--out", str(tmp_path), *options])
    assert "1 clips" in capsys.readouterr().out
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".json", ".mp4"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["check", "ref-youtube-vos", "--root", "nowhere"], "there is no folder nowhere"),
        (["check", "mevis2", "--root", "nowhere"], "unknown data set 'mevis2'"),
        (["render", "--out", "x", "--num-clips", "0"], "--num-clips of at least 1"),
    ],
)
def test_wrong_arguments_are_one_line(arguments, message, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["data", *arguments])
    printed = capsys.readouterr().err
    assert stop.value.code == 2 and message in printed and printed.count("\n") == 1
