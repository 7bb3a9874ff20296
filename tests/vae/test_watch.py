from runs import records
from vae import watch

import numpy as np

GOOD = {
    "real_recognised": 0.8,
    "reconstruction_recognised": 0.6,
    "fantasy_recognised": 1.0,
    "bits": 30.0,
}


def test_a_healthy_epoch_gives_no_warning():
    assert watch.warnings(GOOD) == []


def test_a_d_that_tells_all_frames_apart_is_warned_of():
    won = GOOD | {"real_recognised": 0.99, "reconstruction_recognised": 0.99}
    (sentence,) = watch.warnings(won)
    assert "D tells every frame" in sentence and "(critic_rate)" in sentence


def test_an_empty_latent_is_warned_of():
    (sentence,) = watch.warnings(GOOD | {"bits": 0.3})
    assert "0.3 bits" in sentence and "collapse" in sentence


def test_an_empty_latent_of_a_vae_is_warned_of_too():
    assert watch.warnings({"loss": 20.0, "reconstruction": 1.0, "kl": 16.0}) == []
    (sentence,) = watch.warnings({"loss": 20.0, "reconstruction": 1.0, "kl": 2 * np.log(2)})
    assert "only 2.0 bits" in sentence and "(kl_weight)" in sentence


def test_what_an_earlier_version_kept_of_a_training_is_taken_over(tmp_path):
    earlier = tmp_path / "film"
    earlier.mkdir()
    (earlier / "00000001.png").write_text("a picture")
    records.write(earlier / "course.csv", watch.Point, [watch.Point(1)])
    for _ in range(2):
        kept = watch.folder(tmp_path)
        assert sorted(path.name for path in kept.iterdir()) == ["00000001.png", "curve.csv"]
        assert records.read(kept / "curve.csv", watch.Point) == [watch.Point(1)]
    assert not earlier.exists()
