"""nn.functional beside PyTorch's where no module leads: resizing, sampling, edges, errors."""

import pytest
import torch

import kagari
from kagari.nn import functional as F
from tests.nn.side_by_side import assert_same, leaves, scalar, to_kagari

TF = torch.nn.functional


def x(*shape, positive=False):
    made = torch.randn(
        shape, generator=torch.Generator().manual_seed(sum(shape)), dtype=torch.double
    )
    return (made.abs() + 0.1 if positive else made).requires_grad_()


def index(high, *shape):
    return torch.randint(high, shape, generator=torch.Generator().manual_seed(3))


CASES = [
    ("interpolate", (x(2, 3, 5, 4),), {"scale_factor": (1.5, 2.3), "mode": "nearest"}),
    ("interpolate", (x(2, 3, 5, 4),), {"size": (3, 9), "mode": "nearest-exact"}),
    ("interpolate", (x(2, 3, 5, 4),), {"scale_factor": 0.6, "mode": "bilinear"}),
    ("interpolate", (x(2, 3, 5, 4),), {"scale_factor": 1.6, "mode": "bicubic",
                                       "recompute_scale_factor": True}),
    ("interpolate", (x(2, 3, 5, 4),), {"size": 7, "mode": "bicubic", "align_corners": True}),
    ("interpolate", (x(1, 2, 9, 8),), {"size": (4, 3), "mode": "bilinear", "antialias": True}),
    ("interpolate", (x(1, 2, 9, 8),), {"size": (4, 13), "mode": "bicubic", "antialias": True}),
    ("interpolate", (x(1, 2, 3, 4, 5),), {"size": 4, "mode": "nearest"}),
    ("grid_sample", (x(2, 3, 4, 5), x(2, 3, 6, 2)), {"align_corners": False}),
    ("grid_sample", (x(2, 3, 4, 5), x(2, 3, 6, 2)), {"mode": "nearest", "align_corners": True}),
    ("grid_sample", (x(2, 3, 4, 5), x(2, 3, 6, 2)),
     {"mode": "bicubic", "padding_mode": "border", "align_corners": False}),
    ("grid_sample", (x(2, 3, 4, 5), x(2, 3, 6, 2)),
     {"padding_mode": "reflection", "align_corners": False}),
    ("grid_sample", (x(1, 2, 3, 4, 5), x(1, 2, 3, 2, 3)),
     {"padding_mode": "border", "align_corners": True}),
    ("affine_grid", (x(2, 2, 3), [2, 1, 4, 5]), {"align_corners": False}),
    ("affine_grid", (x(1, 3, 4), [1, 1, 2, 3, 4]), {"align_corners": True}),
    ("pad", (x(2, 3), (1, 2, 0, 1)), {"value": 2.5}),
    ("pad", (x(2, 3, 4), (-1, 2)), {}),
    ("pad", (x(2, 3, 4, 5), (2, 1, 3, 0)), {"mode": "reflect"}),
    ("one_hot", (index(4, 3, 2),), {}),
    ("one_hot", (index(4, 3), 7), {}),
    ("normalize", (x(3, 4),), {}),
    ("normalize", (x(3, 4), 1.0, 0), {}),
    ("pdist", (x(5, 3),), {}),
    ("pdist", (x(5, 3), 1.0), {}),
    ("cosine_similarity", (x(3, 1, 4), x(2, 4)), {"dim": -1}),
    ("pairwise_distance", (x(3, 4), x(4)), {"p": 1.0, "keepdim": True}),
    ("lp_pool3d", (x(1, 2, 4, 4, 4, positive=True), 2, 2), {}),
    ("conv_tbc", (x(5, 2, 3), x(3, 3, 4), x(4), 1), {}),
    ("bilinear", (x(2, 3, 4), x(2, 3, 5), x(6, 4, 5)), {}),
    ("fold", (x(8, 12), (4, 5), 2), {}),
    ("unfold", (x(3, 6, 7), 2), {"dilation": 2, "padding": 1}),
    ("max_unpool1d", (x(1, 2, 3), torch.tensor([[[0, 3, 4], [1, 2, 5]]]), 2), {}),
    ("embedding_bag", (index(9, 6), x(9, 3), torch.tensor([0, 2, 2, 6])),
     {"include_last_offset": True}),
    ("embedding_bag", (index(9, 2, 4), x(9, 3)), {"mode": "sum", "per_sample_weights": x(2, 4)}),
    ("embedding_bag", (index(3, 2, 4), x(3, 3)), {"mode": "mean", "padding_idx": 1}),
    ("embedding_bag", (index(3, 2, 4), x(3, 3)), {"mode": "max", "padding_idx": 1}),
    ("mse_loss", (x(3, 4), x(3, 4)), {"weight": torch.rand(3, 4).double()}),
    ("smooth_l1_loss", (x(3), x(3)), {"beta": 0.0}),
    ("ctc_loss", (x(6, 5).detach().log_softmax(1).requires_grad_(), torch.tensor([1, 2]),
                  torch.tensor(6), torch.tensor(2)), {}),
    ("ctc_loss", (x(3, 2, 5).detach().log_softmax(2).requires_grad_(),
                  torch.tensor([[1, 1, 2], [3, 0, 0]]), (3, 3), (3, 1)), {"zero_infinity": True}),
    ("multilabel_margin_loss", (x(4), torch.tensor([3, -1, 0, 1])), {}),
    ("multi_margin_loss", (x(4), torch.tensor(2)), {"reduction": "none"}),
    ("cross_entropy", (x(4), torch.tensor(2)), {}),
    ("cross_entropy", (x(3, 4), torch.tensor([1, -100, 2])), {"label_smoothing": 0.2}),
    ("local_response_norm", (x(2, 5, 4), 4), {}),
    ("glu", (x(3, 8),), {}),
    ("softmax", (x(3, 4), 0), {"dtype": torch.float64}),
    ("fractional_max_pool2d", (x(1, 2, 7, 8), 2, (3, 4)),
     {"_random_samples": torch.rand(1, 2, 2).double(), "return_indices": True}),
    ("fractional_max_pool3d", (x(1, 2, 7, 8, 6), 2),
     {"output_ratio": 0.5, "_random_samples": torch.rand(1, 2, 3).double()}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "args", "kwargs"), CASES)
