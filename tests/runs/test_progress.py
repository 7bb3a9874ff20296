from runs import progress


def test_where_nobody_watches_the_bar_ends_with_all_units(capsys):
    with progress.bar(3, "tracks", done=1, what="vae") as bar:
        bar.update(2)
    last = capsys.readouterr().err.splitlines()[-1]
    assert "vae" in last and "3/3" in last and "tracks/s" in last.replace(" tracks", "tracks")
