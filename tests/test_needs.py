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
    case("a draft of its own name",
         "class A:\n    pass", UNRELATED, "class A(A):\n    pass", "print(A())", needed=[0, 2]),
    case("what a draft's methods read, later", "class A:\n    def m(self):\n        return h",
         "h = 1", "class A(A):\n    pass", "print(A().m())", needed=[0, 1, 2]),
    case("what a draft's methods read, and the class extended at once", "h = 1",
         "class A:\n    def m(self):\n        return h\nclass A(A):\n    pass", "print(A().m())",
         needed=[0, 1]),
    case("not what a class of the same name read", "class A:\n    def m(self):\n        return h",
         "h = 1", "class A:\n    pass", "print(A())", needed=[2]),
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

A_B = "from engine import Value\na, b = Value(2), Value(3)"
LOSS = "loss = a * b"
MODEL = "from engine import Model\nmodel = Model(3)"
TENSOR = "from engine import Tensor\nx = load()\nw = Tensor(start())"

ENGINES = [
    case("backward changes what the loss was made from",
         A_B, LOSS, UNRELATED, "loss.backward()", "print(a.grad)", needed=[0, 1, 3]),
    case("through many steps", A_B, "c = a * b", "d = c + 1", "d.backward()", "print(a)",
         needed=[0, 1, 2, 3]),
    case("and what it was called on", A_B, LOSS, "loss.backward()", "print(loss.grad)",
         needed=[0, 1, 2]),
    case("backward within an expression", A_B, "print((a * b).backward())", "print(a.grad)",
         needed=[0, 1]),
    case("backward is not called", A_B, LOSS, "print(loss.backward)", "print(a.grad)", needed=[0]),
    case("not what another loss was made from",
         A_B, "c = a * 2", "d = b * 2", "d.backward()", "print(a.grad)", needed=[0]),
    case("not after it was bound anew", A_B, LOSS, "loss.backward()", "a = Value(5)",
         "print(a.grad)", needed=[0, 3]),
    case("not what its name was bound to later", A_B, LOSS, "a = Value(5)", "loss.backward()",
         "print(a.grad)", needed=[0, 2]),
    case("what a name between was made from, though that is bound anew",
         A_B, "c = a * 2", "loss = c * 2", "c = 1", "loss.backward()", "print(a.grad)",
         needed=[0, 1, 2, 4]),
    case("a loss that grows", A_B, "loss = Value(0)", "for x in 'ab':\n    loss = loss + a",
         "loss.backward()", "print(a.grad)", needed=[0, 1, 2, 3]),
    case("a loss that is made from itself", A_B, "loss = a * 1", "loss = loss * b",
         "loss.backward()", "print(a.grad)", needed=[0, 1, 2, 3]),
    case("adding to a loss leaves its parts alone", A_B, "loss = a * 1", "loss += b", "print(a)",
         needed=[0]),
    case("backward twice", A_B, LOSS, "loss.backward()", "loss.backward()", "print(a.grad)",
         needed=[0, 1, 2, 3]),
    case("not the numbers", "k = 2", A_B, "loss = a * k", "loss.backward()", "print(k)",
         needed=[0]),
    case("not the data", TENSOR, "loss = mean(Tensor(x) * w)", "loss.backward()", "print(x)",
         needed=[0]),
    case("but what it may be, a function having made it",
         "from engine import leaf\na = leaf(2)", "loss = a * 2", "loss.backward()",
         "print(a.grad)", needed=[0, 1, 2]),
    case("not the functions", A_B, "def f(x):\n    return x * 2", "loss = f(a)", "loss.backward()",
         "print(f)", needed=[1]),
    case("not what another call of a lambda made", "from engine import Value",
         "f = lambda x: Value(x)", "y = f(1)", "z = f(2)", "y.backward()", "print(z)",
         needed=[0, 1, 3]),
    case("not what the same builtin made", A_B, "for n, p in zip('ab', [a, b]):\n    p.grad = 0",
         "x = list(zip('ab', 'cd'))", "loss = f(a, x)", "loss.backward()", "print(x)", needed=[2]),
    case("not the classes", A_B, LOSS, "loss.backward()", "print(Value(1))", needed=[0]),
    case("what a function reads", A_B, "def f(x):\n    return x * a", "loss = f(1)",
         "loss.backward()", "print(a.grad)", needed=[0, 1, 2, 3]),
    case("a loss of a function that makes values",
         "class Value:\n    pass", "def leaf(x):\n    return Value()", "a = leaf(1)",
         "loss = a * 2", "loss.backward()", "print(a)", needed=[0, 1, 2, 3, 4]),
    case("a list of them, made later", A_B, LOSS, "loss.backward()", "params = [a, b]",
         "print(params)", needed=[0, 1, 2, 3]),
    case("a list of them, made before", A_B, "params = [a, b]", LOSS, "loss.backward()",
         "print([p.grad for p in params])", needed=[0, 1, 2, 3]),
    case("a list that they were put into", A_B, "params = []\nparams.append(a)", LOSS,
         "loss.backward()", "print(params)", needed=[0, 1, 2, 3]),
    case("a dict that they were put into", A_B, "params = {}\nparams['a'] = a", LOSS,
         "loss.backward()", "print(params)", needed=[0, 1, 2, 3]),
    case("a model", MODEL, "loss = model(1)", "loss.backward()", "print(model.w.grad)",
         needed=[0, 1, 2]),
    case("a model's parameters, named before",
         MODEL, "params = model.parameters()", "loss = model(1)", "loss.backward()",
         "print(params)", needed=[0, 1, 2, 3]),
    case("a model that was called in a comprehension",
         MODEL, "losses = [model(x) for x in 'ab']", "total = sum(losses)", "total.backward()",
         "print(model)", needed=[0, 1, 2, 3]),
    case("an attribute", A_B, "a.data = 5", UNRELATED, "print(a)", needed=[0, 1]),
    case("an attribute augmented", A_B, "a.data -= 0.1 * b.grad", "print(a)", needed=[0, 1]),
    case("and not what it was told from", A_B, "a.data -= 0.1 * b.grad", "print(b)", needed=[0]),
    case("an attribute of an element", A_B, "p = [a, b]", "p[0].grad = None", "print(a)",
         needed=[0, 1, 2]),
    case("an element of an attribute", A_B, "p = [a]", "p[0].data[0] += 1", "print(a)",
         needed=[0, 1, 2]),
    case("an attribute of what a list holds", A_B, "p = [a, b]", "a.grad = None", "print(p[0])",
         needed=[0, 1, 2]),
    case("an attribute of each", A_B, "for p in [a, b]:\n    p.data -= p.grad", "print(a)",
         needed=[0, 1]),
    case("an attribute of each of a model's",
         MODEL, "for p in model.parameters():\n    p.grad = None", "print(model)", needed=[0, 1]),
    case("of each, in pairs", MODEL, "for n, p in enumerate(model.w):\n    p.data = n",
         "print(model)", needed=[0, 1]),
    case("of each, a function having made them",
         "from engine import leaves\nparams = leaves(2)", "loss = sum(params)", "loss.backward()",
         "for p in params:\n    p.data -= p.grad", "print(params)", needed=[0, 1, 2, 3]),
    case("each changed in place", MODEL, "for p in model.parameters():\n    p -= 1",
         "print(model)", needed=[0, 1]),
    case("a second name", A_B, "c = a", "c.data = 5", "print(a)", needed=[0, 1, 2]),
    *(
        case(f"{call} of one", A_B, f"a.{call}", UNRELATED, "print(a.grad)", needed=[0, 1])
        for call in ("zero_grad()", "retain_grad()", "register_hook(print)", "requires_grad_()")
    ),
    case("zero_grad of each", MODEL, "[p.zero_grad() for p in model.parameters()]", "print(model)",
         needed=[0, 1]),
    case("a fill in place of a gradient", A_B, "a.grad.zero_()", "print(a)", needed=[0, 1]),
    case("a step of an optimiser", "import torch\nw = torch.ones(3)", "adam = Adam([w])",
         "adam.step()", "print(w)", needed=[0, 1, 2]),
    case("a tape", A_B, "from engine import Tape", "with Tape() as tape:\n    loss = f(tape, a)",
         "loss.backward()", "print(tape)", needed=[0, 1, 2, 3]),
    case("a hook's list", A_B, "seen = []", "a.register_hook(lambda g: seen.append(g))", LOSS,
         "loss.backward()", "print(seen)", needed=[0, 1, 2, 3, 4]),
    case("a hook's own method", A_B, "seen = []", "a.register_hook(seen.append)", LOSS,
         "loss.backward()", "print(seen)", needed=[0, 1, 2, 3, 4]),
    case("a hook's function", A_B, "seen = []", "def note(g):\n    seen.append(g)",
         "a.register_hook(note)", LOSS, "loss.backward()", "print(seen)",
         needed=[0, 1, 2, 3, 4, 5]),
    case("either of two", A_B, "c = a * 1", "if 1 > 2:\n    c = b * 1", "c.backward()",
         "print(a.grad)", needed=[0, 1, 2, 3]),
    case("what a lambda reads", A_B, "f = lambda x: x * a", "loss = f(1)", "loss.backward()",
         "print(a.grad)", needed=[0, 1, 2, 3]),
    case("what a function asks for its gradient",
         "from engine import leaf\na = leaf(2)", "def slope():\n    return a.grad", "loss = a * 2",
         "loss.backward()", "print(slope())", needed=[0, 1, 2, 3]),
    case("a function that binds its argument anew",
         A_B, "def f(x):\n    x = Value(1)\n    x.backward()", "f(a)", "print(a)", needed=[0]),
    case("a function that has a name of its own",
         A_B, "def f(x):\n    a = x * 2\n    a.backward()", "f(b)", "print(a)", needed=[0]),
    case("a function that calls backward", A_B, "def step(x):\n    (x * a).backward()", "step(b)",
         "print(b.grad)", "print(a.grad)", needed=[0, 1, 2]),
    case("a function that calls it through another", A_B, "def step(x):\n    x.backward()",
         "def run(x):\n    step(x)", "run(b)", "print(b.grad)", needed=[0, 1, 2, 3]),
    case("a function that assigns to attributes", MODEL,
         "def move(m):\n    for p in m.parameters():\n        p.data -= p.grad", "move(model)",
         "print(model)", needed=[0, 1, 2]),
    case("a function that changes what it reads",
         A_B, "def step():\n    (a * 2).backward()", "step()", "print(a.grad)", needed=[0, 1, 2]),
    case("a function within a function", A_B,
         "def run(x):\n    def step(y):\n        y.backward()\n    step(x)", "run(b)",
         "print(b.grad)", needed=[0, 1, 2]),
    case("a function that counts", A_B,
         "def run(x):\n    n = 0\n    def step():\n        nonlocal n\n        n += 1\n"
         "        x.backward()\n    step()", "run(b)", "print(b.grad)", needed=[0, 1, 2]),
    case("not the other arguments' likes", A_B, "def step(x):\n    x.backward()", "c = a * 2",
         "step(b)", "print(c)", needed=[0, 2]),
    case("a function that makes one, and sets its attributes",
         "class Value:\n    pass",
         "def made(data, of):\n    value = new(Value)\n    value.data, value.of = data, of\n"
         "    value.grad = 0\n    return value",
         "a = made(2, None)", "b = made(3, a)", "print(a)", needed=[0, 1, 2]),
    case("a function that puts into a dict", "class Graph:\n    pass", "graph = Graph()",
         "def count(edges, total):\n    total[1] = edges", "count(graph.edges, {})",
         "print(graph)", needed=[0, 1]),
    case("a class that reads what the page made", "from engine import Flag\nflag = Flag()",
         "class Value:\n    def add(self):\n        return flag", "a = Value()", "a.backward()",
         "print(flag)", needed=[0]),
    case("a list of what a function made", "y = load()\ndef losses():\n    return f(y)",
         "for loss in losses():\n    loss.backward()", "print(y)", needed=[0]),
    case("not what its name held before", "y = load()", "a = f(y)",
         "from engine import Value\ny = Value(1)\ny.backward()", "print(a)", "y = g(a)\nprint(y)",
         needed=[0, 1]),
    case("not what a list of lists once read", A_B, "g = [a]", "c = [x for x in g]",
         "c = Value(1)", "c.backward()", "print(g)", needed=[0, 1]),
    case("a function that changes its own", TENSOR,
         "def fit(x):\n    w = Tensor(x)\n    w.backward()\n    return w", "v = fit(x)", "print(x)",
         needed=[0]),
    case("a backward that was returned", IMPORT, "x = np.ones(3)", "loss, backward = f(x)",
         "dx = backward(1.0)", "print(x)", needed=[0, 1]),
]  # fmt: skip

ALL = [*ASSIGNMENT, *METHODS, *SHARING, *FUNCTIONS, *COMPOUND, *CLASSES, *RANDOMNESS, *ENGINES]


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
