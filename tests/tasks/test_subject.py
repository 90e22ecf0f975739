"""What is searched for a subject: what is said, and the titles of the slides."""

from tasks.subject import searched


def row(text: str, title: str | None) -> dict[str, object]:
    return {"text": text, "slide_title": title}


def test_a_slide_s_title_is_searched_where_the_slide_begins_and_once():
    rows = [
        row("One.", "Tides"),
        row("Two.", "Tides"),
        row("Three.", None),
        row("Four.", "Tides"),
        row("Five.", "Moon"),
    ]
    assert searched(rows) == ["Tides. One.", "Two.", "Three.", "Four.", "Moon. Five."]


def test_a_recording_without_slides_is_searched_by_what_is_said():
    assert searched([row("One.", None), row("", None)]) == ["One.", ""]
