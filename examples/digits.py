"""Train a small convolutional network on handwritten digits: data, training, saving, a report.

The 1,797 images of 8 x 8 pixels come with scikit-learn. Run it with `make demo`, or
`python examples/digits.py --epochs 20 --out .`; it takes some seconds on two cores.
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

import kagari as torch
from kagari import nn, optim
from kagari.utils.data import DataLoader, TensorDataset

SEED = 0
COMPARED = 1e-6  # what two processes may differ by in a logit


def network() -> nn.Sequential:
    """(N, 1, 8, 8) images to (N, 10) logits."""
    return nn.Sequential(
        nn.Conv2d(1, 32, 3, padding=1),
        nn.BatchNorm2d(32),
        nn.ReLU(),
        nn.Conv2d(32, 64, 3, padding=1),
        nn.BatchNorm2d(64),
        nn.ReLU(),
        nn.MaxPool2d(2),  # 8 x 8 -> 4 x 4
        nn.Conv2d(64, 64, 3, padding=1),
        nn.BatchNorm2d(64),
        nn.ReLU(),
        nn.MaxPool2d(2),  # 4 x 4 -> 2 x 2
        nn.Flatten(),
        nn.Dropout(0.3),
        nn.Linear(256, 10),
    )


def digits() -> tuple[TensorDataset, TensorDataset]:
    """Images as float32 in [0, 1] with their labels: four fifths to train on, the rest to test."""
    data = load_digits()
    images = torch.tensor(data.images / 16.0, dtype=torch.float32).unsqueeze(1)
    labels = torch.tensor(data.target, dtype=torch.int64)
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(SEED))
    train, test = order[: len(order) * 4 // 5], order[len(order) * 4 // 5 :]
    return TensorDataset(images[train], labels[train]), TensorDataset(images[test], labels[test])


class Progress:
    """A line that is redrawn while an epoch runs, where the output is a terminal."""

    def __init__(self, epochs: int, steps: int) -> None:
        self.epochs, self.steps = epochs, steps
        self.live = sys.stdout.isatty()

    def show(
        self, epoch: int, step: int, loss: float, accuracy: float, speed: float, end: str = ""
    ):
        if not self.live and not end:
            return
        done = 24 * step // self.steps
        bar = "━" * done + "╺" * (24 - done)
        line = (
            f"epoch {epoch:3d}/{self.epochs} {bar} loss {loss:.4f}  "
            f"accuracy {accuracy:6.2%}  {speed:6,.0f} images/s{end}"
        )
        print(f"\r{line}" if self.live else line, end="\n" if end else "", flush=True)


def train_epoch(model, batches, optimizer, schedule, progress, epoch) -> dict[str, float]:
    """One pass over the training images."""
    model.train()
    criterion = nn.CrossEntropyLoss()
    seen, loss_sum, correct = 0, 0.0, 0
    start = time.perf_counter()
    for step, (images, labels) in enumerate(batches, 1):
        logits = model(images)
        loss = criterion(logits, labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        seen += len(labels)
        loss_sum += loss.item() * len(labels)
        correct += (logits.argmax(1) == labels).sum().item()
        speed = seen / (time.perf_counter() - start)
        progress.show(epoch, step, loss_sum / seen, correct / seen, speed)
    return {"loss": loss_sum / seen, "accuracy": correct / seen, "speed": speed}


def evaluate(model, images, labels) -> dict[str, float]:
    """Loss and accuracy on images that the model was not trained on."""
    model.eval()
    with torch.no_grad():
        logits = model(images)
        loss = nn.CrossEntropyLoss()(logits, labels).item()
    return {"loss": loss, "accuracy": (logits.argmax(1) == labels).float().mean().item()}


def train(epochs: int) -> tuple[nn.Sequential, list[dict[str, float]]]:
    """Train from scratch; the model and, per epoch, the figures of training and of test."""
    torch.manual_seed(SEED)
    training, test = digits()
    batches = DataLoader(training, batch_size=64, shuffle=True)
    model = network()
    optimizer = optim.AdamW(model.parameters(), lr=3e-3, weight_decay=1e-2)
    schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=epochs * len(batches))
    progress = Progress(epochs, len(batches))
    history = []
    for epoch in range(1, epochs + 1):
        row = train_epoch(model, batches, optimizer, schedule, progress, epoch)
        tested = evaluate(model, *test.tensors)
        row |= {"test loss": tested["loss"], "test accuracy": tested["accuracy"]}
        history.append(row)
        progress.show(
            epoch, len(batches), row["loss"], row["accuracy"], row["speed"],
            end=f"  test {tested['accuracy']:.2%}",
        )  # fmt: skip
    return model, history


def predict(checkpoint: Path) -> np.ndarray:
    """The logits that a saved model gives for the test images: (N, 10)."""
    model = network()
    model.load_state_dict(torch.load(checkpoint))
    model.eval()
    with torch.no_grad():
        return model(digits()[1].tensors[0]).numpy()


def reload_elsewhere(checkpoint: Path) -> np.ndarray:
    """The same from a fresh process, that has nothing but the file."""
    logits = checkpoint.with_suffix(".npy")
    command = [sys.executable, __file__, "--predict", str(checkpoint), str(logits)]
    subprocess.run(command, check=True)
    try:
        return np.load(logits)
    finally:
        logits.unlink()


def draw(path: Path, history: list[dict[str, float]], logits: np.ndarray) -> None:
    """Loss and accuracy per epoch, the confusion matrix, and every misclassified image."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    images, labels = (tensor.numpy() for tensor in digits()[1].tensors)
    predicted = logits.argmax(1)
    figure = plt.figure(figsize=(13, 8), layout="constrained")
    figure.suptitle(
        f"Handwritten digits: {np.mean(predicted == labels):.2%} of {len(labels)} right"
    )
    top, bottom = figure.subfigures(2, 1, height_ratios=(3, 2))
    losses, accuracies, matrix = top.subplots(1, 3)
    epochs = range(1, len(history) + 1)
    for axes, name in ((losses, "loss"), (accuracies, "accuracy")):
        axes.plot(epochs, [row[name] for row in history], label="training")
        axes.plot(epochs, [row[f"test {name}"] for row in history], label="test")
        axes.set(xlabel="epoch", title=name)
        axes.grid(alpha=0.3)
        axes.legend()
    losses.set_yscale("log")
    accuracies.set_ylim(0.9, 1.001)

    counts = np.zeros((10, 10), int)
    np.add.at(counts, (labels, predicted), 1)
    matrix.imshow(np.sqrt(counts), cmap="Blues")
    for (row, column), count in np.ndenumerate(counts):
        if count:
            color = "white" if row == column else "firebrick"
            matrix.text(column, row, count, ha="center", va="center", color=color, fontsize=8)
    matrix.set(xticks=range(10), yticks=range(10), xlabel="predicted", ylabel="digit")
    matrix.set_title("confusion matrix")

    wrong = np.flatnonzero(predicted != labels)[:12]
    bottom.suptitle("misclassified" if len(wrong) else "nothing misclassified")
    for axes, i in zip(np.atleast_1d(bottom.subplots(1, max(len(wrong), 1))), wrong, strict=False):
        axes.imshow(images[i, 0], cmap="gray_r")
        axes.set_title(f"{labels[i]} taken for {predicted[i]}", fontsize=9)
    for axes in bottom.axes:
        axes.axis("off")
    figure.savefig(path, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--out", type=Path, default=Path("."), help="folder for the results")
    parser.add_argument("--predict", nargs=2, type=Path, metavar=("MODEL", "LOGITS"))
    options = parser.parse_args()
    if options.predict:
        np.save(options.predict[1], predict(options.predict[0]))
        return

    start = time.perf_counter()
    model, history = train(options.epochs)
    seconds = time.perf_counter() - start
    checkpoint, picture = options.out / "digits.pt", options.out / "digits.png"
    torch.save(model.state_dict(), checkpoint)
    here, there = predict(checkpoint), reload_elsewhere(checkpoint)
    if not np.allclose(here, there, rtol=0, atol=COMPARED):
        sys.exit(f"the reloaded model differs by {np.abs(here - there).max()} in a logit")
    draw(picture, history, here)

    print(f"\ntest accuracy {history[-1]['test accuracy']:.2%} after {seconds:.1f} s of training")
    print(f"saved to {checkpoint} and loaded back in a fresh process: the same predictions")
    print(f"curves, confusion matrix and what was misclassified: {picture}")
    print(
        "\nNext: change network() in examples/digits.py and run `make demo` again;"
        "\nread docs/index.md; compare with PyTorch on this machine: `make bench`."
    )


if __name__ == "__main__":
    main()
