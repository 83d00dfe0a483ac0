"""The walk through a sentence behind its head: what each phrase says, and of whom."""

from collections.abc import Sequence

from deixis.ops.lexicon import (
    CLOTHING,
    COLOUR_WORDS,
    DIRECTION_WORDS,
    FAST_WORDS,
    MOVING_VERBS,
    MOVING_WORDS,
    ORDINALS,
    PARTS,
    PLACE_WORDS,
    SIZE_WORDS,
    SLOW_WORDS,
    STILL_VERBS,
    STILL_WORDS,
    SUPERLATIVE_PLACES,
    TEXTURE_WORDS,
    VERB_FORMS,
    names_thing,
    noun_categories,
)

from .phrases import (
    AUXILIARIES,
    RELATIVES,
    WORN,
    NounPhrase,
    colour_weights,
    is_function_word,
    noun_at,
    noun_phrase_at,
    word_set,
)
from .request import SEVERAL, WHOLE, ColourClaim, Order, Request
from .request import WORN as WORN_SHARE
from .spots import FRAME_NOUNS, Spot, extreme_at, spot_at

_OPPOSITE = {
    "left": "right",
    "right": "left",
    "top": "down",
    "bottom": "up",
    "front": "away",
    "back": "towards",
}
_TOWARDS = {
    "left": "left",
    "right": "right",
    "top": "up",
    "bottom": "down",
    "front": "towards",
    "back": "away",
}
_GAZES = word_set("look gaze stare watch face point")
_POSTURES = STILL_VERBS - word_set("eat drink feed graze peck hold talk speak look watch stare gaze read")
_RIDES = word_set("ride drive mount cycle")
_RIDDEN = frozenset(("quadruped", "two-wheeler", "boat", "vehicle", "other"))
_WEARERS = frozenset(("person",))
_SAYING = AUXILIARIES | RELATIVES | {"coloured", "colored", "painted", "looks", ","}
_WAYS = word_set(
    "road street lane path track corridor hall hallway sidewalk runway river stream court trail field"
)
_HEIGHT_WORDS = {"higher": "top", "lower": "bottom"}
_SPEED_ORDERS = {"faster": "fast", "fastest": "fast", "slower": "slow", "slowest": "slow"}
_PASSAGES = {"enter": "enters", "leave": "leaves", "come": "enters", "go": "leaves"}


