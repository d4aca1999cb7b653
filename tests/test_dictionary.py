"""Chapter 23's dictionary: every name in it exists, and the verbs of PyTorch are all there."""

import ast
import builtins
import re
from collections.abc import Iterator
from types import SimpleNamespace

import numpy as np
import pytest

import backprop_book
from backprop_book import Tensor
from press.book import DOCS

PAGE = DOCS / "part-4" / "23-pytorch-and-jax.md"
CODE = re.compile(r"`([^`]+)`")
OURS, PYTORCH, JAX = range(3)

VERBS = """
    torch.tensor torch.from_numpy torch.nn.Parameter requires_grad requires_grad_ grad_fn is_leaf
    next_functions data numpy item clone detach backward grad zero_grad zero_ retain_grad
    retain_graph create_graph register_hook set_to_none torch.autograd.grad torch.no_grad
    torch.enable_grad torch.set_grad_enabled torch.inference_mode torch.autograd.Function
    torch.utils.checkpoint.checkpoint torch.func.grad torch.func.vjp torch.func.jvp
    torch.func.vmap torch.func.jacrev torch.func.jacfwd torch.func.hessian
    torch.func.functional_call torch.compile torch.autograd.gradcheck
    torch.autograd.set_detect_anomaly torch.nn.Module parameters named_parameters state_dict
    load_state_dict train eval torch.optim.SGD step torch.manual_seed torch.Generator
    torch.set_default_dtype float double to cpu cuda torch.nn.Linear F.cross_entropy
    F.mse_loss torch.utils.data.DataLoader
"""


def cells(column: int) -> list[str]:
    """Return what stands in a column of the tables that begin with our names."""
    found, inside = [], False
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        inside = line.startswith("| ours |") or (inside and line.startswith("|"))
        if inside and not line.startswith(("| ours |", "|---")):
            found.append(line.strip("|").split("|")[column])
    return found


def snippets(column: int) -> list[str]:
    return sorted({code for cell in cells(column) for code in CODE.findall(cell)})


def chains(code: str) -> Iterator[list[str]]:
    """Yield each `a.b.c` in a piece of code as its names, the longest of each only."""
    nodes = list(ast.walk(ast.parse(code)))
    inner = {id(node.value) for node in nodes if isinstance(node, ast.Attribute)}
    for node in nodes:
        names, part = [], node
        while isinstance(part, ast.Attribute):
            names.append(part.attr)
            part = part.value
        if isinstance(part, ast.Name) and id(node) not in inner:
            yield [part.id, *reversed(names)]


def follow(chain: list[str], known: dict[str, object]) -> None:
    """Look up a chain of names, or do nothing where its first is of no library."""
    if chain[0] not in known:
        assert len(chain) == 1, f"{chain[0]} is nothing that the dictionary tells of"
        return
    value = known[chain[0]]
    for name in chain[1:]:
        value = getattr(value, name)


def swept(leaf: object) -> object:
    """Return a leaf after a sweep, so that it has a gradient."""
    (leaf * leaf).sum().backward()
    return leaf


@pytest.mark.parametrize("code", snippets(OURS))
def test_ours(code):
    w = swept(Tensor(np.ones(2), requires_grad=True))
    known = {"t": w * w, "loss": (w * w).sum(), "w": w, "np": np}
    for chain in chains(code):
        follow(chain, known)
    called = {n.func.id for n in ast.walk(ast.parse(code))
              if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}  # fmt: skip
    assert called <= {*backprop_book.__all__, *dir(builtins)}


@pytest.mark.parametrize("code", snippets(PYTORCH))
def test_pytorch(code):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install torch")
    pytest.importorskip("torch.utils.checkpoint")
    w = swept(torch.ones(2, requires_grad=True))
    module = torch.nn.Linear(2, 2)
    known = {"torch": torch, "F": torch.nn.functional, "t": w * w, "loss": (w * w).sum(), "w": w}
    known |= {"module": module, "optimizer": torch.optim.SGD(module.parameters())}
    for chain in chains(code):
        follow(chain, known)


@pytest.mark.parametrize("code", snippets(JAX))
def test_jax(code):
    jax = pytest.importorskip("jax", reason="JAX is not installed: pip install jax")
    pytest.importorskip("jax.test_util")
    known = {"jax": jax, "jnp": jax.numpy, "np": np, "x": jax.numpy.ones(1)}
    for chain in chains(code):
        follow(chain, known)


@pytest.mark.parametrize("verb", VERBS.split())
def test_a_reader_of_pytorch_finds(verb):
    assert re.search(rf"(?<![\w]){re.escape(verb)}(?!\w)", "".join(cells(PYTORCH)))


def test_a_name_that_is_not_there_is_found_out():
    with pytest.raises(AttributeError):
        follow(["t", "no_such"], {"t": SimpleNamespace()})
    with pytest.raises(AssertionError):
        follow(["u", "no_such"], {})


def test_a_piece_of_code_is_taken_apart():
    assert sorted(chains("t.a.b(c, d.e)")) == [["c"], ["d", "e"], ["t", "a", "b"]]
