"""Words of colour, texture and size, and what a noun alone tells of them."""

from collections.abc import Mapping
from types import MappingProxyType

BASIC_COLOURS = (
    "black",
    "white",
    "grey",
    "red",
    "orange",
    "yellow",
    "green",
    "blue",
    "purple",
    "pink",
    "brown",
)
"""The basic colour terms of English, after Berlin and Kay (1969)."""


def _weights(text: str) -> Mapping[str, float]:
    pairs = (pair.split() for pair in text.split(","))
    return MappingProxyType({name: float(weight) for name, weight in pairs})


COLOUR_WORDS: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {name: MappingProxyType({name: 1.0}) for name in BASIC_COLOURS}
    | {
        word: _weights(text)
        for words, text in (
            ("gray", "grey 1"),
            ("crimson, scarlet, ruby, reddish, cherry, vermilion", "red 1"),
            ("maroon, burgundy", "red 1, brown 0.6, purple 0.3"),
            ("tangerine, orangish, apricot", "orange 1"),
            ("ginger, rust, rusty, copper, bronze, auburn", "orange 1, brown 1"),
            ("coral, salmon-coloured", "orange 0.7, pink 1, red 0.5"),
            ("peach", "orange 0.7, pink 1"),
            ("yellowish, lemon, mustard, amber", "yellow 1"),
            ("golden, gold", "yellow 1, brown 0.8, orange 0.8"),
            ("blonde, blond", "yellow 1, brown 0.6, orange 0.4, white 0.4"),
            ("cream, creamy, ivory", "white 1, yellow 0.6, brown 0.3"),
            (
                "beige, tan, khaki, sandy, camel-coloured, fawn-coloured",
                "brown 1, yellow 0.6, orange 0.4, white 0.4, grey 0.3",
            ),
            ("greenish, emerald, lime, olive, mint, jade, camouflage, camo", "green 1"),
            ("turquoise, teal, cyan, aqua", "green 0.7, blue 1"),
            ("bluish, azure, navy, indigo, denim, cobalt, sapphire", "blue 1"),
            ("violet, lilac, lavender, mauve, plum, purplish", "purple 1"),
            ("magenta, fuchsia", "pink 1, purple 0.8"),
            ("pinkish, rosy, rose", "pink 1"),
            (
                "brownish, chocolate, chestnut, bay-coloured, wooden, hazel, coffee-coloured, brunette",
                "brown 1",
            ),
            ("snow-white, whitish, snowy", "white 1"),
            ("blackish, jet-black, ebony, charcoal", "black 1"),
            ("silver, silvery, metallic, steel, chrome", "grey 1, white 0.8, blue 0.2"),
            ("greyish, grayish, ash, slate", "grey 1"),
            ("dark, dark-coloured, dark-colored", "black 1, brown 0.7, grey 0.5"),
            (
                "light, pale, bright, light-coloured, light-colored",
                "white 1, yellow 0.6, grey 0.6, pink 0.3, brown 0.2",
            ),
            ("tabby, tawny", "brown 1, grey 0.6, orange 0.6"),
        )
        for word in words.split(", ")
    }
)
"""How far each basic colour may be called by a word, 0 to 1; not shares of an area."""

LIGHTNESS_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "dark": "dark",
        "deep": "dark",
        "darker": "dark",
        "light": "light",
        "pale": "light",
        "bright": "light",
        "lighter": "light",
    }
)
"""Words that shift the colour word behind them ("dark blue"); alone they are colour words of their own."""

SHADE_WORDS = frozenset(
    word
    for words in (
        "snow, jet, pitch, coal, ink, milk, blood, brick, fire, sky, royal, powder, electric, forest, grass",
        "apple, canary, coffee, stone, wine, pearl, neon, hot, sea, hunter, midnight",
    )
    for word in words.split(", ")
)
"""Words that only shade a basic colour right behind them ("jet black"), whatever else they mean elsewhere."""

COLOURLESS_WORDS = frozenset(
    ("colorful", "colourful", "multicolored", "multicoloured", "rainbow", "colored", "coloured")
)
"""Words that speak of colour and name none."""

TEXTURES = ("plain", "striped", "spotted", "checkered")

TEXTURE_WORDS: Mapping[str, str] = MappingProxyType(
    {
        word: texture
        for texture, words in (
            ("plain", "plain, solid, unpatterned"),
            ("striped", "striped, stripy, stripey, stripes, stripe"),
            ("spotted", "spotted, spotty, dotted, dappled, speckled, polka-dot, spots, dots, leopard-print"),
            ("checkered", "checkered, checked, chequered, plaid, tartan, checks"),
        )
        for word in words.split(", ")
    }
)

