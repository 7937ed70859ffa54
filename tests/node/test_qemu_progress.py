from ovis.node.qemu_progress import Progress


def test_progress_is_read_however_it_is_torn_apart() -> None:
    found: list[int] = []
    progress = Progress(found.append)
    text = b"    (0.00/100%)\r    (0.51/100%)\r    (50.02/100%)\r    (100.00/100%)\r\n"
    alive = [progress.take(text[n : n + 1]) for n in range(len(text))]
    assert found == [0, 0, 50, 100]
    assert sum(alive) == 4


def test_the_same_figure_again_is_no_progress() -> None:
    progress = Progress(lambda _: None)
    assert progress.take(b"(1.00/100%)\r")
    assert not progress.take(b"(1.00/100%)\r")
    assert not progress.take(b"nothing")