class Walk:
    """What was understood so far.

    Attributes:
        noun: of the head.
        categories: of the head; empty where they are unknown.
    """

    def __init__(self, noun: str, categories: tuple[str, ...]) -> None:
        self.noun = noun
        self.categories = categories
        self._owner: tuple[str, ...] | None = None
        """Categories of the noun that the next words are about; None: the head."""
        self._is_relative = False
        self._joined: list[str] = []
        self._ridden: list[str] = []
        self._colours: list[ColourClaim] = []
        self._texture = self._size = self._speed = ""
        self._places: list[str] = []
        self._directions: list[str] = []
        self._motions: list[bool] = []
        self._order: Order | None = None
        self._rank: int | None = None
        self._verb = ""
        self._is_negated = False

    def request(self, count: int, unknown: tuple[str, ...]) -> Request:
        """Return what was understood."""
        moves = None
        if self._motions:
            moves = any(self._motions)
        directions = self._directions
        for one, other in (("up", "down"), ("left", "right"), ("towards", "away")):
            if one in directions and other in directions:
                directions = [word for word in directions if word not in (one, other)]
        return Request(
            noun=self.noun,
            categories=self.categories,
            joined=tuple(dict.fromkeys(self._joined)),
            ridden=tuple(dict.fromkeys(self._ridden)),
            colours=tuple(self._colours),
            texture=self._texture,
            places=tuple(dict.fromkeys(self._places)),
            directions=tuple(dict.fromkeys(directions)),
            moves=True if directions and moves is None else moves,
            speed=self._speed,
            size=self._size,
            order=self._order,
            count=count + bool(self._joined and count == 1),
            unknown=unknown,
        )

    def read(self, words: Sequence[str], start: int) -> None:
        """Walk through ``words`` from ``start`` on."""
        place = start
        while place < len(words):
            place = max(self._step(words, place), place + 1)

    def add_look(self, phrase: NounPhrase, share: float) -> None:
        """Take the colours and the texture of ``phrase``, of which ``share`` of the area is."""
        found = colour_weights(phrase.adjectives)
        if found:
            union = tuple(max(each) for each in zip(*found, strict=True))
            # "a blue player" is dressed in blue; of "a white man" no picture shows either.
            is_of_person = "person" in self.categories and share == WHOLE
            is_skin = is_of_person and bool({"white", "black"} & set(phrase.adjectives))
            share = WORN_SHARE if is_of_person else share
            self._colours.append(ColourClaim(union, share, is_said=not is_skin))
        if len(found) > 1:
            self._colours.extend(ColourClaim(weights, min(share, SEVERAL)) for weights in found)
        for word in (*phrase.adjectives, phrase.noun):
            self._texture = self._texture or TEXTURE_WORDS.get(word, "")

    def add_adjectives(self, phrase: NounPhrase) -> None:
        """Take what ``phrase`` says of size, place, order and motion of the head."""
        words = phrase.adjectives
        for place, word in enumerate(words):
            following = words[place + 1] if place + 1 < len(words) else ""
            if word in SIZE_WORDS and word not in ("young", "old", "short", "light"):
                size, degree = SIZE_WORDS[word]
                self._size = size
                if degree != "positive":
                    self._order = Order(size, self._rank or 1)
            elif word in _SPEED_ORDERS:
                self._order = Order(_SPEED_ORDERS[word], self._rank or 1)
            elif word in SUPERLATIVE_PLACES:
                self._set_order(SUPERLATIVE_PLACES[word])
            elif word in PLACE_WORDS and not (word == "far" and following in PLACE_WORDS):
                self._places.append(PLACE_WORDS[word])
                if place and words[place - 1] == "far":
                    self._set_order(PLACE_WORDS[word])
            if word in ORDINALS:
                self._rank = ORDINALS[word]
            self._add_motion_word(word)

    def _step(self, words: Sequence[str], place: int) -> int:
        """Read what begins at ``place``; return the index behind it."""
        word = words[place]
        if word in ("not", "without", "never", "no"):
            self._is_negated = True
            return place + 1
        if word in AUXILIARIES or word in RELATIVES:
            self._turn(word)
            return place + 1
        if tuple(words[place : place + 3]) in (("up", "and", "down"), ("back", "and", "forth")):
            return place + 3
        if tuple(words[place : place + 2]) == ("upside", "down"):
            return place + 2
        for reader in (self._read_order, self._read_spot, self._read_worn, self._read_rest, self._read_noun):
            end = reader(words, place)
            if end > place:
                return end
        self._add_verb(words, place)
        return place + 1

    def _turn(self, word: str) -> None:
        """Find out whom the words behind an auxiliary or a relative pronoun are about."""
        if word in RELATIVES:
            self._is_relative = self._owner is not None
        elif not self._is_relative:
            self._owner = None

    def _read_order(self, words: Sequence[str], place: int) -> int:
        word = words[place]
        if self._owner is not None and self._is_relative:
            return place
        extreme = extreme_at(words, place)
        if extreme is not None:
            self._set_order(extreme[0])
            self._places.append(extreme[0])
            return extreme[1]
        is_compared = "than" in words[place + 1 : place + 2]
        if word in _SPEED_ORDERS and (is_compared or word.endswith("est")):
            self._order = Order(_SPEED_ORDERS[word], 1)
        elif word in _HEIGHT_WORDS and is_compared:
            self._set_order(_HEIGHT_WORDS[word])
        elif word in SIZE_WORDS and SIZE_WORDS[word][1] != "positive" and is_compared:
            self._order, self._size = Order(SIZE_WORDS[word][0], 1), SIZE_WORDS[word][0]
        elif word in ORDINALS and self._verb in _PASSAGES and self._owner is None:
            self._order = Order(_PASSAGES[self._verb], ORDINALS[word])
        elif word in ORDINALS and words[place + 1 : place + 2] == ("from",):
            self._rank = ORDINALS[word]
        else:
            return place
        return place + 1 + 3 * is_compared

    def _read_spot(self, words: Sequence[str], place: int) -> int:
        """Read a phrase of place or direction."""
        spot = spot_at(words, place)
        if spot is None:
            return self._read_relative_place(words, place)
        if spot.is_relative:
            return spot.end
        if self._is_relative and self._owner is not None:
            return spot.end
        if spot.lead == "from" and self._rank is not None:
            self._set_order(spot.places[0])
        elif spot.lead == "from" or (spot.lead in ("to", "toward", "towards", "into", "") and self._verb):
            self._add_course(spot, is_origin=spot.lead == "from")
        else:
            self._places.extend(spot.places)
            if spot.is_extreme:
                self._set_order(spot.places[0])
        return spot.end

    def _add_course(self, spot: Spot, is_origin: bool) -> None:
        """Take a place as where a motion leads to or comes from; of what stands still, as its place."""
        if self._verb in _GAZES:
            return
        if self._verb in MOVING_VERBS or spot.lead in ("toward", "towards"):
            names = _OPPOSITE if is_origin else _TOWARDS
            courses = [names[name] for name in spot.places if name in names]
            if not (is_origin and self._directions):
                self._directions.extend(courses)
        else:
            self._places.extend(spot.places)

    def _read_relative_place(self, words: Sequence[str], place: int) -> int:
        """Read "near the camera", "far away", "behind", "towards the camera", "up", "away"."""
        word = words[place]
        rest = words[place + 1 :]
        is_last = not rest or (
            is_function_word(rest[0]) and rest[0] not in ("the", "a", "an", "to", "from", "its")
        )
        phrase = noun_phrase_at(words, place + 1 + (rest[:1] in (("to",), ("from",))))
        at_frame = phrase is not None and phrase.noun in FRAME_NOUNS
        is_going = self._verb in MOVING_VERBS and self._owner is None
        if word in ("near", "close", "nearer", "closer", "nearby", "behind", "far", "further", "farther"):
            # "jumping far" is a way to jump.
            is_place = is_last and word not in ("near", "close") and not (word == "far" and is_going)
            if is_place or (at_frame and word != "behind"):
                self._places.append(PLACE_WORDS.get(word, "front"))
                return phrase.end if phrase is not None and at_frame else place + 1
            return place
        leads = word in ("toward", "towards", "approaching") or (word == "to" and is_going)
        if leads and at_frame and phrase is not None:
            self._directions.append("towards")
            return phrase.end
        if word in DIRECTION_WORDS and (word.endswith(("ward", "wards")) and word[:2] != "to"):
            self._directions.append(DIRECTION_WORDS[word])
            return place + 1
        if word in ("up", "down", "away") and is_going:
            # "down the road" is along it.
            is_along = phrase is not None and phrase.noun in _WAYS and rest[0] != "to"
            self._directions.extend([] if is_along else [DIRECTION_WORDS[word]])
            return place + 1
        return place

    def _read_worn(self, words: Sequence[str], place: int) -> int:
        """Read clothing, parts of a body and what the head has at its side."""
        word = words[place]
        if word not in WORN and word not in ("in", "with", "has", "and", ",", "having"):
            return place
        phrase = noun_phrase_at(words, place + 1)
        if phrase is None:
            return place
        is_bare_colour = not phrase.noun and any(each in COLOUR_WORDS for each in phrase.adjectives)
        if phrase.is_worn_or_part() or (is_bare_colour and word != "and"):
            if self._wears(phrase):
                self.add_look(phrase, WORN_SHARE)
            return phrase.end
        if word == "and" and self._verb == "" and self._owner is None and names_thing(phrase.noun):
            self._joined.extend(noun_categories(phrase.noun)[:1])
            self.categories = self.categories[:1]
            self.add_look(phrase, WORN_SHARE)
            return phrase.end
        return place

    def _wears(self, phrase: NounPhrase) -> bool:
        """Say whether clothing or parts are the head's: not those of somebody else named before them."""
        if self._owner is None:
            return True
        if phrase.noun in PARTS and phrase.noun not in CLOTHING:
            return False
        return not set(self._owner) & _WEARERS and bool(set(self.categories) & _WEARERS)

    def _read_rest(self, words: Sequence[str], place: int) -> int:
        """Read what the head sits on: "riding a horse", "on a motorbike"."""
        word = words[place]
        is_riding = VERB_FORMS.get(word) in _RIDES or word in ("on", "atop", "onto")
        if not is_riding or self._owner is not None:
            return place
        phrase = noun_phrase_at(words, place + 1)
        if phrase is None or "person" not in self.categories or not names_thing(phrase.noun):
            return place
        found = [one for one in noun_categories(phrase.noun) if one in _RIDDEN]
        if not found:
            return place
        self._ridden.extend(found)
        self._owner = noun_categories(phrase.noun)
        if word in VERB_FORMS:
            self._motions.append(not self._is_negated)
        return phrase.end

    def _read_noun(self, words: Sequence[str], place: int) -> int:
        """Read a noun phrase that stands by itself: what is said of the head, or something else."""
        count = noun_at(words, place)
        if not count and is_function_word(words[place]) and words[place] not in ("a", "an", "the", "another"):
            return place
        is_verb = words[place] in VERB_FORMS and count < 2
        after_auxiliary = place > 0 and words[place - 1] in AUXILIARIES | RELATIVES | {"and", "to"}
        if is_verb and (not count or after_auxiliary or words[place].endswith("ing")):
            return place
        phrase = noun_phrase_at(words, place)
        if phrase is None:
            return place
        if not phrase.noun:
            # "the cat is black", but not "on the grey wubble".
            before = words[place - 1] if place else "is"
            is_said_of_head = not phrase.unknown and (before in _SAYING or names_thing(before))
            if self._owner is None and is_said_of_head:
                self.add_look(phrase, WHOLE)
            if self._owner is None and not phrase.unknown:
                self.add_adjectives(phrase)
            return phrase.end
        if names_thing(phrase.noun) and noun_categories(phrase.noun):
            self._owner, self._is_relative = noun_categories(phrase.noun), False
        return phrase.end

    def _add_verb(self, words: Sequence[str], place: int) -> None:
        word = words[place]
        verb = VERB_FORMS.get(word, "")
        if self._owner is not None and place and words[place - 1] in ("and", "while", "then"):
            self._owner = None if not self._is_relative else self._owner
        if self._owner is not None:
            return
        self._add_motion_word(word)
        if not verb:
            return
        self._verb = verb
        if verb in _POSTURES:
            self._motions.append(False)
        elif verb in MOVING_VERBS:
            self._motions.append(not self._is_negated)
        self._is_negated = False

    def _add_motion_word(self, word: str) -> None:
        verb = VERB_FORMS.get(word, "") if word.endswith(("ing", "ed")) else ""
        if word in STILL_WORDS or word in MOVING_WORDS or verb in MOVING_VERBS or verb in _POSTURES:
            is_moving = word in MOVING_WORDS or verb in MOVING_VERBS
            self._motions.append(is_moving and not self._is_negated)
        if word in FAST_WORDS or word in SLOW_WORDS:
            self._speed = "fast" if word in FAST_WORDS else "slow"

    def _set_order(self, key: str) -> None:
        self._order, self._rank = Order(key, self._rank or 1), None
