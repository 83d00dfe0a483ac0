"""The card on an overlay that says which colour is which expression."""

from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from deixis.video.palette import Colour

# Fonts of common systems that hold other scripts than Latin, tried in this order.
_FONTS = (
    "NotoSansCJK-Regular.ttc",
    "NotoSans-Regular.ttf",
    "DejaVuSans.ttf",
    "Arial Unicode.ttf",
    "PingFang.ttc",
    "msyh.ttc",
    "malgun.ttf",
    "segoeui.ttf",
    "arial.ttf",
)
_CARD = (18, 20, 24, 176)
_TEXT = (255, 255, 255, 255)
_FAINT = (255, 255, 255, 120)
_MAX_LINES = 2  # of one expression
_MAX_SHARE = 0.45  # of the frame's height, for the whole card


class Legend:
    """A card for frames of one size; the colours of expressions that are not visible are drawn hollow."""

    def __init__(self, expressions: Sequence[str], colours: Sequence[Colour], size: tuple[int, int]) -> None:
        """Lay out the card: lines wrapped, long sentences and long lists cut short with an ellipsis.

        Args:
            expressions: any text; control characters become spaces, other scripts are drawn if a font has
                them.
            colours: one an expression.
            size: height and width of the frames.
        """
        height, width = size
        self._unit = max(9, round(min(height, width) / 32))  # font size; all else is in proportion
        self._font = _find_font("".join(expressions), self._unit)
        self._colours = tuple(colours)
        room = round(0.6 * width) if width > 40 * self._unit else width - 5 * self._unit
        blocks = [_wrap(_clean(text), self._font, max(room, self._unit)) for text in expressions]
        max_lines = max(1, int(_MAX_SHARE * height / self._line) - 1)
        self._blocks, used = [], 0
        for block in blocks:
            if used + len(block) > max_lines and self._blocks:
                break
            self._blocks.append(block)
            used += len(block)
        self._num_hidden = len(blocks) - len(self._blocks)
        self._is_left: bool | None = None  # which corner; the first frame decides, so that it stays put
        self._is_top = False
        self._card = lru_cache(maxsize=64)(self._draw_card)

    @property
    def _line(self) -> int:
        return round(1.5 * self._unit)

    def paste_on(self, image: Image.Image, boxes: Sequence[tuple[int, int, int, int] | None]) -> None:
        """Draw the card into the corner of ``image`` where it hides the least of the first frame's referents.

        ``boxes`` holds left, top, width and height of each referent, None where it is not visible.
        """
        card = self._card(tuple(box is not None for box in boxes))
        right = max(0, image.width - card.width - self._unit)
        bottom = max(0, image.height - card.height - self._unit)
        if self._is_left is None:
            choices = [(True, False), (True, True), (False, False), (False, True)]  # lower left is the habit
            places = [(self._unit if left else right, self._unit if top else bottom) for left, top in choices]
            hidden = [sum(_overlap(place, card.size, box) for box in boxes if box) for place in places]
            self._is_left, self._is_top = choices[hidden.index(min(hidden))]
        place = (self._unit if self._is_left else right, self._unit if self._is_top else bottom)
        image.paste(card, place, card)

    def _draw_card(self, visible: tuple[bool, ...]) -> Image.Image:
        unit, line = self._unit, self._line
        rows: list[tuple[str, int | None, bool]] = []
        for number, block in enumerate(self._blocks):
            rows += [(text, number, place == 0) for place, text in enumerate(block)]
        if self._num_hidden:
            rows.append((f"+ {self._num_hidden} more", None, False))
        left = round(2.1 * unit)
        width = left + round(max(self._font.getlength(text) for text, _, _ in rows)) + unit
        height = line * len(rows) + round(0.7 * unit)
        swatches = [number if is_first else None for _, number, is_first in rows]
        card = self._draw_panel(width, height, swatches, visible)
        draw = ImageDraw.Draw(card)
        for row, (text, number, _) in enumerate(rows):
            is_lit = number is not None and visible[number]
            position = (left, round(0.35 * unit) + row * line + line / 2)
            _draw_text(draw, position, text, self._font, _TEXT if is_lit else _FAINT)
        return card

    def _draw_panel(
        self, width: int, height: int, swatches: Sequence[int | None], visible: tuple[bool, ...]
    ) -> Image.Image:
        """Draw the card without its text; ``swatches``: the expression of the dot in each row."""
        unit, line = self._unit, self._line
        scale = 3  # drawn larger and reduced: smooth corners and swatches
        large = Image.new("RGBA", (scale * width, scale * height), (*_CARD[:3], 0))
        draw = ImageDraw.Draw(large)
        draw.rounded_rectangle(
            (0, 0, scale * width - 1, scale * height - 1), radius=round(0.6 * scale * unit), fill=_CARD
        )
        for row, swatch in enumerate(swatches):
            if swatch is not None:
                centre = scale * (round(0.35 * unit) + row * line + line / 2)
                reach = 0.42 * scale * unit
                box = (scale * 1.1 * unit - reach, centre - reach, scale * 1.1 * unit + reach, centre + reach)
                colour = (*self._colours[swatch], 255)
                if visible[swatch]:
                    draw.ellipse(box, fill=colour)
                else:
                    draw.ellipse(box, outline=colour, width=max(1, round(0.14 * scale * unit)))
        return large.resize((width, height), Image.Resampling.BOX)


