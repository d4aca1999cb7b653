"""One step of training a multilayer perceptron, as the package and others do it.

Dense layers with relu between them, cross-entropy on the logits, and a step of plain gradient
descent. Each function here is given the same start and returns a step to call again and again: it
trains on, and returns the parameters that it has then, as arrays that the others' can be compared
with. PyTorch keeps its weights transposed, as (outputs, inputs).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import backprop_book
from backprop_book import apply, cross_entropy, dense, relu, sgd_step, value_and_grad

LEARNING_RATE = 0.1

Step = Callable[[], dict[str, Any]]


@dataclass(frozen=True)
class Start:
    """What a contender begins with: the sizes of the layers, the parameters and a batch."""

    sizes: list[int]
    parameters: dict[str, Any]
    x: Any
    labels: Any

    @property
    def layers(self) -> range:
        """The numbers of the layers, from 1."""
        return range(1, len(self.sizes))


def start(sizes: list[int], n_examples: int, dtype: str) -> Start:
    """Draw parameters and a batch, the same every time."""
    rng = np.random.default_rng(0)
    drawn = backprop_book.initialize(sizes, rng)
    parameters = {name: array.astype(dtype) for name, array in drawn.items()}
    x = rng.normal(size=(n_examples, sizes[0])).astype(dtype)
    return Start(sizes, parameters, x, rng.integers(sizes[-1], size=n_examples))


def package(begin: Start) -> Step:
    """The package's public functions, as a reader would call them."""
    parameters = begin.parameters

    def step() -> dict[str, Any]:
        nonlocal parameters
        logits, backward = backprop_book.network(parameters, begin.x)
        _, loss_backward = backprop_book.cross_entropy(logits, begin.labels)
        gradients, _ = backward(loss_backward(1.0), with_dx=False)
        parameters = backprop_book.sgd_step(parameters, gradients, LEARNING_RATE)
        return parameters

    return step


def the_tape(begin: Start) -> Step:
    """The same functions on tensors, with no backward called by hand."""
    parameters, x, labels, last = begin.parameters, begin.x, begin.labels, begin.layers[-1]

    def loss(parameters: dict[str, Any]) -> Any:
        a = x
        for k in begin.layers:
            z = apply(dense, a, parameters[f"weights_{k}"], parameters[f"bias_{k}"])
            a = apply(relu, z) if k < last else z
        return apply(cross_entropy, a, labels)

    gradients_of = value_and_grad(loss)

    def step() -> dict[str, Any]:
        nonlocal parameters
        _, gradients = gradients_of(parameters)
        parameters = sgd_step(parameters, gradients, LEARNING_RATE)
        return parameters

    return step


def numpy_by_hand(begin: Start) -> Step:
    """The formulas written out, without checks and without what training does not need."""
    parameters, x, labels, last = begin.parameters, begin.x, begin.labels, begin.layers[-1]
    rows, n_examples = np.arange(len(x)), len(x)

    def step() -> dict[str, Any]:
        nonlocal parameters
        a, gradients = [x], {}
        for k in begin.layers:
            z = a[-1] @ parameters[f"weights_{k}"] + parameters[f"bias_{k}"]
            a.append(np.maximum(z, 0) if k < last else z)
        shifted = z - z.max(axis=1, keepdims=True)
        log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        -log_p[rows, labels].sum() / n_examples  # the loss
        dz = np.exp(log_p)
        dz[rows, labels] -= 1
        dz /= n_examples
        for k in reversed(begin.layers):
            gradients[f"weights_{k}"] = a[k - 1].T @ dz
            gradients[f"bias_{k}"] = dz.sum(axis=0)
            if k > 1:
                dz = (dz @ parameters[f"weights_{k}"].T) * (a[k - 1] > 0)
        parameters = {name: p - LEARNING_RATE * gradients[name] for name, p in parameters.items()}
        return parameters

    return step


def numpy_in_place(begin: Start) -> Step:
    """The same with every sum and product written into an array that is there already."""
    parameters = {name: array.copy() for name, array in begin.parameters.items()}
    x, labels, last = begin.x, begin.labels, begin.layers[-1]
    rows, n_examples = np.arange(len(x)), len(x)

    def step() -> dict[str, Any]:
        a, gradients = [x], {}
        for k in begin.layers:
            z = a[-1] @ parameters[f"weights_{k}"]
            z += parameters[f"bias_{k}"]
            a.append(np.maximum(z, 0, out=z) if k < last else z)
        z -= z.max(axis=1, keepdims=True)
        dz = np.exp(z)
        total = dz.sum(axis=1, keepdims=True)
        (np.log(total).sum() - z[rows, labels].sum()) / n_examples  # the loss
        dz /= total
        dz[rows, labels] -= 1
        dz /= n_examples
        for k in reversed(begin.layers):
            gradients[f"weights_{k}"] = a[k - 1].T @ dz
            gradients[f"bias_{k}"] = dz.sum(axis=0)
            if k > 1:
                dz = dz @ parameters[f"weights_{k}"].T
                dz *= a[k - 1] > 0
        for name, gradient in gradients.items():
            gradient *= LEARNING_RATE
            parameters[name] -= gradient
        return parameters

    return step


