"""An engine for numbers that remember what they were computed from. Written in chapter 15."""

from __future__ import annotations

import math
from numbers import Real
from typing import Any


class Value:
    """A number that remembers what it was computed from, and its gradient once `backward` ran.

    Arithmetic on Values and numbers gives Values. Raises TypeError for what is not a number.

    >>> a, b = Value(2.0), Value(3.0)
    >>> (a * b + a).backward()
    >>> a, b
    (Value(data=2.0, grad=4.0), Value(data=3.0, grad=2.0))
    """

    __slots__ = ("data", "grad", "left", "left_slope", "right", "right_slope")

    def __init__(self, data: float | Real) -> None:
        """Keep a number that was computed from nothing."""
        if not isinstance(data, Real):
            raise TypeError(f"data is {data!r}; it should be a number")
        self.data, self.grad = float(data), 0.0
        self.left: Value | None = None
        self.right: Value | None = None
        self.left_slope = self.right_slope = 0.0

    def __repr__(self) -> str:
        return f"Value(data={self.data}, grad={self.grad})"

    def history(self) -> list[Value]:
        """Return what this was computed from and itself, each after its parents.

        >>> a = Value(2.0)
        >>> (a * a).history()
        [Value(data=2.0, grad=0.0), Value(data=4.0, grad=0.0)]
        """
        order, path, seen = [], [self], {None, self}
        while path:
            node: Any = path[-1]
            if node.left not in seen:
                seen.add(node.left)
                path.append(node.left)
            elif node.right not in seen:
                seen.add(node.right)
                path.append(node.right)
            else:
                order.append(path.pop())
        return order

    def backward(self) -> None:
        """Set the gradient of every Value in the history of this one; to that of a leaf, add.

        >>> a = Value(3.0)
        >>> (a * a).backward(), a.grad, (a * a).backward(), a.grad
        (None, 6.0, None, 12.0)
        """
        history = self.history()
        for node in history:
            if node.left is not None:
                node.grad = 0.0
        self.grad += 1.0
        for node in reversed(history):
            if node.left is not None:
                node.left.grad += node.grad * node.left_slope
            if node.right is not None:
                node.right.grad += node.grad * node.right_slope

    def __add__(self, other: Value | float) -> Value:
        other = other if isinstance(other, Value) else Value(other)
        return _result(self.data + other.data, self, 1.0, other, 1.0)

    def __sub__(self, other: Value | float) -> Value:
        other = other if isinstance(other, Value) else Value(other)
        return _result(self.data - other.data, self, 1.0, other, -1.0)

    def __mul__(self, other: Value | float) -> Value:
        other = other if isinstance(other, Value) else Value(other)
        return _result(self.data * other.data, self, other.data, other, self.data)

    def __truediv__(self, other: Value | float) -> Value:
        other = other if isinstance(other, Value) else Value(other)
        y = self.data / other.data
        return _result(y, self, 1 / other.data, other, -y / other.data)

    def __pow__(self, other: Value | float) -> Value:
        """Raise to a power. Raises ValueError for a base that is too small for the exponent."""
        if not isinstance(other, Value):
            y, slope = _power(self.data, Value(other).data)
            return _result(y, self, slope)
        x = self.data
        if x <= 0:
            raise ValueError(f"the base is {x}; to the power of a Value it should be positive")
        y, slope = _power(x, other.data)
        return _result(y, self, slope, other, y * math.log(x))

    __radd__, __rmul__ = __add__, __mul__

    def __neg__(self) -> Value:
        return _result(-self.data, self, -1.0)

    def __rsub__(self, other: float) -> Value:
        return Value(other) - self

    def __rtruediv__(self, other: float) -> Value:
        return Value(other) / self

    def __rpow__(self, other: float) -> Value:
        return Value(other) ** self

    def relu(self) -> Value:
        """Return this where it is positive, and 0 where it is not.

        >>> Value(-2.0).relu(), Value(2.0).relu()
        (Value(data=0.0, grad=0.0), Value(data=2.0, grad=0.0))
        """
        return _result(max(self.data, 0.0), self, float(self.data > 0))

    def tanh(self) -> Value:
        """Return the hyperbolic tangent.

        >>> Value(1000.0).tanh()
        Value(data=1.0, grad=0.0)
        """
        y = math.tanh(self.data)
        return _result(y, self, 1 - y * y)

    def sigmoid(self) -> Value:
        """Return 1 / (1 + exp(-x)), without overflow.

        >>> Value(-1000.0).sigmoid()
        Value(data=0.0, grad=0.0)
        """
        small = math.exp(-abs(self.data))
        y = 1 / (1 + small) if self.data > 0 else small / (1 + small)
        return _result(y, self, small / (1 + small) ** 2)

    def exp(self) -> Value:
        """Return e to the power of this.

        >>> Value(0.0).exp()
        Value(data=1.0, grad=0.0)
        """
        y = math.exp(self.data)
        return _result(y, self, y)

    def log(self) -> Value:
        """Return the natural logarithm. Raises ValueError unless this is positive.

        >>> Value(1.0).log()
        Value(data=0.0, grad=0.0)
        """
        if self.data <= 0:
            raise ValueError(f"the logarithm is of {self.data}; it should be of a positive number")
        return _result(math.log(self.data), self, 1 / self.data)


_new = object.__new__


def _result(
    data: float, left: Value, left_slope: float, right: Value | None = None, right_slope: float = 0
) -> Value:
    """Return a Value with its parents, each with the local derivative, and without checks."""
    value = _new(Value)
    value.data, value.grad = data, 0.0
    value.left, value.left_slope = left, left_slope
    value.right, value.right_slope = right, right_slope
    return value


def _power(x: float, n: float) -> tuple[float, float]:
    """Return x to the power of n and its derivative with respect to x, infinite for a root of 0."""
    if x < 0 and not n.is_integer():
        raise ValueError(f"the base is {x}; to the power of {n} it should not be negative")
    if n == 0:
        return 1.0, 0.0
    if x == 0 and 0 < n < 1:
        return 0.0, math.inf
    return x**n, n * x ** (n - 1)
