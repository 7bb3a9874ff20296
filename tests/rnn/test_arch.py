import math

from rnn import arch

import keras
import numpy as np
import pytest
import tensorflow as tf

L, K = 2, 3


@pytest.mark.parametrize(
    "heads, expected", [((), 422_368), (("tile",), 422_625), (("tile", "done"), 422_882)]
)
def test_m_has_the_422_368_parameters_of_the_paper_and_257_for_each_head(heads, expected):
    assert arch.network(heads=heads).count_params() == expected


def pack(weights, means, deviations) -> tf.Tensor:
    """Network output that stands for these mixtures, each (..., L, K)."""
    parts = [np.log(weights), np.asarray(means, float), np.log(deviations)]
    packed = np.concatenate(np.broadcast_arrays(*parts), axis=-1)
    return tf.constant(packed.reshape(*packed.shape[:-2], -1), tf.float32)


WEIGHTS = np.array([[0.2, 0.3, 0.5], [0.6, 0.3, 0.1]])
MEANS = np.array([[-1.0, 0.0, 2.0], [0.5, 5.0, -3.0]])
DEVIATIONS = np.array([[0.5, 1.0, 2.0], [0.1, 1.0, 3.0]])


def density(x, mean, sd):
    return np.exp(-(((x - mean) / sd) ** 2) / 2) / (sd * math.sqrt(2 * math.pi))


def test_split_gives_each_latent_its_own_normalised_mixture():
    log_weight, mean, log_sd = arch.split(pack(WEIGHTS * 7, MEANS, DEVIATIONS)[None], L)
    np.testing.assert_allclose(tf.exp(log_weight)[0], WEIGHTS, rtol=1e-5)
    np.testing.assert_allclose(mean[0], MEANS)
    np.testing.assert_allclose(tf.exp(log_sd)[0], DEVIATIONS, rtol=1e-5)


def test_likelihood_is_that_of_the_mixture():
    z = np.array([[0.3, 0.4], [-2.0, 6.0]])
    mixture = tf.stack([pack(WEIGHTS, MEANS, DEVIATIONS)] * 2)
    by_hand = -np.log((WEIGHTS * density(z[..., None], MEANS, DEVIATIONS)).sum(-1))
    computed = arch.negative_log_likelihood(mixture, tf.constant(z, tf.float32))
    np.testing.assert_allclose(computed, by_hand, rtol=1e-5)


def test_a_standard_normal_at_its_mean_costs_half_log_two_pi():
    mixture = pack(np.full((1, 1), 1.0), np.zeros((1, 1)), np.ones((1, 1)))
    nll = arch.negative_log_likelihood(mixture[None], tf.zeros((1, 1)))
    assert float(nll[0, 0]) == pytest.approx(0.918938533)


def test_the_density_integrates_to_one():
    grid = np.linspace(-30, 30, 60_001)
    mixture = tf.repeat(pack(WEIGHTS, MEANS, DEVIATIONS)[None], len(grid), 0)
    z = tf.constant(np.stack([grid] * L, -1), tf.float32)
    density = np.exp(-arch.negative_log_likelihood(mixture, z).numpy().astype(float))
    np.testing.assert_allclose(density.sum(0) * (grid[1] - grid[0]), 1, atol=2e-3)


@pytest.mark.parametrize("z", [0.0, 1e3, -1e6])
@pytest.mark.parametrize("log_sd", [-20.0, 0.0, 20.0])
@pytest.mark.parametrize("logits", [(0.0, 0.0, 0.0), (-1e4, 0.0, 1e4)])
def test_loss_and_gradients_stay_finite_where_densities_vanish(z, log_sd, logits):
    """e^(-z²/2) is 0 in float32 from |z| = 15 on, so a log of a sum of densities is not finite."""
    mixture = tf.Variable([[*logits, 0.0, 1.0, -1.0, log_sd, log_sd, log_sd]])
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(arch.negative_log_likelihood(mixture, tf.constant([[z]])))
    assert np.isfinite(loss), loss
    assert np.isfinite(tape.gradient(loss, mixture)).all()


