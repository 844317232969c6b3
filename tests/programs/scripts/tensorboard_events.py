"""TensorBoard's SummaryWriter in a training loop: what is read back from its files."""

import glob
import tempfile

import torch
from record import record
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch.utils.tensorboard import SummaryWriter

torch.manual_seed(0)
folder = tempfile.mkdtemp()
model = torch.nn.Linear(4, 3)
optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
x, y = torch.randn(20, 4), torch.randint(0, 3, (20,))
with SummaryWriter(folder) as writer:
    for step in range(5):
        loss = torch.nn.functional.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        writer.add_scalar("loss", loss, step)
        writer.add_histogram("weight", model.weight, step)
    writer.add_image("weight", model.weight.detach().sigmoid()[None], 0)
    writer.add_pr_curve("first", y == 0, model(x).softmax(-1)[:, 0], 0)
    writer.add_text("said", "done", 0)
(path,) = glob.glob(folder + "/events*")
events = EventAccumulator(path, size_guidance={"histograms": 0}).Reload()
record("loss", [event.value for event in events.Scalars("loss")])
last = events.Histograms("weight")[-1].histogram_value
record("histogram", [last.min, last.max, last.num, last.sum, last.sum_squares, *last.bucket])
record("image", list(events.Images("weight")[0].encoded_image_string))
record("tags", [len(tags) for tags in events.Tags().values() if isinstance(tags, list)])