@pytest.mark.filterwarnings("ignore:Using a target size")
def test_beside_pytorch(name, args, kwargs):
    theirs = [
        a.detach().clone().requires_grad_(a.requires_grad) if isinstance(a, torch.Tensor) else a
        for a in args
    ]
    ours = [to_kagari(a) for a in theirs]
    a = getattr(F, name)(*ours, **to_kagari(kwargs))
    b = getattr(TF, name)(*theirs, **kwargs)
    assert_same(a, b, rtol=1e-7, atol=1e-8)
    if any(leaf.requires_grad for leaf in leaves(b) if isinstance(leaf, torch.Tensor)):
        scalar(a).backward()
        scalar(b).backward()
        for p, q in zip(ours, theirs, strict=True):
            if isinstance(q, torch.Tensor) and q.grad is not None:
                assert_same(p.grad, q.grad, rtol=1e-6, atol=1e-7)


def test_gumbel_softmax():
    logits = kagari.zeros(500, 4)
    kagari.random.manual_seed(0)
    hard = F.gumbel_softmax(logits, hard=True)
    assert hard.sum(1).tolist() == pytest.approx([1.0] * 500)
    assert all(80 < n < 170 for n in hard.sum(0).tolist())
    soft = F.gumbel_softmax(logits.requires_grad_(), tau=0.5)
    soft.square().sum().backward()
    assert logits.grad.abs().sum().item() > 0


def test_random_leaky_relu():
    given = kagari.linspace(-4, 4, 81)
    assert bool((F.rrelu(given) == F.leaky_relu(given, (1 / 8 + 1 / 3) / 2)).all())
    slope = F.rrelu(given, training=True)[:40] / given[:40]
    assert 1 / 8 <= slope.min().item() and slope.max().item() <= 1 / 3


