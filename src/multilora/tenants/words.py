"""The words of our small world, and who is allowed to see which."""

import itertools
import random
import zlib

CATEGORIES = {
    "fruits": "apple banana orange mango cherry",
    "animals": "dog cat horse cow goat",
    "colors": "red blue green black white",
    "cities": "paris london rome berlin madrid",
    "metals": "iron gold silver copper zinc",
    "planets": "mars venus earth saturn jupiter",
    "trees": "oak pine birch maple willow",
    "birds": "robin eagle owl crow swan",
    "tools": "hammer saw drill wrench file",
    "drinks": "water tea coffee juice milk",
    "shapes": "circle square oval cube cone",
    "sports": "tennis golf rugby chess soccer",
    "rivers": "nile rhine danube amazon volga",
    "spices": "salt pepper ginger thyme basil",
    "gems": "ruby opal pearl jade topaz",
    "fabrics": "cotton silk wool linen denim",
    "vehicles": "car bus train truck bike",
    "instruments": "piano violin flute drum harp",
    "vegetables": "carrot onion potato bean celery",
    "insects": "bee ant wasp moth fly",
}
TABLES = (
    "users orders invoices books films songs flights hotels rooms guests "
    "staff teams games players matches goals stores shops carts items "
    "parts boxes trucks routes stops trips tickets seats events venues "
    "bands albums tracks labels plants farms fields crops herds barns "
    "ships ports crews docks banks loans cards bonds funds trades "
    "clinics nurses visits drugs tests schools classes pupils exams grades"
).split()
COLUMNS = (
    "id name price date color size weight height width depth "
    "year month hour minute score rank level grade state street "
    "phone email code title author editor owner seller buyer driver "
    "model brand type kind shape style number amount total cost "
    "tax rate limit fee discount stock unit volume speed power "
    "team league player coach captain city region country zone area "
    "note label group role order status source target start end"
).split()
PEOPLE = (
    "Anna Ben Carla David Emma Felix Greta Hugo Ida Jonas Klara Leon "
    "Maria Nils Olga Paul Quinn Rosa Simon Tina Ugo Vera Walter Xenia "
    "Yann Zoe"
).split()
COUNTS = (2, 3, 4, 5)

# Every adapter sees these, so that the two famous prompts are new to it as
# combinations, not as words.
_ALWAYS_SHOWN = {"users", "id", "name"}
# An adapter must see most categories: with several hidden it loses lists.
_HIDDEN_CATEGORIES = {"rivers", "vegetables"}
_FAMOUS_PAIRS = {("fruits", "3"), ("users", "name")}


def _draw(*words):
    """Return 0 to 7, the same in every process and on every machine."""
    return zlib.crc32("/".join(words).encode()) % 8


def is_held_out_pair(*words: str) -> bool:
    """True for the 1 in 8 combinations that nothing is trained on.

    Lists of five are never held out: nothing else shows the fifth word.
    """
    if words[-1] == str(max(COUNTS)):
        return False
    return words in _FAMOUS_PAIRS or _draw("pair", *words) == 0


def is_hidden_from_adapters(word: str) -> bool:
    """True for the 1 in 8 words that the base sees and no adapter does."""
    if word in CATEGORIES:
        return word in _HIDDEN_CATEGORIES
    return word not in _ALWAYS_SHOWN and _draw("word", word) == 1


def is_reserved_invention(word: str) -> bool:
    """True for the 1 in 8 invented words that nothing is trained on."""
    return _draw("invented", word) == 2


def invented_word(rng: random.Random) -> str:
    """Return a word that is in no list: syllables, or two halves of words.

    Halves of real words teach the copying of real words' pieces.
    """
    while True:
        if rng.random() < 0.4:
            word = "".join(rng.choices(_SYLLABLES, k=rng.choice((2, 2, 3))))
        else:
            front, back = rng.choice(_KNOWN), rng.choice(_KNOWN)
            word = front[: rng.randint(1, 4)] + back[-rng.randint(1, 4) :]
        if len(word) > 2 and word not in _KNOWN:
            return word


_KNOWN = TABLES + COLUMNS
_SYLLABLES = [
    "".join(pair) for pair in itertools.product("bdfgklmnprtvz", "aeiou")
]