def pytorch(begin: Start) -> Step:
    """Eager, with the layers, the loss and the optimiser that PyTorch offers."""
    import torch

    torch.set_num_threads(1)
    dtype = torch.from_numpy(begin.x).dtype
    linear = [torch.nn.Linear(*begin.sizes[k - 1 : k + 1], dtype=dtype) for k in begin.layers]
    layers = [part for layer in linear for part in (layer, torch.nn.ReLU())]
    model = torch.nn.Sequential(*layers[:-1])
    with torch.no_grad():
        for k, layer in zip(begin.layers, linear, strict=True):
            layer.weight.copy_(torch.from_numpy(begin.parameters[f"weights_{k}"].T))
            layer.bias.copy_(torch.from_numpy(begin.parameters[f"bias_{k}"]))
    optimizer = torch.optim.SGD(model.parameters(), lr=LEARNING_RATE)
    x, labels = torch.from_numpy(begin.x), torch.from_numpy(begin.labels)
    found = {f"weights_{k}": layer.weight.detach().T for k, layer in enumerate(linear, start=1)}
    found |= {f"bias_{k}": layer.bias.detach() for k, layer in enumerate(linear, start=1)}

    def step() -> dict[str, Any]:
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(x), labels).backward()
        optimizer.step()
        return found

    return step


def pytorch_functions(begin: Start) -> Step:
    """Eager, with functions of arrays alone: no modules, no optimiser."""
    import torch

    torch.set_num_threads(1)
    arrays = {name: torch.tensor(array) for name, array in begin.parameters.items()}
    parameters = {name: array.requires_grad_() for name, array in arrays.items()}
    x, labels = torch.from_numpy(begin.x), torch.from_numpy(begin.labels)
    found = {name: array.detach() for name, array in parameters.items()}

    def step() -> dict[str, Any]:
        a = x
        for k in begin.layers:
            z = torch.addmm(parameters[f"bias_{k}"], a, parameters[f"weights_{k}"])
            a = torch.relu(z)
        loss = torch.nn.functional.cross_entropy(z, labels)
        gradients = torch.autograd.grad(loss, list(parameters.values()))
        with torch.no_grad():
            for array, gradient in zip(parameters.values(), gradients, strict=True):
                array -= LEARNING_RATE * gradient
        return found

    return step


def jax_with_jit(begin: Start) -> Step:
    """The whole step compiled, and waited for."""
    import jax

    jax.config.update("jax_enable_x64", begin.x.dtype == np.float64)
    parameters = jax.tree.map(jax.numpy.asarray, begin.parameters)
    x, labels = jax.numpy.asarray(begin.x), jax.numpy.asarray(begin.labels)

    def loss(parameters: Any, x: Any, labels: Any) -> Any:
        a = x
        for k in begin.layers:
            z = a @ parameters[f"weights_{k}"] + parameters[f"bias_{k}"]
            a = jax.nn.relu(z)
        return -jax.nn.log_softmax(z)[jax.numpy.arange(len(x)), labels].mean()

    @jax.jit
    def update(parameters: Any, x: Any, labels: Any) -> Any:
        value, gradients = jax.value_and_grad(loss)(parameters, x, labels)
        return value, jax.tree.map(lambda p, g: p - LEARNING_RATE * g, parameters, gradients)

    def step() -> dict[str, Any]:
        nonlocal parameters
        _, parameters = jax.block_until_ready(update(parameters, x, labels))
        return parameters

    return step


def hips_autograd(begin: Start) -> Step:
    """NumPy's functions as autograd wraps them; like NumPy, it has no cross-entropy of its own."""
    import autograd.numpy as anp
    from autograd import grad

    parameters, x, labels = begin.parameters, begin.x, begin.labels
    rows = np.arange(len(x))

    def loss(parameters: Any) -> Any:
        a = x
        for k in begin.layers:
            z = anp.dot(a, parameters[f"weights_{k}"]) + parameters[f"bias_{k}"]
            a = anp.maximum(z, 0)
        shifted = z - anp.max(z, axis=1, keepdims=True)
        log_p = shifted - anp.log(anp.sum(anp.exp(shifted), axis=1, keepdims=True))
        return -anp.mean(log_p[rows, labels])

    gradients_of = grad(loss)

    def step() -> dict[str, Any]:
        nonlocal parameters
        gradients = gradients_of(parameters)
        parameters = {name: p - LEARNING_RATE * gradients[name] for name, p in parameters.items()}
        return parameters

    return step


CASES = {
    f"{'-'.join(map(str, sizes))}, batch {n_examples}, {dtype}": (sizes, n_examples, dtype)
    for sizes, n_examples in (([64, 128, 64, 10], 64), ([784, 512, 256, 10], 128))
    for dtype in ("float32", "float64")
}

CONTENDERS: dict[str, Callable[[Start], Step]] = {
    "the package": package,
    "the tape": the_tape,
    "NumPy by hand": numpy_by_hand,
    "NumPy in place": numpy_in_place,
    "PyTorch eager": pytorch,
    "PyTorch functions": pytorch_functions,
    "JAX with jit": jax_with_jit,
    "HIPS autograd": hips_autograd,
}


def contenders(case: str) -> dict[str, Step]:
    """Return every contender's step, after three steps that have to lead to the same place."""
    steps = {name: make(start(*CASES[case])) for name, make in CONTENDERS.items()}
    rtol = 1e-4 if case.endswith("float32") else 1e-10
    for _ in range(3):
        found = {name: step() for name, step in steps.items()}
        for name, parameters in found.items():
            assert parameters.keys() == found["the package"].keys(), name
            for key, array in parameters.items():
                wanted = found["the package"][key]
                assert np.asarray(array).dtype == wanted.dtype, (name, key)
                np.testing.assert_allclose(array, wanted, rtol, rtol / 100, err_msg=f"{name} {key}")
    return steps
