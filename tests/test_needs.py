"""Which earlier snippets a snippet needs: all that it needs, and no other."""

from dataclasses import dataclass

import pytest

from press.needs import needs


@dataclass(frozen=True)
class Case:
    """The snippets of a page, and the indices of those that the last of them needs."""

    name: str
    snippets: tuple[str, ...]
    needed: list[int]


def case(name: str, *snippets: str, needed: list[int]) -> "object":
    return pytest.param(Case(name, snippets, needed), id=name.replace(" ", "-"))


UNRELATED = "other = 7\nprint(other)"

ASSIGNMENT = [
    case("nothing", UNRELATED, "print(1 + 1)", needed=[]),
    case("the one that binds it", "w = 1", UNRELATED, "print(w)", needed=[0]),
    case("what that one needs in turn", "a = 1", UNRELATED, "b = a + 1", "print(b)", needed=[0, 2]),
    case("the last of two", "w = 1", "w = 2", "print(w)", needed=[1]),
    case("a rebinding that reads", "w = 1", "w = w + 1", "print(w)", needed=[0, 1]),
    case("its own first", "w = 1", "w = 2\nprint(w)", needed=[]),
    case("its own too late", "w = 1", "print(w)\nw = 2", needed=[0]),
    case("augmented", "w = 1", "w += 1", UNRELATED, "print(w)", needed=[0, 1]),
    case("augmented here", "w = 1", UNRELATED, "w += 1\nprint(w)", needed=[0]),
    case("augmented after it was bound", "w = 1", "w = 2\nw += 1", "print(w)", needed=[1]),
    case("an element", "d = {}", "d['a'] = 1", UNRELATED, "print(d)", needed=[0, 1]),
    case("an element of an element", "d = [[0]]", "d[0][0] = 1", "print(d)", needed=[0, 1]),
    case("an element augmented", "d = [0]", "d[0] += 1", "print(d)", needed=[0, 1]),
    case("a slice", "d = [0]", "d[:] = [1]", "print(d)", needed=[0, 1]),
    case("the index is read", "i = 0", "d = [0]", "d[i] = 1", "print(d)", needed=[0, 1, 2]),
    case("an attribute", "from x import a", "a.b = 1", "print(a)", needed=[0, 1]),
    case("an element deleted", "d = {1: 1}", "del d[1]", "print(d)", needed=[0, 1]),
    case("a name deleted and bound again", "d = 1", "del d", "d = 2", "print(d)", needed=[2]),
    case("unpacked", "a, (b, *c) = 1, (2, 3)", UNRELATED, "print(c)", needed=[0]),
    case("chained", "a = b = 1", UNRELATED, "print(b)", needed=[0]),
    case("swapped", "a, b = 1, 2", "a, b = b, a", "print(a)", needed=[0, 1]),
    case("annotated", "w: float = 1.0", UNRELATED, "print(w)", needed=[0]),
    case("walrus", "if (n := 3) > 2:\n    print(n)", UNRELATED, "print(n)", needed=[0]),
    case("walrus in a comprehension", "print([n := i for i in range(3)])", "print(n)", needed=[0]),
    case("f-string", "w = 1", UNRELATED, "print(f'{w:.2f}')", needed=[0]),
    case("the width in an f-string", "n = 8", UNRELATED, "print(f'{1:{n}}')", needed=[0]),
    case("a name in a string", "w = 1", "print('w')", needed=[]),
    case("a keyword argument's name", "end = 1", "print(1, end='')", needed=[]),
    case("an attribute's name", "T = 1", "x = 2", "print(x.T)", needed=[1]),
]

METHODS = [
    *(
        case(f"method {name}", "d = new()", f"d.{name}()", UNRELATED, "print(d)", needed=[0, 1])
        for name in ("append", "extend", "insert", "update", "pop", "sort", "add", "clear", "fill")
    ),
    case("a method that reads", "d = [1]", "print(d.count(1))", "print(d)", needed=[0]),
    case("a method of an element", "d = {}", "d['a'].append(1)", "print(d)", needed=[0, 1]),
    case("next", "i = iter([1, 2])", "print(next(i))", "print(next(i))", needed=[0, 1]),
    case("next on a list's own iterator", "i = make()", "next(i)", "print(i)", needed=[0, 1]),
    case(
        "an iterator gone through", "i = zip([1])", "for j in i:\n    1", "print(i)", needed=[0, 1]
    ),
    case(
        "a generator expression", "i = (j for j in [1])", "print(sum(i))", "sum(i)", needed=[0, 1]
    ),
    case(
        "an append in a comprehension", "d = []", "[d.append(i) for i in 'a']", "d", needed=[0, 1]
    ),
]

