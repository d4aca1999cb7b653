"""Work out which earlier snippets of a page a snippet needs, from the names they use and define.

A name that is changed in place counts as defined again by the snippet that changes it: by `+=`, by
assigning to an element or an attribute, by a method such as `append`, and, for a random generator
or an iterator, by any use at all, since every draw moves it on.
"""

from press.names import Names, names_of


def needs(sources: list[str]) -> list[list[int]]:
    """Return, for each snippet, the indices of the earlier snippets it needs, in order."""
    snippets = names_of(sources)
    return [_needs_of(i, snippets) for i in range(len(snippets))]


def _needs_of(i: int, snippets: list[Names]) -> list[int]:
    wanted = snippets[i].reads | snippets[i].bodies_read
    found = []
    for j in range(i - 1, -1, -1):
        earlier = snippets[j]
        if wanted & (earlier.binds | earlier.changes):
            found.append(j)
            wanted = wanted - earlier.binds | earlier.reads
    return found[::-1]