SIZE_WORDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        word: (size, degree)
        for size, degree, words in (
            (
                "small",
                "positive",
                "small, little, tiny, mini, miniature, minute, slim, thin, short, young, petite",
            ),
            ("small", "comparative", "smaller, littler, tinier, shorter, younger, slimmer, thinner"),
            ("small", "superlative", "smallest, littlest, tiniest, shortest, youngest, thinnest"),
            (
                "large",
                "positive",
                "large, big, huge, giant, enormous, gigantic, massive, tall, great, fat, chubby, monster",
            ),
            ("large", "comparative", "larger, bigger, taller, greater, fatter, older"),
            ("large", "superlative", "largest, biggest, tallest, greatest, fattest, oldest, hugest"),
        )
        for word in words.split(", ")
    }
)
"""Size ("small", "large") and degree ("positive", "comparative", "superlative")."""

TYPICAL_COLOURS: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {
        noun: _weights(text)
        for nouns, text in (
            ("zebra", "white 1, black 1, grey 0.6"),
            ("panda, dalmatian, penguin, magpie, orca, killer whale", "white 1, black 1, grey 0.5"),
            ("soccer ball", "white 1, black 0.7, grey 0.6"),
            ("flamingo", "pink 1, red 0.6, orange 0.5, white 0.4"),
            ("swan, egret, seagull, gull, dove, albatross, pelican, samoyed", "white 1, grey 0.7"),
            ("polar bear, sheep, lamb", "white 1, yellow 0.4, grey 0.6, brown 0.3"),
            (
                "elephant, rhino, rhinoceros, hippo, hippopotamus, dolphin, shark, whale, heron",
                "grey 1, brown 0.6, black 0.3",
            ),
            ("pigeon, koala, mouse, wolf, donkey", "grey 1, brown 0.5, black 0.3, white 0.3"),
            (
                "crow, raven, rook, jackdaw, blackbird, black bear, panther, gorilla, cormorant",
                "black 1, grey 0.5, blue 0.2",
            ),
            (
                "lion, lioness, camel, dromedary, kangaroo, puma, cougar, golden retriever",
                "brown 1, yellow 0.8, orange 0.7",
            ),
            (
                "brown bear, grizzly, grizzly bear, bison, moose, deer, otter, beaver, sparrow, buzzard",
                "brown 1, black 0.5, orange 0.4, grey 0.3",
            ),
            ("giraffe, cheetah, leopard, hyena", "brown 1, yellow 0.9, orange 0.7, black 0.3, white 0.3"),
            (
                "fox, tiger, goldfish, clownfish, orangutan, irish setter",
                "orange 1, brown 0.7, white 0.3, black 0.3, red 0.4",
            ),
            ("cardinal, ladybug, fire truck, fire engine", "red 1, orange 0.4, black 0.3"),
            ("canary, chick, duckling", "yellow 1, orange 0.4, brown 0.4"),
            ("tennis ball", "yellow 1, green 0.8"),
            ("basketball", "orange 1, brown 0.8, red 0.4"),
            ("school bus", "yellow 1, orange 0.8"),
            ("frog, crocodile, alligator, iguana", "green 1, brown 0.7, black 0.3"),
            ("pig, piglet", "pink 1, white 0.6, brown 0.5"),
            ("blue jay, blue tit, kingfisher", "blue 1, white 0.4, grey 0.4"),
            ("snowman, snowball, ambulance, golf ball, bride", "white 1, grey 0.5"),
        )
        for noun in nouns.split(", ")
    }
)
"""How far each basic colour is usual for a noun, 0 to 1; nouns of any colour are absent."""

TYPICAL_TEXTURES: Mapping[str, str] = MappingProxyType(
    {
        "zebra": "striped",
        "tiger": "striped",
        "tabby": "striped",
        "clownfish": "striped",
        "cheetah": "spotted",
        "leopard": "spotted",
        "snow leopard": "spotted",
        "jaguar": "spotted",
        "dalmatian": "spotted",
        "giraffe": "spotted",
        "ladybug": "spotted",
        "hyena": "spotted",
    }
)

TYPICAL_SIZES: Mapping[str, float] = MappingProxyType(
    {
        noun: float(metres)
        for metres, nouns in (
            (
                0.1,
                "mouse, hamster, frog, sparrow, robin, goldfish, tennis ball, golf ball, butterfly",
            ),
            (
                0.25,
                "ball, soccer ball, football, basketball, pigeon, squirrel, rat, kitten, gull, crow",
            ),
            (0.5, "cat, rabbit, duck, chicken, parrot, baby, puppy, dachshund, goose, fox, owl"),
            (0.9, "dog, swan, toddler, sheep, goat, pig, wolf, child, eagle, lamb, pelican, kid"),
            (1.4, "flamingo, ostrich, deer, leopard, panda, girl, boy, bicycle, stork"),
            (1.8, "person, man, woman, motorbike, lion, tiger, bear, cow, pony, scooter, dolphin"),
            (2.4, "horse, camel, polar bear, zebra, moose, bison, buffalo, canoe, shark"),
            (4.5, "elephant, giraffe, rhino, hippo, car, jeep, suv, van, taxi, boat"),
            (10.0, "bus, truck, lorry, tram, fire truck, sailboat, yacht, helicopter, whale"),
            (40.0, "train, airplane, ship, ferry"),
        )
        for noun in nouns.split(", ")
    }
)
"""Usual length in metres, to a factor of about two."""
