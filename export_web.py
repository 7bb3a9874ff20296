"""Write trained agents as files that the page in web/ runs in a browser.

For each model directory a folder of its name in OUT: M's step, V's decoder and C as ONNX, and
where dreams begin; OUT/episodes, what the first agent drove in the world; and OUT/index.json, which
names them all. Needs the extra `web`: pip install -e ".[web]". `make web` does it all.

    python export_web.py res/published/vae res/published/vaegan
"""

from runs import config
from settings import MAKERS
from settings.web import ExportWeb

if __name__ == "__main__":
    given = config.parse(ExportWeb, __doc__)  # before the imports below

import importlib.util

from controller.web.episodes import drive
from runs import arguments, directory, progress


def main(settings: ExportWeb) -> None:
    if importlib.util.find_spec("onnx") is None:
        raise arguments.BadInput('ONNX is not installed; run pip install -e ".[web]".')
    from controller.web import package  # It needs ONNX.

    agents = [package.load(directory.ModelDirectory(path)) for path in settings.models]
    index = settings.out / "index.json"
    with directory.locked(settings.out):
        asked = config.saved(settings) | {"script": directory.digest(__file__)}
        source = package.source(agents, asked)
        if package.holds(settings.out, source):
            index.touch()  # `make` asks when it was made.
            agent_names = ", ".join(parts.name for parts in agents)
            print(f"{settings.out} holds {agent_names} already; nothing to do.")
            return
        print(f"{agents[0].name} drives {settings.recorded_episodes} episodes in the world.")
        tracks = list(range(settings.track, settings.track + settings.recorded_episodes))
        driven = drive(agents[0].directory, tracks, settings.recorded_steps)
        package.check_episodes(driven)
        made = {}
        for parts in agents:
            with progress.bar(package.FILES, "files", what=parts.name) as bar:
                made[parts.name] = package.files(parts, driven, bar.update)
        # Nothing is refused any more: what the folder held goes.
        index.unlink(missing_ok=True)
        files_made = package.write_episodes(settings.out, driven)
        for name, files in made.items():
            size = package.write_agent(settings.out / name, files)
            files_made += [f"{name}/{file}" for file in files]
            print(f"{settings.out / name}: {size / 1e6:.2f} MB")
        package.write_index(settings.out, agents, driven, files_made, source)


if __name__ == "__main__":
    arguments.run(main, given, makers=MAKERS)
