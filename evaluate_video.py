"""Measure how well a trained CVAE predicts video: PSNR and SSIM of every frame ahead.

It sees as many true frames as in its training, and then only the condition of every frame: with
one draw of its latents, the best of some, and none (z = 0). Beside it the last frame, copied; and
with --dreamer V and M of an agent: M's dream, decoded (it sees ten true frames, or as many as the
CVAE if those are more), and decode(encode(frame)), the most that V can show. All on the same
stretches of videos that were not trained on. Writes RES/NAME.md and NAME.json (with 95 % intervals
over videos), NAME.png (curves), NAME_strip.png and NAME.gif.
"""

from runs import config
from settings import MAKERS
from settings.video import EvaluateVideo

if __name__ == "__main__":
    given = config.parse(EvaluateVideo, __doc__)  # before the imports below

import rnn.video
import vae
from rnn.video import contest, measures, pictures, report, sequences
from rnn.video.saved import PART
from runs import arguments, directory, progress
from runs.arguments import BadInput


def main(settings: EvaluateVideo) -> None:
    data = directory.DataDirectory(settings.data_dir)
    model = directory.ModelDirectory(settings.cvae)
    networks = rnn.video.load(model)
    folder = settings.path or data.rollout
    videos = sequences.load(settings.source, folder, settings.skip_damaged)
    sequences.refuse_other_width(videos, networks.condition)
    trained_on_these = videos.fingerprint == model.facts(PART)["data"]
    if settings.everything and trained_on_these:
        raise BadInput(
            "The CVAE was trained on these videos; give others, or measure on those held out.",
            options=("path", "everything"),
        )
    # Which recordings are held out changes with their number; BAIR's have a part for the test.
    if settings.source == "carracing" and not (settings.everything or trained_on_these):
        raise BadInput(
            "These recordings are not, or no longer, those that the CVAE was trained on, so it is "
            "not known which of them it never saw; give those, or others, all new to it, and "
            "measure on all",
            options=("path", "everything"),
        )
    agent = None
    if settings.dreamer:
        other = directory.ModelDirectory(settings.dreamer)
        agent = vae.load(other), rnn.load(other)
    who = contest.Contest(networks, settings.samples, settings.seed, agent)
    chosen = [*videos.learned, *videos.held_out] if settings.everything else videos.test
    chosen = sequences.long_enough(chosen, who.before + settings.frames)

    found: dict[str, dict[str, list]] = {}
    stretches = measures.stretches(chosen, who.before, settings.frames, settings.stride)
    with progress.bar(len(chosen), "videos") as bar:
        for number, stretch in enumerate(stretches):
            for name, measured in who.measured(stretch, number).items():
                for measure, values in measured.items():
                    found.setdefault(name, {}).setdefault(measure, []).append(values)
            bar.update()

    estimated = report.estimated(found, settings.seed)
    less = report.differences(found, who.rivals(), settings.seed)
    table = report.markdown(estimated, less)
    print(table)
    path = settings.res / settings.name
    directory.write_text(path.with_suffix(".md"), table)
    content = {
        "videos": len(chosen),
        "stretches": sum(map(len, found[contest.COPY]["psnr"])),
        "past": networks.past,
        "estimates": estimated,
        "differences": less,
        "cvae": model.facts(PART),
    }
    directory.write_json(path.with_suffix(".json"), content)
    report.curves(path.with_suffix(".png"), estimated)
    pictures.contest(settings.res, settings.name, who, chosen, settings.frames)
    print(f"{path}.md, .json, .png, _strip.png and .gif")


if __name__ == "__main__":
    arguments.run(main, given, makers=MAKERS)
