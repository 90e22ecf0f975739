"""What a question is about: the words that only ask are taken off."""

import re

ASKS = r"(?:summari[sz]e|describe|explain|find|show(?: me)?|tell me|give me|list|discuss)"
SAYS = (
    r"(?:think|thought|sa(?:y|id)|discuss(?:ed)?|talk(?:ed)?|suggest(?:ed)?|propos(?:e|ed)|recommend(?:ed)?"
    r"|(?:dis)?agreed?|mention(?:ed)?|decided?|concluded?|feel|felt|explain(?:ed)?|introduced?|present(?:ed)?"
    r"|described?|considered?|tell|told|hold|speak|spoke|argued?|want(?:ed)?|believed?|liked?)"
)
TELLING = (
    r"(?:discussions?|presentations?|opinions?|ideas?|views?|thoughts?|conclusions?|decisions?|evaluations?|arguments?"
    r"|talks?|comments?|suggestions?|proposals?|remarks?|introductions?|explanations?|details?|parts?|attitudes?)"
)
ABOUT = r"(?:about|on|of|towards?|regarding|concerning|with|to|in|as|that|over|for|around)"
LEADS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"(?:please\s+)?{ASKS}\b\s*",
        rf"(?:what|why|how|who|when|where|which)\b[^?.,]{{0,30}}?\b(?:did|do|does|had|has|have|would|was|were|is|are)\s"
        rf"[^?.,]{{0,60}}?\b{SAYS}\b(?:\s+to\s+do)?\s*(?:{ABOUT}\b\s*)?",
        rf"(?:did|does|do)\s[^?.,]{{0,60}}?\b{SAYS}\b\s*(?:{ABOUT}\b\s*)?",
        rf"(?:[\w'’]+\s+){{0,4}}?{TELLING}\s+{ABOUT}\s+",
        r"(?:what|who|how|why|when|where|which)(?:['’]s|\s+(?:is|are|was|were|did|do|does|would|will|could|should))?\s+",
        r"(?:a|an|the|some|any|their|its)\s+",
    )
)
"""Beginnings that ask and say nothing of the subject, taken off one after the other. Heuristic, English."""
IN_VIEW_OF = re.compile(
    rf"[,\s]+(?:when|while|during|in terms of|(?:with|in) regard to)\s+(?:(?:the|a|his|her|their)\s+)?"
    rf"(?:(?:{SAYS}|talking|discussing|evaluating|giving|making|presenting)\s+)?(?:(?:about|of|on|to|the)\s+)*",
    re.IGNORECASE,
)
"""What leads to that in view of which something is asked. Heuristic, English."""
SHORTEST = 3
"""Fewer letters are no subject: what would leave them is not taken off."""


def subject_of(question: str) -> str:
    """What a question is about. "What did she say about the tides when talking about the Moon?" is: "tides, Moon".

    What is no such question stays as it is, but for space and closing marks. Never empty, unless the question is.
    """
    asked = " ".join(question.split()).rstrip("?.!？。 ")
    parts = [_bare(part) for part in IN_VIEW_OF.split(asked, maxsplit=1)]
    return ", ".join(part for part in parts if part) or asked or question.strip()


def _bare(text: str) -> str:
    text = text.strip()
    for _ in range(2):
        for lead in LEADS:
            rest = text[found.end() :] if (found := lead.match(text)) else text
            text = rest if len(rest) >= SHORTEST else text
    return text
