from pathlib import Path

from runs import config, recipe
from runs.arguments import BadInput
from runs.directory import DataDirectory, ModelDirectory, read_json
from settings import STEPS

import pytest

RUN = {"data_dir": Path("d"), "res": Path("r"), "seed": 3, "workers": 2}
TOP = Path(__file__).parents[2]
TWO = """
[[stage]]
step = "02_train_vae.py"
epochs = 2

[[stage]]
step = "evaluate.py"
models = ["{data}/models/vae"]
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "some.toml"
    path.write_text(text)
    return path


def read(folder: Path, text: str) -> list[recipe.Stage]:
    return recipe.read(written(folder, text), STEPS, RUN)


def test_a_stage_is_a_script_with_its_settings_and_those_of_the_run(tmp_path):
    first, second = read(tmp_path, TWO)
    assert first.script == "02_train_vae.py"
    flags = ["--epochs", "2", "--res", "r", "--seed", "3", "--data-dir", "d"]
    assert sorted(config.flags(first.settings)) == sorted(flags)
    assert second.settings.models == ("d/models/vae",) and second.settings.workers == 2


def test_whoever_reads_a_recipe_may_fill_other_braces_too(tmp_path):
    path = written(tmp_path, "[[stage]]\nstep = 'evaluate.py'\nmodels = ['{name}={data}/{eyes}']\n")
    [stage] = recipe.read(path, STEPS, RUN, {"eyes": "vaegan", "name": "a"})
    assert stage.settings.models == ("a=d/vaegan",)


def test_what_can_leave_this_machine_is_done_on_the_cluster_of_the_run(tmp_path):
    steps = ["01_generate_data.py", "02_train_vae.py", "03_generate_rnn_data.py"]
    steps += ["04_train_rnn.py", "05_train_controller.py", "06_finetune_controller.py"]
    text = "".join(f"[[stage]]\nstep = '{step}'\n" for step in steps) + TWO
    on_cluster = {**RUN, "cluster": "tcp://there:1", "hang_timeout": 60.0}
    stages = recipe.read(written(tmp_path, text), STEPS, on_cluster)
    told = {stage.script: " ".join(config.flags(stage.settings)) for stage in stages}
    there = {script for script, flags in told.items() if "--cluster tcp://there:1" in flags}
    assert told.keys() - there == {"02_train_vae.py", "04_train_rnn.py"}
    assert all("--hang-timeout 60" in told[script] for script in there)


def test_a_seed_may_be_added_to_that_of_the_run(tmp_path):
    [stage] = read(tmp_path, "[[stage]]\nstep = '02_train_vae.py'\nseed_plus = 100\n")
    assert stage.settings.seed == 103


@pytest.mark.parametrize(
    "text, problem",
    [
        ("stage = 1", r"some.toml has no \[\[stage\]\]"),
        ("[[stage", "some.toml cannot be read as a recipe"),
        ("titel = 'x'", "but no titel"),
        ("[[stage]]\nstep = '07.py'", "stage 1: step is '07.py', not one of 01_generate_data.py"),
        ("[[stage]]\nepochs = 2", "stage 1: step is None"),
        ("[[stage]]\nstep = '02_train_vae.py'\nepoch = 2", "no setting epoch; do you mean epochs"),
        ("[[stage]]\nstep = '02_train_vae.py'\nepochs = 0", "epochs: 0 is not a whole number"),
        ("[[stage]]\nstep = '02_train_vae.py'\nseed = 1", "seed is of the run"),
        ("[[stage]]\nstep = '02_train_vae.py'\nseed_plus = 999", "no seed is above 999"),
        ("[[stage]]\nstep = '02_train_vae.py'\nseed_plus = true", "seed_plus is True"),
        ("[[stage]]\nstep = '04_train_rnn.py'\nkeep_agent_as = '../x'", "keep_agent_as is"),
        ("[[stage]]\nstep = '04_train_rnn.py'\nstart_from = 1", "start_from is 1, not the"),
        ("[[stage]]\nstep = '04_train_rnn.py'\nstart_from = 'gone'", "start_from: gone has no"),
        (TWO + "start_from = '{data}/models/x'", "stage 2: evaluate.py works on no agent"),
    ],
)
def test_what_is_wrong_is_one_sentence_with_the_file_and_the_stage(tmp_path, text, problem):
    with pytest.raises(BadInput, match=problem) as refusal:
        read(tmp_path, text)
    assert "some.toml" in str(refusal.value) and "\n" not in str(refusal.value)


def test_a_missing_recipe_is_refused(tmp_path):
    with pytest.raises(BadInput, match="none.toml cannot be read"):
        recipe.read(tmp_path / "none.toml", STEPS, RUN)


@pytest.mark.parametrize("path", sorted((TOP / "recipes").glob("*.toml")), ids=lambda p: p.stem)
def test_every_recipe_can_be_read_and_ends_with_a_score(path):
    stages = recipe.read(path, STEPS, RUN)
    assert stages[0].script == "01_generate_data.py"
    last = "01_generate_data.py" if path.stem == "recordings" else "evaluate.py"
    assert stages[-1].script == last


def test_stages_that_are_over_are_not_begun_again(tmp_path):
    stages, data = read(tmp_path, TWO), DataDirectory(tmp_path / "data")
    first = recipe.Progress(data, stages, 3).waiting()
    assert next(first)[0] == 1
    # Stopped within the first stage: it is asked for again, and after it the second.
    again = recipe.Progress(data, stages, 3).waiting()
    assert [next(again)[0], next(again)[0]] == [1, 2]
    assert [number for number, _ in recipe.Progress(data, stages, 3).waiting()] == [2]
    assert list(recipe.Progress(data, stages, 3).waiting()) == []
    assert len(read_json(data.root / "recipe.json")["done"]) == 2


EARLIER = """
[[stage]]
step = "practice.py"
carry = "{data}/models/vae-before"
rate = 0.5

