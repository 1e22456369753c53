"""What the terminal shows of single events."""

from pipelines.console import RunView


def test_a_warning_is_a_line(capsys):
    RunView()({"event": "warning", "text": "augment flips digits [really]"})
    shown = capsys.readouterr()
    assert shown.err == "    warning: augment flips digits [really]\n"
    assert shown.out == ""


def test_quiet_shows_no_warning(capsys):
    RunView(quiet=True)({"event": "warning", "text": "x"})
    assert capsys.readouterr().err == ""
