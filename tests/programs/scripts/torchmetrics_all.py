"""torchmetrics: classification, regression, image, text and aggregation, over several updates."""

import torch
import torchmetrics
from record import record
from torchmetrics import classification, image, regression, text
from torchmetrics.functional import pairwise_cosine_similarity

torch.manual_seed(0)
target = torch.randint(0, 5, (3, 40))
probabilities = (torch.randn(3, 40, 5) + torch.nn.functional.one_hot(target, 5)).softmax(-1)
metrics = torchmetrics.MetricCollection(
    {
        "accuracy": classification.MulticlassAccuracy(5),
        "top2": classification.MulticlassAccuracy(5, top_k=2, average="micro"),
        "f1": classification.MulticlassF1Score(5),
        "auroc": classification.MulticlassAUROC(5),
        "precision": classification.MulticlassPrecision(5),
        "average": classification.MulticlassAveragePrecision(5),
        "confusion": classification.MulticlassConfusionMatrix(5),
        "kappa": classification.MulticlassCohenKappa(5),
        "mcc": classification.MulticlassMatthewsCorrCoef(5),
        "calibration": classification.MulticlassCalibrationError(5),
    }
)
for batch in zip(probabilities, target):
    metrics.update(*batch)
for name, value in metrics.compute().items():
    record(name, value)
x, y = torch.rand(3, 50), torch.rand(3, 50)
for metric in (
    regression.MeanSquaredError(), regression.R2Score(), regression.PearsonCorrCoef(),
    regression.SpearmanCorrCoef(), regression.ExplainedVariance(), regression.KendallRankCorrCoef(),
    regression.MeanAbsolutePercentageError(), regression.MinkowskiDistance(3),
    classification.BinaryAUROC(thresholds=20), classification.BinaryROC(thresholds=5),
    torchmetrics.MeanMetric(), torchmetrics.CatMetric(),
):  # fmt: skip
    for a, b in zip(x, y):
        one = isinstance(metric, torchmetrics.aggregation.BaseAggregator)
        roc = type(metric).__name__.startswith("Binary")
        metric.update(*((a,) if one else (a, (b > 0.5).long()) if roc else (a, b)))
    value = metric.compute()
    record(type(metric).__name__, value if torch.is_tensor(value) else torch.cat(list(value)))
a = torch.rand(2, 3, 32, 32)
b = (a + 0.2 * torch.rand(2, 3, 32, 32)).clamp(max=1)
record("psnr", image.PeakSignalNoiseRatio(data_range=1.0)(a, b))
record("ssim", image.StructuralSimilarityIndexMeasure(data_range=1.0)(a, b))
record("tv", image.TotalVariation()(a))
record("wer", text.WordErrorRate()(["a b c"], ["a x c d"]))
record("perplexity", text.Perplexity()(probabilities.log(), target))
record("pairwise", pairwise_cosine_similarity(x, y))
loss = regression.MeanSquaredError()
leaf = x.clone().requires_grad_()
loss(leaf, y).backward()
record("gradient", leaf.grad)