def _draw_text(draw: Any, position: tuple[float, float], text: str, font: Any, fill: tuple[int, ...]) -> None:
    if isinstance(font, ImageFont.FreeTypeFont):
        draw.text(position, text, font=font, fill=fill, anchor="lm")
    else:
        left, top, _, bottom = font.getbbox(text)
        draw.text((position[0] - left, position[1] - (top + bottom) / 2), text, font=font, fill=fill)


def _overlap(place: tuple[int, int], size: tuple[int, int], box: tuple[int, int, int, int]) -> int:
    width = min(place[0] + size[0], box[0] + box[2]) - max(place[0], box[0])
    height = min(place[1] + size[1], box[1] + box[3]) - max(place[1], box[1])
    return max(0, width) * max(0, height)


def _clean(text: str) -> str:
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def _wrap(text: str, font: Any, room: float) -> list[str]:
    """Break ``text`` into lines that fit ``room``, also inside words; cut it after the last line allowed."""
    lines = [""]
    words = text[:400].split(" ")
    while words and len(lines) <= _MAX_LINES:
        word = words.pop(0)
        candidate = f"{lines[-1]} {word}".strip()
        if font.getlength(candidate) <= room:
            lines[-1] = candidate
        elif lines[-1]:
            lines.append("")
            words.insert(0, word)
        else:
            fitting = next((n for n in range(len(word), 1, -1) if font.getlength(word[:n]) <= room), 1)
            lines[-1] = word[:fitting]
            words.insert(0, word[fitting:])
            lines.append("")
    lines = [line for line in lines if line] or [" "]
    if words or len(lines) > _MAX_LINES or len(text) > 400:
        lines = lines[:_MAX_LINES]
        while len(lines[-1]) > 1 and font.getlength(lines[-1] + "…") > room:
            lines[-1] = lines[-1][:-1]
        lines[-1] = lines[-1].rstrip(" ,.;") + "…"
    return lines


@cache
def _font(name: str | None, size: int) -> Any:
    if name is None:
        return ImageFont.load_default(size)
    try:
        return ImageFont.truetype(name, size)
    except OSError:
        return None


def _find_font(text: str, size: int) -> Any:
    """Return the built-in font, or a font of the system where that covers more of the text."""
    built_in = _font(None, size)
    if not isinstance(built_in, ImageFont.FreeTypeFont):  # Pillow built without FreeType
        return built_in
    needed = sorted(set(text) - set(map(chr, range(128))))[:64]
    best, best_count = built_in, _num_covered(built_in, needed)
    for name in _FONTS:
        if best_count == len(needed):
            break
        font = _font(name, size)
        count = -1 if font is None else _num_covered(font, needed)
        if count > best_count:
            best, best_count = font, count
    return best


def _num_covered(font: Any, characters: Sequence[str]) -> int:
    missing = bytes(font.getmask("\U0010ffff"))  # the box that stands for any glyph the font lacks
    return sum(char.isspace() or bytes(font.getmask(char)) != missing for char in characters)