SHARING = [
    case("a copy", "X = new()", "c = X.copy()", "c[0] = 1", "print(X)", needed=[0]),
    case("a shape", "X = new()", "n = X.shape[0]", "n += 1", "print(X)", needed=[0]),
    case("bound anew before", "a = [0]", "b = a", "b = [1]", "b[0] = 1", "print(a)", needed=[0]),
    case("numbers in a loop", "n = 3", "for i in range(n):\n    total = i", "print(n)", needed=[0]),
]

FUNCTIONS = [
    case("a function", "def f():\n    return 1", UNRELATED, "print(f())", needed=[0]),
    case("its helper, before", "h = abs", "def f():\n    return h(1)", "print(f())", needed=[0, 1]),
    case("its helper, after", "def f():\n    return h(1)", "h = abs", "print(f())", needed=[0, 1]),
    case(
        "a helper's helper",
        "def f():\n    return g()",
        "def g():\n    return h",
        UNRELATED,
        "h = 1",
        "print(f())",
        needed=[0, 1, 3],
    ),
    case("one that only defines", "h = 1", UNRELATED, "def f():\n    return h", needed=[0]),
    case("recursion", "def f(n):\n    return n and f(n - 1)", "print(f(3))", needed=[0]),
    case("redefined", "def f():\n    return 1", "def f():\n    return 2", "print(f())", needed=[1]),
    case("an argument shadows", "x = 1", "def f(x):\n    return x", "print(f(2))", needed=[1]),
    case("a local shadows", "x = 1", "def f():\n    x = 2\n    return x", "print(f())", needed=[1]),
    case("a lambda's argument shadows", "x = 1", "f = lambda x: x", "print(f(2))", needed=[1]),
    case("a comprehension's target shadows", "x = 1", "print([x for x in 'ab'])", needed=[]),
    case("and its first iterable does not", "x = 'ab'", "print([x for x in x])", needed=[0]),
    case("a comprehension's condition", "k = 1", "print([x for x in 'ab' if k])", needed=[0]),
    case("a nested comprehension", "m = [[1]]", "print([y for x in m for y in x])", needed=[0]),
    case("a dict comprehension", "v = 1", "print({k: v for k in 'ab'})", needed=[0]),
    case("a comprehension binds nothing", "x = 1", "[x for x in 'ab']", "print(x)", needed=[0]),
    case("a loop in a function shadows", "i = 1", "def f():\n    for i in 'a':\n        i", "f()",
         needed=[1]),
    case("a default", "x = 1", "def f(a=x):\n    return a", "print(f())", needed=[0, 1]),
    case("a default is read at once", "x = 1", "def f(a=x):\n    return a", "x = 2", "print(f())",
         needed=[0, 1]),
    case("an annotation", "T = int", "def f(a: T) -> T:\n    return a", "print(f(1))",
         needed=[0, 1]),
    case("a decorator", "def d(f):\n    return f", "@d\ndef f():\n    return 1", "print(f())",
         needed=[0, 1]),
    case("a lambda", "h = 1", "f = lambda: h", UNRELATED, "print(f())", needed=[0, 1]),
    case("a lambda's helper, after", "f = lambda: h", "h = 1", "print(f())", needed=[0, 1]),
    case("a lambda handed on", "k = 1", "print(sorted('ab', key=lambda c: k))", needed=[0]),
    case("a lambda in a dict", "ops = {'a': lambda: h}", "h = 1", "print(ops['a']())",
         needed=[0, 1]),
    case("a function that is not called changes nothing",
         "d = []", "def f():\n    d.append(1)", "print(d)", needed=[0]),
    case("a function that changes a copy",
         "w = new()", "def f(w):\n    w = w - 1\n    return w", "print(f(w))", "print(w)",
         needed=[0]),
]  # fmt: skip

