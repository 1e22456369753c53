"""Variational autoencoders, judged by an estimate of log p(x)."""

from components import keys
from components.evaluator import densities
from components.evaluator.statistic import StandardError
from components.tasks.judges.base import NOTHING, Comparison, Metric
from components.tasks.judges.reconstruction.judge import Judge as OfAutoencoders
from components.tasks.judges.reconstruction.metrics import mean_of
from components.tasks.reconstruction import importance, pixels


def _standard_error(output: str) -> Metric:
    statistic = StandardError(output)
    return Metric("StandardErrorOfOutput", "less", "components.evaluator.metrics", {"output": output}, statistic=statistic)


class Judge(OfAutoencoders):
    """Against a density of images in closed form, of the same likelihood."""

    metrics = {
        **OfAutoencoders.metrics,
        "log_likelihood": mean_of("log_likelihood", "more"),
        "log_likelihood_standard_error": _standard_error("log_likelihood"),
        "elbo": mean_of("elbo", "more"),
        "elbo_standard_error": _standard_error("elbo"),
        "kl": mean_of("kl", "less"),
        "active_units": Metric(
            "ActiveUnits", "more", module="components.evaluator.metrics", config={"output": "codes"}, is_count=True
        ),
    }
    compared = ("log_likelihood",)

    def remarks(self, card, metrics, rows=NOTHING):
        """On few draws, and on what they leave open."""
        draws = card.export.draws
        if draws >= importance.FEW or "log_likelihood" not in metrics:
            return []
        bound, error = metrics["log_likelihood"], metrics.get("log_likelihood_standard_error")
        beside = "" if error is None else f", with a standard error of {error:.2g} nats over the test images"
        return [
            f"export.draws of {draws:,} is few: log_likelihood {bound:.2f} is a bound that is the looser the fewer there are"
            f"{beside}, and the elbo of a single image is as noisy as its draws; set export.draws to {importance.FEW} or more"
        ]

    def compare(self, model, card, images):
        def unit(split):
            return lambda: pixels.unit(images(split))

        if card.calibrated["likelihood"] == "gaussian":
            code_size = card.calibrated["code_size"]
            baseline = densities.ProbabilisticPca.fit(unit(keys.TRAIN), code_size)
            words, name = f"probabilistic {baseline.principal.name} with the same code size of {code_size}", "ppca_log_likelihood"
        else:
            baseline = densities.IndependentBernoulli.fit(unit(keys.TRAIN))
            words, name = "independent pixels", "independent_log_likelihood"
        each = baseline.log_likelihoods(unit(keys.TEST))
        words = f"{words}, fitted on the training split"
        return [Comparison("log_likelihood", float(each.mean()), words, name, each={"log_likelihood": each})]
