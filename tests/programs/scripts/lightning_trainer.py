"""lightning's Trainer: training, validation, a checkpoint, and going on from it."""

import tempfile

import lightning
import torch
from record import record


class Net(lightning.LightningModule):
    def __init__(self, width=16):
        super().__init__()
        self.save_hyperparameters()
        self.layers = torch.nn.Sequential(
            torch.nn.Linear(8, width), torch.nn.ReLU(), torch.nn.Dropout(0.1),
            torch.nn.Linear(width, 3),
        )  # fmt: skip
        self.losses, self.validations = [], []

    def training_step(self, batch, index):
        loss = torch.nn.functional.cross_entropy(self.layers(batch[0]), batch[1])
        self.log("loss", loss, on_epoch=True)
        self.losses.append(loss.item())
        return loss

    def validation_step(self, batch, index):
        loss = torch.nn.functional.cross_entropy(self.layers(batch[0]), batch[1])
        self.validations.append(loss.item())
        self.log("validation", loss)

    def configure_optimizers(self):
        optimizer = torch.optim.AdamW(self.parameters(), lr=0.01)
        return [optimizer], [torch.optim.lr_scheduler.StepLR(optimizer, 1, 0.5)]


lightning.seed_everything(0)
x, y = torch.randn(60, 8), torch.randint(0, 3, (60,))
data = torch.utils.data.TensorDataset(x, y)
loader = torch.utils.data.DataLoader(data, batch_size=12, shuffle=True)
check = torch.utils.data.DataLoader(data, batch_size=30)
options = {
    "accelerator": "cpu", "devices": 1, "enable_progress_bar": False, "logger": False,
    "enable_model_summary": False, "gradient_clip_val": 1.0,
}  # fmt: skip
folder = tempfile.mkdtemp()
net = Net()
trainer = lightning.Trainer(max_epochs=2, default_root_dir=folder, **options)
trainer.fit(net, loader, check)
record("losses", net.losses)
record("validations", net.validations)
record("metrics", [float(v) for _, v in sorted(trainer.callback_metrics.items())])
trainer.save_checkpoint(folder + "/net.ckpt")
again = Net.load_from_checkpoint(folder + "/net.ckpt", weights_only=False)
record("loaded", again.eval().layers(x[:5]))
more = lightning.Trainer(max_epochs=3, default_root_dir=folder, **options)
more.fit(again, loader, check, ckpt_path=folder + "/net.ckpt", weights_only=False)
record("more", again.losses)
record("predicted", torch.cat([again.layers(b[0]) for b in check]))
