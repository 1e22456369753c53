"""What the terminal shows of single events."""

from pipelines.console import RunView, figures, result


def test_a_warning_is_a_line(capsys):
    RunView()({"event": "warning", "text": "augment flips digits [really]"})
    shown = capsys.readouterr()
    assert shown.err == "    warning: augment flips digits [really]\n"
    assert shown.out == ""


def test_quiet_shows_no_warning(capsys):
    RunView(quiet=True)({"event": "warning", "text": "x"})
    assert capsys.readouterr().err == ""


def test_what_others_reach_stands_beside_the_figure_of_the_same_measure():
    metrics = {
        "mse": 0.01,
        "ssim": 0.8,
        "ms_ssim": 0.9,
        "example_count": 360.0,
        "pca_mse": 0.02,
        "pca_psnr": 16.0,
        "kernel_pca_mse": 0.015,
    }
    assert figures(metrics) == [
        ("mse", "0.0100", "PCA 0.0200, kernel PCA 0.0150"),
        ("ssim", "0.8000", ""),
        ("ms_ssim", "0.9000", ""),
        ("example_count", "360 test images", ""),
        ("pca_psnr", "16.0000", ""),  # there is no psnr for it to stand beside
    ]


def test_a_refused_run_shows_its_figures_what_it_was_compared_with_and_why(capsys):
    comparison = "mse 0.09000 against 0.02000 of PCA with the same code size of 8"
    value = {"metrics": {"mse": 0.09}, "comparison": comparison, "blessed": False, "reason": "mse is above PCA's", "seconds": 1.0}
    result(value)
    shown = capsys.readouterr().out.splitlines()
    assert shown[0].split() == ["mse", "0.0900"]
    assert shown[1:] == [comparison, "Not blessed: mse is above PCA's. Nothing was pushed.", "1.0 s"]


def test_a_long_training_is_few_plain_lines_where_there_is_no_terminal(capsys):
    view = RunView()
    for epoch in range(100):
        view({"event": "epoch", "epoch": epoch, "epochs": 100, "seconds": 1.0, "figures": {"loss": 0.1}})
    shown = capsys.readouterr().err
    assert 5 <= len(shown.splitlines()) <= 7
    assert "\x1b" not in shown