COMPOUND = [
    case("a loop", "for i in 'ab':\n    last = i", UNRELATED, "print(last)", needed=[0]),
    case("a loop's target", "for i in 'ab':\n    print(i)", UNRELATED, "print(i)", needed=[0]),
    case("a loop over its own name", "x = 'ab'", "for x in x:\n    print(x)", needed=[0]),
    case("a loop that carries on", "w = 1", "for i in 'a':\n    w = w + 1", "print(w)",
         needed=[0, 1]),
    case("a loop that begins anew", "w = 1", "w = 0\nfor i in 'a':\n    w = w + 1", "print(w)",
         needed=[1]),
    case("while", "n = 3", UNRELATED, "while n:\n    n = n - 1", needed=[0]),
    case("if, which may not bind", "w = 1", "if 1 > 2:\n    w = 2", "print(w)", needed=[0, 1]),
    case("if, and then read here", "w = 1", "if 1 > 2:\n    w = 2\nprint(w)", needed=[0]),
    case("with", "with open('a') as file:\n    text = file", UNRELATED, "print(text)", needed=[0]),
    case("with's own name", "file = 1", "with open('a') as file:\n    print(file)", needed=[]),
    case("try", "w = 1", "try:\n    print(w)\nexcept ValueError as error:\n    print(error)",
         needed=[0]),
    case("try, which may not bind", "w = 1", "try:\n    w = 2\nexcept ValueError:\n    pass",
         "print(w)", needed=[0, 1]),
    case("finally", "try:\n    pass\nfinally:\n    w = 1", UNRELATED, "print(w)", needed=[0]),
    case("match", "v = 1", "match v:\n    case [a, b]:\n        print(a)", needed=[0]),
    case("assert", "w = 1", UNRELATED, "assert w == 1", needed=[0]),
]  # fmt: skip

CLASSES = [
    case("a class", "class A:\n    pass", UNRELATED, "print(A())", needed=[0]),
    case("a base", "class A:\n    pass", "class B(A):\n    pass", "print(B())", needed=[0, 1]),
    case("a name of the class's own", "n = 1", "class A:\n    n = 2\n    m = n", "print(A.m)",
         needed=[1]),
    case("a field's default", "n = 1", "class A:\n    m: int = n", "print(A.m)", needed=[0, 1]),
    case("a method that changes nothing",
         "class A:\n    def m(self):\n        return self.n\n    def k(self):\n        self.n = 1",
         "a = A()", "print(a.m())", "print(a)", needed=[0, 1]),
]  # fmt: skip

IMPORT = "import numpy as np"
RNG = "rng = np.random.default_rng(0)"

RANDOMNESS = [
    case("an import", IMPORT, UNRELATED, "print(np.pi)", needed=[0]),
    case("of a part", "import a.b", UNRELATED, "print(a.b.c)", needed=[0]),
    case("from", "from a import b as c", UNRELATED, "print(c)", needed=[0]),
    case("each draw", IMPORT, RNG, "print(rng.normal())", "print(rng.normal())", needed=[0, 1, 2]),
    case("a draw whose result is not used", IMPORT, RNG, "x = rng.normal()", "print(rng.normal())",
         needed=[0, 1, 2]),
    case("not what was drawn before a new seed", IMPORT, RNG, "print(rng.normal())",
         f"{RNG}\nprint(rng.normal())", needed=[0]),
    case("not what was drawn before a new seed, two on",
         IMPORT, RNG, "print(rng.normal())", RNG, "print(rng.normal())", needed=[0, 3]),
    case("a generator handed on", IMPORT, RNG, "x = shuffled(rng)", "print(rng.normal())",
         needed=[0, 1, 2]),
    case("a function whose argument is called rng", IMPORT, RNG,
         "def draw(rng):\n    return rng.normal()", "print(rng.normal())", needed=[0, 1]),
    case("two generators", IMPORT, RNG, "other = np.random.default_rng(1)", "rng.normal()",
         "print(other.normal())", needed=[0, 2]),
    case("a generator function", "def count():\n    yield 1", "c = count()", "print(next(c))",
         "print(list(c))", needed=[0, 1, 2]),
    case("the global generator", IMPORT, "np.random.seed(0)", "print(np.random.rand())",
         "print(np.random.rand())", needed=[0, 1, 2]),
]  # fmt: skip

ALL = [*ASSIGNMENT, *METHODS, *SHARING, *FUNCTIONS, *COMPOUND, *CLASSES, *RANDOMNESS]


@pytest.mark.parametrize("page", ALL)
def test_what_the_last_snippet_needs(page: Case) -> None:
    assert needs(list(page.snippets))[-1] == page.needed


def test_every_snippet_of_a_page_is_told() -> None:
    page = ["w = 1", "x = 2", "w = w + x", "print(x)", "print(w)"]
    assert needs(page) == [[], [], [0, 1], [1], [0, 1, 2]]


def test_a_page_without_snippets() -> None:
    assert needs([]) == []


def test_many_functions_that_call_each_other_take_no_time() -> None:
    names = [f"f{i}" for i in range(40)]
    body = " + ".join(f"{name}()" for name in names)
    page = [f"def {name}():\n    return {body}" for name in names]
    assert needs([*page, "print(f0())"])[-1] == list(range(40))
