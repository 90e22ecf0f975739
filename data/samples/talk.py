"""What is said in the sample talk, in which scene, and how long the speaker pauses: the words, nothing computed."""

from dataclasses import dataclass
from typing import Literal

Layout = Literal["slides", "camera", "pip", "side"]


@dataclass(frozen=True, slots=True)
class Line:
    """One utterance and the pause after it, from its last sound to the first sound of the next one."""

    text: str
    pause_s: float = 0.45


@dataclass(frozen=True, slots=True)
class Scene:
    """Lines spoken over one picture. `slide` names a page of slides.py; None only where the layout is camera."""

    layout: Layout
    slide: str | None
    lines: tuple[Line, ...]


SCENES = (
    Scene(
        "camera",
        None,
        (
            Line("Good evening, and welcome."),
            Line("Before we begin, please mute your phones.", 0.6),
            Line("The slides will be online tomorrow.", 1.8),
        ),
    ),
    Scene(
        "slides",
        "title",
        (
            Line("Tonight I have a question that a child might ask.", 0.7),
            Line("Why are there two high tides every day?", 2.2),
        ),
    ),
    Scene(
        "pip",
        "school",
        (
            Line("Most of us learned that the Moon pulls on the sea, and the water rises underneath it."),
            Line("But look at what it predicts.", 0.7),
            Line("The Earth turns once a day, so every beach should pass under that bulge once.", 1.3),
        ),
    ),
    Scene(
        "pip",
        "school, then",
        (
            Line("Yet real beaches get two high tides, 12 hours and 25 minutes apart.", 0.6),
            Line("So the explanation we all carry leaves out half of the tides.", 1.9),
        ),
    ),
    Scene(
        "side",
        "stretch",
        (
            Line("Here is the missing half.", 0.6),
            Line("Gravity fades with distance, and the Earth is big."),
            Line(
                "The water facing the Moon is 6,400 kilometers nearer to it than the center of the Earth, "
                "so it is pulled harder."
            ),
            Line("The water on the far side is just as much further away, so it is pulled less.", 0.7),
            Line("The near side runs ahead, the far side is left behind, and the ocean is drawn out at both ends."),
            Line("What raises the tide is not the pull itself, but the difference between two pulls.", 2.6),
        ),
    ),
    Scene(
        "slides",
        "sun",
        (
            Line("Now a test. Which pulls harder on you, the Moon or the Sun?", 1.1),
            Line("The Sun, and by a long way."),
            Line("It is 27 million times heavier, and it pulls nearly 180 times as hard.", 0.7),
            Line("And yet the Sun raises less than half the tide."),
            Line(
                "The difference fades with the cube of the distance, and the Sun is almost 400 times further away.", 0.6
            ),
            Line("180 times the pull, and less than half the effect.", 1.4),
        ),
    ),
    Scene(
        "pip",
        "spring",
        (
            Line(
                "When Sun and Moon line up, at full moon and at new moon, the two tides add up, and we "
                "call that a spring tide."
            ),
            Line("A week later they stand at right angles and partly cancel: a neap tide."),
            Line("The name has nothing to do with the season.", 1.7),
        ),
    ),
    Scene(
        "camera",
        None,
        (
            Line("Let me wander off for a moment.", 0.6),
            Line("Galileo was convinced that the Moon had nothing to do with it."),
            Line("He thought that the moving Earth makes the sea slosh, like the water in a barge that slows down."),
            Line("He even scolded Kepler for believing such childish things.", 0.8),
            Line("He was wrong, and his book is still a pleasure to read.", 1.2),
            Line("Where was I? Yes, the size.", 0.8),
        ),
    ),
    Scene(
        "slides",
        "range",
        (
            Line("If deep water covered the planet, the Moon would raise a tide of about half a meter."),
            Line("But look at this coast.", 0.6),
            Line("New York has 1.4 meters. Boston has twice as much. Eastport, in Maine, twice that."),
            Line("And Burntcoat Head, at the end of the Bay of Fundy, doubles it once more: almost 12 meters.", 1.2),
            Line(
                "Why there? Water in that bay rocks to and fro in about 13 hours, and the Moon pushes "
                "every 12 and a half hours."
            ),
            Line("Think of a child on a swing, pushed at just the right moment.", 2.3),
        ),
    ),
    Scene(
        "pip",
        "ground",
        (
            Line("And now the part that nobody believes.", 0.7),
            Line("The ground beneath your chair goes up and down as well, by about 30 centimeters, twice a day."),
            Line("You never notice, because everything around you goes with you.", 0.7),
            Line("But the physicists in Geneva did notice."),
            Line(
                "Their ring, 27 kilometers around, grew and shrank by a millimeter, and they had to "
                "correct for the Moon.",
                3.2,
            ),
        ),
    ),
    Scene(
        "side",
        "leaving",
        (
            Line("One last consequence.", 0.6),
            Line("All this sloshing slows the turning Earth, and drives the Moon away from us."),
            Line("It leaves at 3.8 centimeters a year, about as fast as your fingernails grow."),
            Line("We measure that with lasers, on mirrors left there by Apollo 11.", 0.6),
            Line(
                "Fossil corals, with their daily lines, tell us that nearly 400 million years ago a year had 400 days."
            ),
            Line("Each lasted about 22 hours.", 1.8),
        ),
    ),
    Scene(
        "slides",
        "recap",
        (
            Line("So, to sum up. The tide is a difference, not a pull.", 0.6),
            Line("That is why there are two bulges, and why the small Moon beats the huge Sun.", 0.8),
        ),
    ),
    Scene(
        "slides",
        "recap, then",
        (
            Line(
                "Real oceans are messier: continents get in the way, and the shape of the coast decides the rest.", 1.5
            ),
        ),
    ),
    Scene(
        "pip",
        "thanks",
        (
            Line("Next week, same room, we will talk about earthquakes.", 0.6),
            Line("Thank you for listening.", 1.6),
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class Moment:
    """An editor's choice: from the line that begins with `first` to the end of the line that begins with `last`."""

    first: str
    last: str
    why: str


HIGHLIGHTS = (
    Moment(
        "Here is the missing half",
        "What raises the tide",
        "The answer to the question of the talk, complete in itself.",
    ),
    Moment("Now a test", "180 times the pull", "A riddle with a surprising answer in numbers, and its reason."),
    Moment(
        "But look at this coast",
        "Think of a child on a swing",
        "A striking series of doublings, explained by a picture anyone knows.",
    ),
    Moment("And now the part", "Their ring", "The most surprising claim, with a story that proves it."),
)

OPENING_S = 0.8
"""Quiet before the first word."""
