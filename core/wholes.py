"""What a break must not tear apart: a number and its unit, a title and a name, the parts of a name.

Heuristics over English word lists and capital letters; where nothing matches, nothing is held together.
"""

import re
from collections.abc import Sequence


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


NUMERAL = re.compile(r"[$€£#~±+−-]?\d[\d.,/:+×x-]*(?:st|nd|rd|th|s)?%?")
NUMBER_WORDS = _words(
    """
    zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
    eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million billion
    trillion dozen
    """
)
MAGNITUDES = _words("hundred thousand million billion trillion dozen millions billions")
MONTHS = _words(
    """
    january february march april may june july august september october november december jan feb mar apr jun jul
    aug sep sept oct nov dec
    """
)
UNITS = MAGNITUDES | _words(
    """
    % percent percentage ‰ ° °c °f degrees degree celsius fahrenheit kelvin km m cm mm µm nm mi miles mile meters
    meter metres metre kilometers kilometer kilometres kilometre centimeters millimeters feet foot ft inches inch
    yards g kg mg µg grams gram milligrams kilograms tons tonnes pounds lbs ounces oz l ml liters litres ms s sec
    secs second seconds minute minutes min mins hour hours day days week weeks month months year years decade
    decades century centuries hz khz mhz ghz bit bits byte bytes kb mb gb tb pb kbps mbps gbps fps px pixels dpi db
    w kw mw gw kwh watts watt volts v mv kv amps ma joules calories kcal pa kpa bar psi mph kph dollars dollar euros
    euro cents usd eur pounds a.m p.m am pm o'clock bc ad bce ce times fold point °
    """
)
COUNTED = _words(
    """
    no number page pages chapter section figure fig table equation eq version step part slide question room type
    level phase volume vol line grade lecture problem theorem lemma example appendix article
    """
)
TITLES = _words("dr mr mrs ms prof professor president sir saint st captain general lord lady king queen pope")
PARTICLES = _words("de del der den van von la le du di da dos bin ibn al el ter zu")
STARTERS = _words(
    """
    yesterday today tomorrow now then here there maybe perhaps however also thank thanks good welcome hello hi
    please let let's just even still again first second third next finally actually so well okay ok yes yeah oh
    right one two what how why who where when which whose whom everybody everyone people according dear only both
    all most many some such like once ever never always often sometimes later soon another other
    """
)
FUNCTION_WORDS = _words(
    """
    a an the this that these those my your his her its our their every each any no not i you he she it we they am is
    are was were be been being have has had do does did will would shall should can could may might must and but or
    nor yet because although though while if unless until since whether than as about above after against at before
    behind below between by despite during except for from in inside into near of off on onto out over per through
    to toward under upon via with within without i'm i've i'll i'd it's that's there's here's we're we've we'll
    you're you've they're he's she's what's don't doesn't didn't isn't aren't wasn't can't couldn't won't
    """
)
EDGES = "\"'“”‘’()[]{}«»"
STOP = re.compile(r"[,;:.!?…–—-]+$")
INITIAL = re.compile(r"[A-Z]\.")


def kept_after(texts: Sequence[str]) -> list[bool]:
    """For each text but the last, whether it and the next one stand on one line and in one caption if possible."""
    return [_belong(texts, i) for i in range(len(texts) - 1)]


def _belong(texts: Sequence[str], i: int) -> bool:
    left, right = texts[i].strip(EDGES), texts[i + 1].strip(EDGES)
    if not left or not right:
        return False
    plain, following = STOP.sub("", left).casefold(), STOP.sub("", right).casefold()
    dotted = left.endswith(".") and (plain in TITLES | COUNTED | MONTHS or bool(INITIAL.fullmatch(left)))
    if STOP.search(left) and not dotted and plain != "%":
        return False
    return _quantity(texts, i, plain, following) or _name(texts, i, left, right, plain)


def _is_number(text: str) -> bool:
    return bool(NUMERAL.fullmatch(text)) or text in NUMBER_WORDS or text.split("-")[0] in NUMBER_WORDS


def _quantity(texts: Sequence[str], i: int, left: str, right: str) -> bool:
    """ "3.5 million", "25 km", "two hundred and fifty", "Figure 3", "$ 5", "May 5"."""
    if _is_number(left):
        months = NUMERAL.fullmatch(left) and right in MONTHS and texts[i + 1].strip(EDGES)[:1].isupper()
        more = right in NUMBER_WORDS and (left in NUMBER_WORDS or right in MAGNITUDES)
        return bool(
            right in UNITS or months or more or (right == "and" and left in MAGNITUDES and _number_at(texts, i + 2))
        )
    if left == "and":
        return i > 0 and _plain(texts[i - 1]) in MAGNITUDES and _is_number(right)
    if left == "point":
        return i > 0 and _number_at(texts, i - 1) and _is_number(right)
    if NUMERAL.fullmatch(right):
        month = left in MONTHS and texts[i].strip(EDGES)[:1].isupper()
        return month or left in COUNTED or left in {"$", "€", "£", "us$"}
    return False


def _name(texts: Sequence[str], i: int, left: str, right: str, plain: str) -> bool:
    """ "Dr. Smith", "New York", "J. R. Jones", "Ludwig van Beethoven"."""
    if right.casefold() in PARTICLES and right.islower():
        return i + 2 < len(texts) and _named(texts, i) and texts[i + 2].strip(EDGES)[:1].isupper()
    if left.islower() and plain in PARTICLES:
        back = i - 1
        while back > 0 and texts[back].islower() and texts[back] in PARTICLES:
            back -= 1
        return back >= 0 and _named(texts, back) and (right[0].isupper() or right in PARTICLES)
    if not right[0].isupper() or STOP.sub("", right).casefold() in FUNCTION_WORDS:
        return False
    return plain in TITLES and left[0].isupper() or bool(INITIAL.fullmatch(left)) or _named(texts, i)


def _named(texts: Sequence[str], i: int) -> bool:
    """Whether a word looks like part of a name: a capital, no function word, nor one that often begins a sentence."""
    word = texts[i].strip(EDGES)
    plain = STOP.sub("", word).casefold()
    return word[:1].isupper() and plain not in FUNCTION_WORDS and plain not in STARTERS


def _number_at(texts: Sequence[str], i: int) -> bool:
    return i < len(texts) and _is_number(_plain(texts[i]))


def _plain(text: str) -> str:
    return STOP.sub("", text.strip(EDGES)).casefold()
