"""An expression of the reader's own: its graph against what Python makes of it with Values."""

import ast

import numpy as np
import pytest
from playing import Played

from backprop_book import Value

FORKS = "c = a + b; d = a * b; e = c + d; f = c * d; e + f"
UNIT = "z = w01 + w21; p = v1 * relu(z); p**2 / 2"
MICROGRAD = (
    "c = 2*(a+b)+1; c = c + 1 + c - a; d = a*b + b**3; d = 3*d + relu(a+b); "
    "d = 4*d + relu(b-a); f = (c-d)**2; f/2 + 10/f"
)
NUMBERS = {"a": 2.0, "b": 3.0, "x": 3.0}
REFUSED = {
    "a + )": (4, ") stands where a number, a name or a bracket should be"),
    "a +": (3, "the formula ends where a number"),
    "": (0, "nothing stands where a number"),
    "(a + b": (6, "the formula ends where an operation or ) should be"),
    "2a": (1, "a stands where an operation should be"),
    "a ^ 2": (2, "a power is written **"),
    "a % 2": (2, "% is not understood"),
    "sin(a)": (0, "sin is not a function that is known here: relu, tanh,"),
    "3 + exp a": (8, "a stands where the bracket of exp should be"),
    "b / (a - 2)": (2, "this divides by 0"),
    "b * log(-a)": (4, "the logarithm is of -2; it should be of a positive number"),
    "(-a)**0.5": (4, "the base is -2; to the power of 0.5 it should not be negative"),
    "(-a)**b": (4, "the base is -2; with names in the exponent it should be positive"),
    "0**-a": (1, "the base is 0"),
    "exp(500*a)": (0, "the result is too large"),
}


@pytest.fixture(scope="module")
def played(browser, address):
    page = browser.new_page(reduced_motion="reduce")
    yield Played(page, f"{address}part-2/07-forks/", "expression")
    page.close()


def lifted(value):
    return value if isinstance(value, Value) else Value(value)


def function(name):
    return lambda value: getattr(lifted(value), name)()


def evaluated(text, numbers):
    """Return the Value that Python makes of an expression, after its backward."""
    names = {name: function(name) for name in ("relu", "tanh", "exp", "log", "sigmoid")}
    names |= {name: Value(number) for name, number in numbers.items()}
    *statements, last = ast.parse(text.replace("; ", "\n")).body
    exec(compile(ast.Module(statements, []), "statements", "exec"), names)
    output = lifted(eval(compile(ast.Expression(last.value), "last", "eval"), names))
    output.backward()
    return output


def graph_of(output):
    """Return the values and gradients of all nodes, and what goes both ways along all edges."""
    nodes = output.history()
    nodes_of_edges = [
        (parent.data, node.grad * slope)
        for node in nodes
        for parent, slope in [(node.left, node.left_slope), (node.right, node.right_slope)]
        if parent is not None
    ]
    forward, back = np.reshape(nodes_of_edges, (-1, 2)).T
    return [[n.data for n in nodes], [n.grad for n in nodes], forward, back]


def shown(played):
    """Return the same as it is drawn, apart from the arrow that leaves the output."""
    values, gradients, forward, back = (
        played.figure.locator(f"[data-{name}]").evaluate_all(
            f"all => all.map((it) => it.dataset.{name} * 1)"
        )
        for name in ("value", "gradient", "forward", "back")
    )
    assert (forward[-1], back[-1]) == (values[-1], 1)
    return [values, gradients, forward[:-1], back[:-1]]


def draw(played, text):
    played.figure.get_by_label("expression", exact=True).fill(text)
    played.press("Draw it")


