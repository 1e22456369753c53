"""Images before and after their noise was taken off."""

from components.evaluator.psnr import decibels
from components.reporter import histograms, ranks
from components.tasks.reconstruction.denoising import NOISE, NOISY_ERROR
from components.tasks.reports.reconstruction.looked import Looked
from components.tasks.reports.reconstruction.sections.reconstructions import ORDERED, SHOWN, triples
from reports import distributions
from reports.run.blocks import Pictures, Prose, Section

ORDER = 11


def section(looked: Looked) -> Section | None:
    if not looked.is_noisy:
        return None
    errors, before = looked.each["mse"], looked.each[NOISY_ERROR]
    kinds = ", ".join(f"{name} {options}" for step in looked.card.calibrated[NOISE] for name, options in _operations(step))
    about = f"The noise of the config, {kinds}, was put on {looked.words()}, and the model took it off."
    gained = decibels(errors) - decibels(before)
    worse = int((gained < 0).sum())
    figures = (
        looked.figure("psnr_noisy") or f"{decibels(before).mean():.4g}",
        looked.figure("psnr") or f"{decibels(errors).mean():.4g}",
    )
    text = f"Peak signal-to-noise ratio to the image without noise: {figures[0]} dB before, {figures[1]} dB after. "
    text += f"In the mean over these images {gained.mean():.2f} dB are gained; {worse:,} of {len(gained):,} have become worse."
    said = "How many test images are how near to the original, before and after; to the right is better."
    rows = histograms.of_groups({"before": decibels(before), "after": decibels(errors)})
    chart = distributions.histogram("denoised", "Before and after", said, rows, "PSNR, dB")
    shown = ranks.from_best_to_worst(errors, SHOWN)
    caption = f"With noise, original, denoised and squared error, {ORDERED}"
    pictures = Pictures(triples(looked, shown, errors), caption, more=len(errors) - len(shown))
    return Section("denoising", "Denoising", about, [Prose(text), chart, pictures])


def _operations(step: dict) -> list[tuple[str, str]]:
    """(name, options in words) of a step of the config's augmentation."""
    return [
        (
            name.replace("_", " "),
            ", ".join(f"{key} {value:g}" if isinstance(value, float) else f"{key} {value}" for key, value in given.items()),
        )
        for name, given in step.items()
        if isinstance(given, dict)
    ]