ERRORS = [
    (lambda: F.interpolate(kagari.ones(1, 1, 2)), ValueError, "size or scale_factor"),
    (lambda: F.interpolate(kagari.ones(1, 1, 2), (2, 2)), ValueError, "spatial dimensions"),
    (lambda: F.interpolate(kagari.ones(1, 1, 2), 3, mode="bicubic"), NotImplementedError, "modes"),
    (lambda: F.interpolate(kagari.ones(1, 1, 2), 0), RuntimeError, "greater than 0"),
    (lambda: F.grid_sample(kagari.ones(1, 1, 2, 2), kagari.ones(2, 1, 2, 2), align_corners=True),
     RuntimeError, "1 samples"),
    (lambda: F.grid_sample(kagari.ones(1, 1, 2, 2), kagari.ones(1, 1, 1, 2), "cubic"),
     ValueError, "'bicubic'"),
    (lambda: F.cross_entropy(kagari.ones(2, 3), kagari.tensor([0, 3])), IndexError, "Target 3"),
    (lambda: F.cross_entropy(kagari.ones(2, 3), kagari.tensor([0])), ValueError, "batch_size"),
    (lambda: F.cross_entropy(kagari.ones(2, 3), kagari.ones(2)), RuntimeError, "int64"),
    (lambda: F.cross_entropy(kagari.ones(2, 3), kagari.tensor([0, 1]), reduction="all"),
     ValueError, "not a valid value"),
    (lambda: F.nll_loss(kagari.ones(2, 3), kagari.tensor([0, 1]), kagari.ones(2)),
     RuntimeError, "weight tensor should be defined"),
    (lambda: F.binary_cross_entropy(kagari.tensor([2.0]), kagari.tensor([1.0])), RuntimeError,
     "between 0 and 1"),
    (lambda: F.binary_cross_entropy(kagari.ones(2), kagari.ones(3)), ValueError, "target size"),
    (lambda: F.pixel_shuffle(kagari.ones(1, 3, 2, 2), 2), RuntimeError, "divisible by the square"),
    (lambda: F.fold(kagari.ones(1, 8, 3), (4, 5), 2), RuntimeError, "does not fit"),
    (lambda: F.unfold(kagari.ones(1, 1, 2, 2), 3), RuntimeError, "smaller than one block"),
    (lambda: F.embedding(kagari.tensor([0]), kagari.ones(2, 2), 5), AssertionError, "within"),
    (lambda: F.embedding_bag(kagari.tensor([0]), kagari.ones(2, 2)), ValueError, "offsets"),
    (lambda: F.prelu(kagari.ones(1, 3), kagari.ones(2)), RuntimeError, "one per channel"),
    (lambda: F.glu(kagari.ones(3)), RuntimeError, "must be even"),
    (lambda: F.dropout(kagari.ones(3), 2.0), ValueError, "between 0 and 1"),
    (lambda: F.conv2d(kagari.ones(1, 1, 4, 4), kagari.ones(1, 1, 3, 3), padding="most"),
     RuntimeError, "Invalid padding string"),
    (lambda: F.conv1d(kagari.ones(1, 1, 4), kagari.ones(1, 1, 3), stride=2, padding="same"),
     RuntimeError, "strided"),
    (lambda: F.batch_norm(kagari.ones(1, 3), None, None, training=True), ValueError, "more than 1"),
    (lambda: F.instance_norm(kagari.ones(2, 3, 1)), ValueError, "more than 1 spatial"),
    (lambda: F.huber_loss(kagari.ones(1), kagari.ones(1), delta=0), RuntimeError, "non-positive"),
    (lambda: F.max_unpool1d(kagari.ones(1, 1, 1), kagari.tensor([[[9]]]), 2), RuntimeError,
     "invalid max index"),
    (lambda: F.ctc_loss(kagari.ones(2, 1, 3), kagari.tensor([[1]]), (9,), (1,)), RuntimeError,
     "input_lengths"),
    (lambda: F.pdist(kagari.ones(3)), RuntimeError, "2D"),
    (lambda: F.one_hot(kagari.tensor([1.0])), RuntimeError, ""),
    (lambda: F.mse_loss(kagari.ones(1), kagari.ones(1), reduction="no"), ValueError, "not a valid"),
]  # fmt: skip


@pytest.mark.parametrize(("act", "error", "text"), ERRORS)
def test_wrong_input(act, error, text):
    with pytest.raises(error, match=text):
        act()


def test_older_names_and_arguments_warn():
    given = kagari.ones(1, 1, 2, 2)
    with pytest.warns(UserWarning, match="deprecated"):
        assert F.upsample_nearest(given, scale_factor=2).shape == (1, 1, 4, 4)
    with pytest.warns(UserWarning, match="reduction='sum'"):
        assert F.mse_loss(given, given * 0, size_average=False).item() == 4
    with pytest.warns(UserWarning, match="different to the input size"):
        F.mse_loss(kagari.ones(2, 2), kagari.ones(2))
    with pytest.warns(UserWarning, match="Implicit dimension"):
        F.softmax(kagari.ones(2, 2))


@pytest.mark.parametrize("mode", ["sum", "mean"])
def test_bags_of_halves_are_summed_in_float32(mode):
    weight = kagari.randn(50, 3, generator=kagari.Generator().manual_seed(0)).half()
    index = kagari.arange(50).reshape(1, 50)
    exact = getattr(weight.double(), mode)(0, keepdim=True)
    found = F.embedding_bag(index, weight, mode=mode)
    assert found.dtype == kagari.float16 and found.equal(exact.half())
