"""Mark the parts of a chapter that its Markdown shows by their place alone.

The line under the title is its question, the first snippet after a boxed result its check, and
what stands under "What goes wrong" a mistake; an exercise holds its hint and its solution.
"""

import re

FIRST_LINE = re.compile(r"(?<=</h1>\n)<p>(?=<em>)")
QUESTION = re.compile(r'<p class="question">(.*?)</p>', re.DOTALL)
CHECK = re.compile(
    r'(<div class="admonition result">(?:(?!<h2).)*?<div [^>]*class="language-python highlight)',
    re.DOTALL,
)
MISTAKE = re.compile(r'<h2 id="what-goes-wrong">.*?(?=<h2|\Z)', re.DOTALL)
TITLE = r'<p><strong><span class="number" id="exercise-'
EXERCISE = re.compile(rf"{TITLE}.*?(?={TITLE}|<h2|\Z)", re.DOTALL)


def mark_roles(html: str) -> str:
    """Return a chapter's HTML with a class, or a section of a class, for each of these parts."""
    html = FIRST_LINE.sub('<p class="question">', html)
    html = CHECK.sub(r"\1 check", html)
    html = MISTAKE.sub(r'<section class="mistake">\g<0></section>\n', html)
    return EXERCISE.sub(r'<section class="exercise">\g<0></section>\n', html)


def question_of(html: str) -> str:
    """Return the question, in HTML, of a chapter whose parts are marked, or ''."""
    found = QUESTION.search(html)
    return found[1] if found else ""