[[stage]]
step = "evaluate.py"
models = ["{data}/models/vae"]
drawing = "fast"
"""
TODAY = """
[[stage]]
step = "06_finetune_controller.py"
init_from = "{data}/models/vae-before"
step_size = 0.5

[[stage]]
step = "evaluate.py"
models = ["{data}/models/vae"]
rendering = "fast"
"""


def test_a_recipe_of_an_earlier_version_is_today_s(tmp_path):
    earlier, today = read(tmp_path, EARLIER), read(tmp_path, TODAY)
    for old, new in zip(earlier, today, strict=True):
        assert (old.script, old.settings) == (new.script, new.settings)
    data = DataDirectory(tmp_path / "data")
    list(recipe.Progress(data, earlier, 3).waiting())
    assert list(recipe.Progress(data, today, 3).waiting()) == []


def test_another_recipe_or_seed_in_one_directory_is_refused(tmp_path):
    stages, data = read(tmp_path, TWO), DataDirectory(tmp_path / "data")
    list(recipe.Progress(data, stages, 3).waiting())
    other = read(tmp_path, TWO.replace("epochs = 2", "epochs = 3"))
    for wrong, seed in ((other, 3), (stages, 4)):
        with pytest.raises(BadInput, match="another recipe or seed.*another directory"):
            recipe.Progress(data, wrong, seed)
    longer = read(tmp_path, TWO + "[[stage]]\nstep = '03_generate_rnn_data.py'\n")
    assert [number for number, _ in recipe.Progress(data, longer, 3).waiting()] == [3]


def test_an_agent_is_kept_whole_as_it_was_before_a_stage(tmp_path):
    data = DataDirectory(tmp_path / "data")
    (data.model("vae").path / "logs").mkdir(parents=True)
    (data.model("vae").path / "model.json").write_text("old")
    text = "[[stage]]\nstep = '04_train_rnn.py'\nkeep_agent_as = 'vae-before'\n"
    for content in ("new", "newer"):
        # As if it was stopped within the stage, and once within the copying.
        next(recipe.Progress(data, read(tmp_path, text), 3).waiting())
        (data.model("vae").path / "model.json").write_text(content)
        (data.root / "models" / ".vae-before.copying").mkdir(exist_ok=True)
    assert (data.model("vae-before").path / "model.json").read_text() == "old"
    assert (data.model("vae-before").path / "logs").is_dir()


def test_a_recipe_may_start_from_an_agent_of_elsewhere(tmp_path):
    data, given = DataDirectory(tmp_path / "data"), ModelDirectory(tmp_path / "given")
    row = f"[[stage]]\nstep = '04_train_rnn.py'\nvision = 'vaegan'\nstart_from = '{given.path}'\n"
    with pytest.raises(BadInput, match="stage 1: start_from: .*given has no trained vision"):
        read(tmp_path, row)
    given.put("vision", lambda path: path.write_text("eyes"), {"latent": 32})
    given.put("rnn", lambda path: path.write_text("memory"), {"units": 256})
    stages = read(tmp_path, row)
    next(recipe.Progress(data, stages, 3).waiting())
    # Stopped within the stage, and again: what M has learned since stays.
    agent = data.model("vaegan")
    agent.put("rnn", lambda path: path.write_text("more memory"), {"units": 256})
    next(recipe.Progress(data, stages, 3).waiting())
    assert agent.file("vision").read_text() == "eyes"
    assert agent.file("rnn").read_text() == "more memory"
    given.put("vision", lambda path: path.write_text("other eyes"), {"latent": 32})
    with pytest.raises(BadInput, match="holds another vision than"):
        next(recipe.Progress(data, stages, 3).waiting())


def test_what_an_earlier_stage_makes_need_not_be_there_when_a_recipe_is_read(tmp_path):
    row = "[[stage]]\nstep = '04_train_rnn.py'\nstart_from = '{data}/models/vae-before'\n"
    [stage] = read(tmp_path, row)
    assert stage.start_from == Path("d/models/vae-before")
    with pytest.raises(BadInput, match="vae-before has no trained vision"):
        next(recipe.Progress(DataDirectory(tmp_path / "data"), [stage], 3).waiting())


@pytest.mark.parametrize(
    "step, name",
    [
        ("02_train_vae.py", "vae"),
        ("02_train_vae_gan.py", "vaegan"),
        ("04_train_rnn.py'\nvision = 'vaegan", "vaegan"),
        ("06_finetune_controller.py", "vae"),
    ],
)
def test_an_agent_is_started_from_and_kept_where_the_step_works(tmp_path, step, name):
    data, given = DataDirectory(tmp_path / "data"), ModelDirectory(tmp_path / "given")
    given.put("vision", lambda path: path.write_text("eyes"), {"latent": 32})
    row = f"[[stage]]\nstep = '{step}'\nstart_from = '{given.path}'\nkeep_agent_as = 'before'\n"
    next(recipe.Progress(data, read(tmp_path, row), 3).waiting())
    assert {path.name for path in (data.root / "models").iterdir()} == {name, "before"}
    assert data.model("before").file("vision").read_text() == "eyes"


def test_a_v_that_was_trained_further_in_a_stage_that_was_stopped_is_not_refused(tmp_path):
    data, given = DataDirectory(tmp_path / "data"), ModelDirectory(tmp_path / "given")
    given.put("vision", lambda path: path.write_text("eyes"), {"latent": 32})
    row = f"[[stage]]\nstep = '02_train_vae_gan.py'\nfinetune = true\nstart_from = '{given.path}'\n"
    stages, agent = read(tmp_path, row), data.model("vaegan")
    for eyes in ("better eyes", "the best eyes"):
        # Stopped when V was saved, before the stage was over.
        assert next(recipe.Progress(data, stages, 3).waiting())[0] == 1
        agent.put("vision", lambda path, eyes=eyes: path.write_text(eyes), {"latent": 32})
    assert [number for number, _ in recipe.Progress(data, stages, 3).waiting()] == [1]
    assert agent.file("vision").read_text() == "the best eyes"
    # That V is no start of another stage.
    again = read(tmp_path, row + row.replace("finetune", "from_scratch"))
    with pytest.raises(BadInput, match="holds another vision than"):
        next(recipe.Progress(data, again, 3).waiting())
