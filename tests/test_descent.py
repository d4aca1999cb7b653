"""Batches, steps, the size of a step, and the data sets."""

import numpy as np
import pytest
from gradient_check import modest
from hypothesis import given
from hypothesis import strategies as st

from backprop_book import (
    digits,
    iterate_minibatches,
    learning_rate_range_test,
    lights,
    linear_regression,
    noisy_plane,
    power_iteration,
    sgd_step,
    xor_lights,
)

batches_of = st.integers(1, 12)


def numbered(n):
    """Examples that say which they are: x (n, 2) and y (n,), both holding the number of a row."""
    return np.repeat(np.arange(float(n))[:, None], 2, axis=1), np.arange(float(n))


class TestIterateMinibatches:
    @modest
    @given(n=batches_of, size=batches_of)
    def test_in_order_without_a_generator(self, n, size):
        x, y = numbered(n)
        batches = list(iterate_minibatches(x, y, size))
        assert np.concatenate([b for b, _ in batches]).tolist() == x.tolist()
        assert np.concatenate([b for _, b in batches]).tolist() == y.tolist()

    @modest
    @given(n=batches_of, size=batches_of, seed=st.integers(0, 1000))
    def test_every_example_exactly_once(self, n, size, seed):
        x, y = numbered(n)
        batches = list(iterate_minibatches(x, y, size, np.random.default_rng(seed)))
        assert sorted(np.concatenate([b for _, b in batches])) == y.tolist()

    @modest
    @given(n=batches_of, size=batches_of, seed=st.none() | st.integers(0, 1000))
    def test_x_and_y_go_together_and_only_the_last_batch_is_smaller(self, n, size, seed):
        rng = None if seed is None else np.random.default_rng(seed)
        batches = list(iterate_minibatches(*numbered(n), size, rng))
        for x_batch, y_batch in batches:
            assert np.array_equal(x_batch, np.repeat(y_batch[:, None], 2, axis=1))
        *full, last = [len(y_batch) for _, y_batch in batches]
        assert set(full) <= {size}
        assert last == (n - 1) % size + 1
        assert len(batches) == -(-n // size)

    def test_shuffled_anew_each_epoch_and_the_same_from_the_same_seed(self):
        x, y = numbered(50)

        def epochs(seed):
            rng = np.random.default_rng(seed)
            return [[b.tolist() for _, b in iterate_minibatches(x, y, 7, rng)] for _ in range(2)]

        first, second = epochs(0)
        assert first != second
        assert first != [b.tolist() for _, b in iterate_minibatches(x, y, 7)]
        assert epochs(0) == [first, second]
        assert epochs(1)[0] != first

    def test_every_order_is_as_likely(self):
        """Of 6 orders of 3 examples, each comes up about 1,000 times in 6,000."""
        x, y = numbered(3)
        rng = np.random.default_rng(0)
        orders = [tuple(next(iterate_minibatches(x, y, 3, rng))[1]) for _ in range(6000)]
        counts = [orders.count(order) for order in set(orders)]
        assert len(counts) == 6
        assert max(abs(np.array(counts) - 1000)) < 5 * np.sqrt(1000)

    @pytest.mark.parametrize("seed", [None, 0])
    def test_what_is_given_is_not_changed_nor_shared(self, seed):
        x, y = numbered(5)
        before = x.tobytes(), y.tobytes()
        rng = None if seed is None else np.random.default_rng(seed)
        for x_batch, y_batch in iterate_minibatches(x, y, 2, rng):
            x_batch += 1.0
            y_batch += 1.0
        assert (x.tobytes(), y.tobytes()) == before

    @modest
    @given(n=batches_of, size=batches_of, seed=st.integers(0, 1000))
    def test_labels_go_with_their_rows_and_stay_whole_numbers(self, n, size, seed):
        x, y = numbered(n)
        for dtype in (np.int64, np.uint8):
            rng = np.random.default_rng(seed)
            for x_batch, labels in iterate_minibatches(x, y.astype(dtype), size, rng):
                assert labels.dtype == dtype
                assert np.array_equal(x_batch[:, 0], labels)

    def test_float32_and_further_axes_are_kept(self):
        x = np.ones((5, 2, 3), dtype=np.float32)
        x_batch, y_batch = next(iterate_minibatches(x, x[:, 0], batch_size=2))
        assert (x_batch.shape, y_batch.shape) == ((2, 2, 3), (2, 3))
        assert x_batch.dtype == y_batch.dtype == np.float32

    def test_as_many_updates_as_the_book_says(self):
        """1,797 examples in batches of 32, the last of 5 kept: 57 updates."""
        x, y = numbered(1797)
        sizes = [len(batch) for _, batch in iterate_minibatches(x, y, batch_size=32)]
        assert (len(sizes), sizes[-1]) == (57, 5)


class TestSgdStep:
    def test_against_the_gradient(self):
        parameters = {"w": np.array([[1.0, -2.0]]), "b": np.array([0.5])}
        gradients = {"b": np.array([4.0]), "w": np.array([[2.0, 2.0]])}
        moved = sgd_step(parameters, gradients, learning_rate=0.25)
        assert moved["w"].tolist() == [[0.5, -2.5]]
        assert moved["b"].tolist() == [-0.5]
        assert list(moved) == ["w", "b"]

    def test_nothing_is_changed(self):
        parameters, gradients = {"w": np.ones(3)}, {"w": np.full(3, 2.0)}
        moved = sgd_step(parameters, gradients, 0.5)
        assert moved is not parameters
        moved["w"] += 1
        assert parameters["w"].tolist() == [1, 1, 1]
        assert gradients["w"].tolist() == [2, 2, 2]

    def test_full_batch_descent_finds_the_least_squares_solution(self):
        x, target = lights()[0][:, :2], lights()[1][:, None]
        parameters = {"weights": np.array([[0.5], [0.48]]), "bias": np.array([-0.7])}
        for _ in range(2000):
            _, backward = linear_regression(parameters, x, target)
            parameters = sgd_step(parameters, backward(1.0), learning_rate=0.5)
        np.testing.assert_allclose(parameters["weights"], [[0.0], [1.0]], atol=1e-12)
        np.testing.assert_allclose(parameters["bias"], [0.0], atol=1e-12)


class TestPowerIteration:
    @modest
    @given(d=st.integers(1, 6), seed=st.integers(0, 10_000), sign=st.sampled_from([1.0, -1.0]))
    def test_agrees_with_eigh(self, d, seed, sign):
        """Matrices of either sign, whose largest eigenvalue is twice the next one in size."""
        rng = np.random.default_rng(seed)
        basis, _ = np.linalg.qr(rng.normal(size=(d, d)))
        eigenvalues = np.array([sign * 2.0, *rng.uniform(-1, 1, size=d - 1)])
        matrix = (basis * eigenvalues) @ basis.T
        matrix = (matrix + matrix.T) / 2
        before = matrix.tobytes()
        value, vector = power_iteration(matrix, 100, rng)
        told, vectors = np.linalg.eigh(matrix)
        largest = np.argmax(abs(told))
        assert value == pytest.approx(told[largest], rel=1e-12)
        assert abs(vector @ vectors[:, largest]) == pytest.approx(1, rel=1e-12)
        assert np.linalg.norm(vector) == pytest.approx(1, rel=1e-12)
        assert matrix.tobytes() == before

    def test_the_error_of_the_vector_shrinks_by_the_ratio_of_the_eigenvalues(self):
        matrix = np.diag([1.0, 3.0])
        slopes = []
        for n_steps in range(5, 12):
            _, vector = power_iteration(matrix, n_steps, np.random.default_rng(0))
            slopes.append(abs(vector[0] / vector[1]))
        np.testing.assert_allclose(np.divide(slopes[1:], slopes[:-1]), 1 / 3, rtol=1e-12)

    def test_the_lights(self):
        """The eigenvalues of X transposed X: 0.6411, 2 and 9.3589."""
        X, _ = lights()
        value, _ = power_iteration(X.T @ X, 100, np.random.default_rng(0))
        assert np.linalg.eigvalsh(X.T @ X).round(4).tolist() == [0.6411, 2.0, 9.3589]
        assert round(float(value), 4) == 9.3589
        assert round(float(2 / value), 4) == 0.2137

    def test_the_largest_step_is_2_over_the_largest_eigenvalue(self):
        """Just below it the loss falls for good, just above it the loss grows without end."""
        x, target = lights()[0], lights()[1][:, None]
        curvature, _ = power_iteration(x.T @ x / len(x), 200, np.random.default_rng(0))

        def loss_after(learning_rate):
            weights = {"weights": np.array([[0.5], [0.48], [-0.7]]), "bias": np.zeros(1)}
            for _ in range(5000):
                loss, backward = linear_regression(weights, x, target)
                held = backward(1.0) | {"bias": np.zeros(1)}
                weights = sgd_step(weights, held, learning_rate)
            return loss

        assert loss_after(0.999 * 2 / curvature) < 1e-4
        assert loss_after(1.001 * 2 / curvature) > 1e4


class TestLearningRateRangeTest:
    @staticmethod
    def square(parameters):
        w = parameters["w"]
        return (w**2).sum(), lambda dloss: {"w": 2 * w * dloss}

    def test_the_losses_are_those_before_each_step(self):
        """A step at rate r multiplies w by 1 - 2 r, and so the loss by its square."""
        losses = learning_rate_range_test(self.square, {"w": np.array([3.0])}, [0.1, 0.2, 0.9, 2.0])
        np.testing.assert_allclose(
            losses, 9 * np.cumprod([1.0, 0.8**2, 0.6**2, 0.8**2]), rtol=1e-14
        )

    def test_it_falls_and_then_rises(self):
        x, target = noisy_plane(200)
        parameters = {"weights": np.zeros((2, 1)), "bias": np.zeros(1)}
        losses = learning_rate_range_test(
            lambda p: linear_regression(p, x, target), parameters, np.geomspace(1e-3, 100, 30)
        )
        assert losses.shape == (30,)
        assert 0 < np.argmin(losses) < 29
        assert losses[-1] > losses[0] > 10 * losses.min()

    def test_nothing_is_changed_and_any_iterable_will_do(self):
        parameters, rates = {"w": np.array([3.0])}, np.array([0.1, 0.2])
        losses = learning_rate_range_test(self.square, parameters, rates)
        again = learning_rate_range_test(self.square, parameters, (r for r in rates))
        assert losses.tolist() == again.tolist()
        assert parameters["w"].tolist() == [3.0]
        assert rates.tolist() == [0.1, 0.2]


class TestData:
    def test_lights(self):
        X, y = lights()
        assert X.tolist() == [[1, 0, 1], [0, 1, 1], [0, 0, 1], [1, 1, 1], [0, 1, 1], [1, 0, 1]]
        assert y.tolist() == [0, 1, 0, 1, 1, 0]
        assert X.dtype == y.dtype == np.float64

    def test_xor_lights(self):
        X, y = xor_lights()
        assert X.tolist() == lights()[0][:4].tolist()
        assert y.tolist() == [1, 1, 0, 0]
        assert X.dtype == y.dtype == np.float64

    def test_the_best_linear_map_of_the_xor_lights_says_one_half(self):
        X, y = xor_lights()
        best, *_ = np.linalg.lstsq(X, y)
        np.testing.assert_allclose(X @ best, 0.5, rtol=1e-12)
        assert ((X @ best - y) ** 2).sum() == pytest.approx(1)

    def test_noisy_plane(self):
        X, y = noisy_plane(100_000, seed=3)
        assert (X.shape, y.shape) == ((100_000, 2), (100_000, 1))
        assert X.dtype == y.dtype == np.float64
        noise = y - X @ np.array([[3.0], [-2.0]]) - 1.0
        np.testing.assert_allclose(X.mean(axis=0), 0, atol=0.02)
        np.testing.assert_allclose(X.std(axis=0), 1, atol=0.02)
        assert abs(noise.mean()) < 0.01
        assert noise.std() == pytest.approx(0.5, abs=0.01)

    def test_noisy_plane_is_made_from_its_seed(self):
        default, again, other = noisy_plane(), noisy_plane(1000, 0), noisy_plane(seed=1)
        assert default[0].tobytes() == again[0].tobytes()
        assert default[1].tobytes() == again[1].tobytes()
        assert default[0].tobytes() != other[0].tobytes()
        assert len(default[0]) == 1000

    @pytest.mark.parametrize("make", [lights, xor_lights, noisy_plane])
    def test_each_call_makes_its_own_arrays(self, make):
        X, y = make()
        X += 1.0
        y += 1.0
        fresh_X, fresh_y = make()
        assert not np.array_equal(X, fresh_X)
        assert not np.array_equal(y, fresh_y)

    def test_digits(self):
        x, labels, x_held_out, labels_held_out = digits()
        assert (x.shape, labels.shape) == ((1347, 64), (1347,))
        assert (x_held_out.shape, labels_held_out.shape) == ((450, 64), (450,))
        assert x.dtype == x_held_out.dtype == np.float64
        assert labels.dtype == labels_held_out.dtype == np.int64
        for pixels in (x, x_held_out):
            assert (pixels.min(), pixels.max()) == (0.0, 1.0)
            assert np.array_equal(16 * pixels, np.round(16 * pixels))

    def test_every_digit_is_in_both_halves_as_often_as_the_archive_says(self):
        """The counts of the 1,797 images, digit by digit, are those told with the data set."""
        _, labels, _, labels_held_out = digits()
        told = [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
        counts, held_out = np.bincount(labels), np.bincount(labels_held_out)
        assert (counts + held_out).tolist() == told
        assert counts.tolist() == [134, 137, 134, 145, 132, 137, 136, 132, 130, 130]

    def test_no_image_is_in_both_halves(self):
        x, _, x_held_out, _ = digits()
        learned = {row.tobytes() for row in x}
        assert len(learned) == 1347
        assert not learned & {row.tobytes() for row in x_held_out}

    def test_an_image_looks_like_its_label(self):
        """A held-out image is mostly nearest to the mean image of its own digit."""
        x, labels, x_held_out, labels_held_out = digits()
        means = np.array([x[labels == digit].mean(axis=0) for digit in range(10)])
        distances = ((x_held_out[:, None] - means) ** 2).sum(axis=2)
        assert (distances.argmin(axis=1) == labels_held_out).mean() > 0.85

    def test_each_call_reads_its_own_digits(self):
        first, second = digits(), digits()
        for one, other in zip(first, second, strict=True):
            one += 1
            assert not np.array_equal(one, other)
            assert np.array_equal(one - 1, other)
