"""The same mistake made wherever it recurs: at every turn of a loop, in every layer."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from backprop_book.checker.circuits import Edge
from backprop_book.checker.mistakes import Case, Change, Suspect


@dataclass
class Recurrences:
    """Collects suspects that are changes at one place, and joins those that are alike.

    Two are alike if the same rule makes them in the same manner, at places of one role.
    """

    case: Case
    groups: dict[Any, list[Suspect]] = field(default_factory=dict)
    seen: dict[Any, int] = field(default_factory=dict)

    def note(self, suspect: Suspect) -> None:
        """Keep a suspect, if it is a change, with those that are alike."""
        if not isinstance(suspect.gradients, Change):
            return
        sites = suspect.gradients.sites
        manner = (suspect.kind, suspect.how)
        number = self.seen[(manner, sites)] = self.seen.get((manner, sites), 0) + 1
        for role in (_name, _role, _source):
            roles = (role, *(role(self.case, site) for site in sites))
            self.groups.setdefault((manner, number, roles), []).append(suspect)

    def joined(self) -> Iterator[Suspect]:
        """Yield each group as one suspect: the mistake is made at all of its places."""
        made = set()
        for suspects in self.groups.values():
            numbers = tuple(map(id, suspects))
            if len(suspects) > 1 and numbers not in made:
                made.add(numbers)
                yield _joined(suspects)


def _joined(suspects: list[Suspect]) -> Suspect:
    changes = [suspect.gradients for suspect in suspects]
    pulls = {e: pull for c in changes if isinstance(c, Change) for e, pull in c.pulls.items()}
    nodes = {n: pull for c in changes if isinstance(c, Change) for n, pull in c.nodes.items()}
    first = suspects[0]
    words = f"{first.words}, and {len(suspects) - 1} more like it"
    return Suspect(first.kind, words, Change(pulls, nodes), first.cost + 0.1)


def _name(case: Case, site: Edge) -> Any:
    """Return what a place has in common with its like in other layers."""
    return case.circuit.steps[site[0]].name, _which(case, site)


def _role(case: Case, site: Edge) -> Any:
    """Return what a place has in common with its like at other turns of a loop."""
    steps, leaves = case.circuit.steps, case.circuit.leaves
    step = steps[site[0]]
    parents = tuple(p if p in leaves else steps[p].name for p in step.parents)
    users = {(steps[s].name, k) for s, k in case.users[site[0]]}
    return step.name, _which(case, site), step.value.shape, parents, frozenset(users)


def _which(case: Case, site: Edge) -> int:
    """Return which parent's use a place is; of many, as of a stack, all are alike."""
    return site[1] if len(case.circuit.steps[site[0]].parents) <= 2 else 0


def _source(case: Case, site: Edge) -> Any:
    """Return what a place has in common with others that make something of the same value."""
    return case.circuit.steps[site[0]].parents, site[1]