def draws(temperature: float, count: int = 200_000, seed=(1, 2)) -> np.ndarray:
    mixture = tf.repeat(pack(WEIGHTS, MEANS, DEVIATIONS)[None], count, 0)
    return arch.sample(mixture, L, temperature, seed).numpy()


def moments(weights, means, deviations) -> tuple[np.ndarray, np.ndarray]:
    mean = (weights * means).sum(-1)
    return mean, np.sqrt((weights * (deviations**2 + means**2)).sum(-1) - mean**2)


@pytest.mark.parametrize("temperature", [0.1, 0.5, 1.0, 1.5])
def test_samples_have_the_moments_of_the_mixture_at_their_temperature(temperature):
    """Weights to the power 1/τ, normalised anew; standard deviations times √τ."""
    tempered = WEIGHTS ** (1 / temperature)
    tempered /= tempered.sum(-1, keepdims=True)
    mean, sd = moments(tempered, MEANS, DEVIATIONS * math.sqrt(temperature))
    z = draws(temperature)
    # Six standard errors.
    np.testing.assert_allclose(z.mean(0), mean, atol=6 * sd.max() / math.sqrt(len(z)))
    np.testing.assert_allclose(z.std(0), sd, rtol=0.04)


def test_almost_no_temperature_gives_the_likeliest_mean():
    np.testing.assert_allclose(draws(1e-6, 100), np.tile([2.0, 0.5], (100, 1)), atol=0.02)


def test_components_are_drawn_with_their_weights():
    narrow = tf.repeat(pack(WEIGHTS, MEANS, np.full((L, K), 1e-3))[None], 100_000, 0)
    z = arch.sample(narrow, L, 1.0, (5, 6)).numpy()
    for dimension in range(L):
        nearest = np.abs(z[:, dimension, None] - MEANS[dimension]).argmin(-1)
        shares = np.bincount(nearest, minlength=K) / len(z)
        np.testing.assert_allclose(shares, WEIGHTS[dimension], atol=0.01)


def test_the_same_seed_draws_the_same_and_sequences_have_shape():
    assert np.array_equal(draws(1.0, 10), draws(1.0, 10))
    assert not np.array_equal(draws(1.0, 10), draws(1.0, 10, seed=(1, 3)))
    sequence = tf.zeros((4, 5, 3 * K * L))
    assert arch.sample(sequence, L, 1.0, (1, 2)).shape == (4, 5, L)


def test_mean_of_a_mixture():
    mean = arch.mean_of(pack(WEIGHTS, MEANS, DEVIATIONS)[None], L)
    np.testing.assert_allclose(mean[0], [0.8, 1.5], rtol=1e-5)


def test_masked_mean_counts_what_the_mask_lets_through():
    values = tf.constant([[1.0, 2.0, 100.0], [5.0, 100.0, 100.0]])
    mask = tf.constant([[1.0, 1.0, 0.0], [1.0, 0.0, 0.0]])
    assert float(arch.masked_mean(values, mask)) == pytest.approx(8 / 3)
    assert float(arch.masked_mean(values, 0 * mask)) == 0


def model(weights=None, seed=1, noise=1.0) -> arch.MDNRNN:
    keras.utils.set_random_seed(5)
    weights = {"tile": 1.0, "done": 1.0} if weights is None else weights
    made = arch.MDNRNN(L, 8, K, weights, seed, noise)
    made.compile(keras.optimizers.Adam(1e-2))
    return made