def assert_same(found, expected):
    for some, others in zip(found, expected, strict=True):
        np.testing.assert_allclose(some, others, rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize(
    "text",
    [
        FORKS,
        MICROGRAD,
        "x * x",
        "x + x",
        "-a**2 + 2**-b",
        "2**b**2 / a - 3 - 1",
        "a**0.5 * 4e-1 - .5 * log(b) / tanh(a) * sigmoid(-a) ** b",
        "u = exp(a / 4); s = u + u*u; exp(s / 9) + relu(s - 3)",
        "2 * 3 + (a * 1)",
    ],
)
def test_the_graph_is_the_one_that_the_package_records(played, text):
    draw(played, text)
    played.press("To the end")
    assert_same(shown(played), graph_of(evaluated(text, NUMBERS)))
    assert "That was the last." in played.remark
    assert played.faults == []


def random_expression(rng, depth):
    kind = rng.integers(9) if depth else 9
    one, other = (random_expression(rng, depth - 1) if kind < 9 else "" for _ in range(2))
    leaf = str(rng.choice([*"abx", "2", "0.5", "1.5e-1"]))
    forms = [f"{one} + {other}", f"{one} - {other}", f"{one} * {other}", f"-{one}"]
    forms += [f"({one} - {other}) / ({other} * {other} + 1)", f"({one})**3", f"({one})**2"]
    forms += [f"tanh({one}) * relu({other})", f"exp(sigmoid({one})) ** ({other})", leaf]
    return forms[kind]


def test_random_expressions_are_understood_as_python_does(played, address):
    rng = np.random.default_rng(0)
    texts = [random_expression(rng, int(depth)) for depth in rng.integers(1, 5, size=200)]
    found = played.page.evaluate(
        """async ([folder, texts, numbers]) => {
          const { read } = await import(`${folder}formula.js`);
          const { sweep, total } = await import(`${folder}values.js`);
          return texts.map((text) => {
            const output = read(text, (name) => numbers[name]), { received } = sweep(output);
            return output.history().map((value) => [value.data, total(received.get(value))]);
          });
        }""",
        [f"{address}assets/explorables/", texts, numbers := {"a": 0.7, "b": -0.4, "x": 1.3}],
    )
    assert len({len(nodes) for nodes in found}) > 20
    for text, nodes in zip(texts, found, strict=True):
        expected = graph_of(evaluated(text, numbers))[:2]
        np.testing.assert_allclose(
            nodes, np.transpose(expected), rtol=1e-9, atol=1e-12, err_msg=text
        )


def test_it_knows_what_is_not_understood_and_where(played, address):
    found = played.page.evaluate(
        """async ([url, texts, numbers]) => {
          const { read } = await import(url);
          return texts.map((text) => {
            try {
              return read(text, (name) => numbers[name]).data;
            } catch ({ start, message }) {
              return [start, message];
            }
          });
        }""",
        [f"{address}assets/explorables/formula.js", list(REFUSED), NUMBERS],
    )
    for (start, message), (expected, begins) in zip(found, REFUSED.values(), strict=True):
        assert (start, message[: len(begins)]) == (expected, begins)


@pytest.mark.parametrize(
    ("text", "said", "marked"),
    [
        ("a + 3 % b", "At character 7, % is not understood: a + 3 % b", "%"),
        ("b - log(a - 2)", "At character 5, the logarithm is of 0; it should be of", "log"),
        ("+".join(["a*b"] * 31), "At character 1, 63 nodes are more", "+".join(["a*b"] * 31)),
    ],
)
def test_it_says_so_in_place_of_the_graph(played, text, said, marked):
    draw(played, text)
    assert played.remark.startswith(said)
    assert played.figure.locator("mark").inner_text() == marked
    assert played.figure.locator("[data-value]").count() == 0
    draw(played, "x * x")
    assert played.figure.locator("mark").count() == 0
    assert played.faults == []


def test_a_node_waits_for_all_its_uses(played):
    draw(played, FORKS)
    told = []
    for _ in range(5):
        played.press("Step backwards")
        told.append(played.remark)
    assert "Another use of c and of d has yet to deliver" in told[1]
    assert told[3].startswith("d adds up 5 + 1 = 6 from its 2 uses, and passes on 6 · 3 = 18 to a")
    assert "Another use of a and of b has yet to deliver" in told[3]
    assert told[4].startswith("c adds up 6 + 1 = 7 from its 2 uses, and passes on 7 · 1 = 7 to a")
    texts = played.figure.locator(".canvas text.fresh").all_text_contents()
    assert {"18 + 7", "= 25", "12 + 7", "= 19"} <= set(texts)
    played.press("Undo")
    assert played.remark == told[3]
    assert "18 + …" in played.figure.locator(".canvas text.fresh").all_text_contents()


def test_a_number_can_be_changed_on_the_way(played):
    draw(played, FORKS)
    played.press("To the end")
    played.figure.get_by_label("a", exact=True).fill("-1.5")
    assert_same(shown(played), graph_of(evaluated(FORKS, NUMBERS | {"a": -1.5})))
    played.figure.get_by_label("a", exact=True).fill("2")


def test_a_unit_of_the_network_stands_in_chapter_15(browser, address):
    page = browser.new_page(reduced_motion="reduce", viewport={"width": 360, "height": 740})
    played = Played(page, f"{address}part-4/15-scalar-engine/", "expression")
    played.press("To the end")
    numbers = {"w01": 0.441, "w21": 0.078, "v1": 0.756}
    assert_same(shown(played), graph_of(evaluated(UNIT, numbers)))
    played.figure.get_by_label("w01", exact=True).fill("-1")
    assert shown(played)[1][:3] == [0, 0, 0]
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    box = played.figure.get_by_role("group", name="The graph")
    assert box.evaluate("it => it.scrollWidth > it.clientWidth && it.tabIndex") == 0
    page.close()


def test_no_node_covers_another(played):
    for text in (FORKS, MICROGRAD, "relu(a*b + x*x + a) * b - tanh(a)"):
        draw(played, text)
        boxes = played.figure.locator("rect.node").evaluate_all(
            """all => all.map(({ x, y, width, height }) =>
              [x, y, width, height].map((it) => it.baseVal.value))"""
        )
        left, top, width, height = np.transpose(boxes)
        apart = (left[:, None] >= left + width) | (top[:, None] >= top + height)
        assert (apart | apart.T | np.eye(len(boxes), dtype=bool)).all()