def batch(sequences=3, steps=6, seed=0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    made = {
        "mean": rng.normal(size=(sequences, steps, L)),
        "log_variance": rng.normal(-2, 0.1, (sequences, steps, L)),
        "action": rng.uniform(-1, 1, (sequences, steps, 3)),
        "tile": rng.integers(0, 2, (sequences, steps)),
        "done": np.zeros((sequences, steps)),
        "valid": np.ones((sequences, steps)),
        "following": np.ones((sequences, steps)),
    }
    return {name: values.astype(np.float32) for name, values in made.items()}


def test_losses_are_those_of_the_next_latent_and_of_this_step_s_heads():
    m, given = model(), batch()
    given["log_variance"][:] = -1e3  # No noise: z is the mean.
    losses = m.losses_of({name: tf.constant(v) for name, v in given.items()}, (1, 2))
    x = tf.concat([given["mean"], given["action"]], -1)
    zeros = tf.zeros((3, 8))
    outputs = m.network([x, zeros, zeros])

    nll = arch.negative_log_likelihood(
        outputs["mixture"], tf.constant(np.roll(given["mean"], -1, 1))
    )
    assert float(losses["nll"]) == pytest.approx(nll.numpy()[:, :-1].mean(), rel=1e-5)
    p = 1 / (1 + np.exp(-outputs["tile"].numpy().astype(float)))
    entropy = -np.where(given["tile"] == 1, np.log(p), np.log(1 - p)).mean()
    assert float(losses["tile"]) == pytest.approx(entropy, rel=1e-5)


def test_noise_is_a_share_of_v_s_uncertainty():
    wide = batch()
    narrow = {**wide, "log_variance": wide["log_variance"] + 2 * np.float32(np.log(0.25))}
    quarter = float(model(noise=0.25).losses_of(wide, (1, 2))["nll"])
    assert quarter == pytest.approx(float(model().losses_of(narrow, (1, 2))["nll"]), rel=1e-5)
    assert quarter != pytest.approx(float(model().losses_of(wide, (1, 2))["nll"]), rel=1e-3)


def test_what_lies_behind_the_end_of_an_episode_changes_no_loss():
    m, given = model(), batch()
    given["valid"][:, 4:] = 0
    given["following"][:, 3:] = 0
    other = {name: values.copy() for name, values in given.items()}
    for name in ("mean", "action", "tile", "done"):
        other[name][:, 4:] = 9
    one, same = (
        {name: float(v) for name, v in m.losses_of(dict(b), (1, 2)).items()} for b in (given, other)
    )
    assert one == same


def test_a_head_of_no_weight_is_left_out():
    m = model({"tile": 2.0, "done": 0.0})
    assert set(m.network.output) == {"mixture", "tile", "h", "c"}
    losses = m.losses_of(batch(), (1, 2))
    assert set(losses) == {"nll", "tile"}
    assert float(m.total(losses)) == pytest.approx(
        float(losses["nll"]) + 2 * float(losses["tile"]), rel=1e-6
    )
    assert model({}).losses_of(batch(), (1, 2)).keys() == {"nll"}


def test_latents_are_drawn_anew_in_every_step_of_training():
    m = model()
    one, same, other = (
        float(m.losses_of(batch(), seed)["nll"]) for seed in [(1, 0), (1, 0), (1, 1)]
    )
    assert one == same != other


@pytest.mark.slow
def test_training_learns_a_sequence():
    m, given = model(), batch()
    before = float(m.losses_of(given, (1, -1))["nll"])
    for _ in range(20):
        m.train_step(given)
    assert float(m.losses_of(given, (1, -1))["nll"]) < before - 0.05


def test_the_network_steps_as_it_runs_over_a_sequence():
    network = model().network
    x = tf.random.stateless_normal((2, 5, L + 3), (1, 2))
    zeros = tf.zeros((2, 8))
    whole = network([x, zeros, zeros])
    h = c = zeros
    for t in range(5):
        step = network([x[:, t : t + 1], h, c])
        h, c = step["h"], step["c"]
        np.testing.assert_allclose(step["mixture"][:, 0], whole["mixture"][:, t], atol=1e-6)
        np.testing.assert_allclose(step["done"][:, 0], whole["done"][:, t], atol=1e-6)
    np.testing.assert_allclose(h, whole["h"], atol=1e-6)
