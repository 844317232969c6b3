"""Every module beside PyTorch's: result, gradients, buffers, state_dict, printing."""

import pytest
import torch

import kagari
from tests.nn.side_by_side import assert_same, compare, twins


def x(*shape: int, grad: bool = True, positive: bool = False) -> torch.Tensor:
    made = torch.randn(
        shape, generator=torch.Generator().manual_seed(sum(shape)), dtype=torch.double
    )
    made = made.abs() + 0.1 if positive else made
    return made.requires_grad_(grad)


def index(high: int, *shape: int) -> torch.Tensor:
    return torch.randint(high, shape, generator=torch.Generator().manual_seed(3))


ACTIVATIONS = [
    (name, args)
    for name, *rest in (
        ("ReLU",), ("ReLU6",), ("Sigmoid",), ("Tanh",), ("SiLU",), ("Mish",), ("Hardswish",),
        ("Hardsigmoid",), ("SELU",), ("ELU", (), (0.7,)), ("CELU", (), (1.3,)),
        ("GELU", (), ("tanh",)), ("LeakyReLU", (), (0.2,)), ("Hardtanh", (), (-0.5, 0.8)),
        ("Hardshrink", (), (0.3,)), ("Softshrink", (), (0.3,)), ("LogSigmoid",),
        ("Softplus", (), (2.0, 1.5)), ("Softsign",), ("Tanhshrink",), ("Threshold", (0.1, -2.0)),
        ("GLU", (), (1,)), ("PReLU", (), (4,)), ("Softmax", (1,)), ("Softmin", (0,)),
        ("LogSoftmax", (-1,)), ("Softmax2d",),
    )
    for args in (rest or [()])
]  # fmt: skip
INPLACE = ("ReLU", "ReLU6", "SiLU", "Mish", "Hardswish", "Hardsigmoid", "SELU", "ELU", "CELU",
           "LeakyReLU", "Hardtanh")  # fmt: skip

CASES = [
    ("Identity", (1, 2), [x(3, 4)]),
    ("Linear", (4, 5), [x(3, 4)]),
    ("Linear", (4, 5, False), [x(2, 3, 4)]),
    ("Linear", (4, 5), [x(4)]),
    ("Bilinear", (3, 4, 5), [x(6, 3), x(6, 4)]),
    ("Conv1d", (4, 6, 3), [x(2, 4, 9)]),
    ("Conv1d", (4, 6, 3, 2, 1, 2, 2), [x(4, 9)]),
    ("Conv1d", (4, 6, 4, 1, "same"), [x(2, 4, 9)]),
    ("Conv2d", (4, 6, 3), [x(2, 4, 7, 8)]),
    ("Conv2d", (4, 6, (3, 2), (2, 1), (1, 2), 2, 2, False), [x(2, 4, 9, 8)]),
    ("Conv2d", (4, 6, 3, 1, "same", 2, 1, True, "reflect"), [x(2, 4, 9, 8)]),
    ("Conv2d", (4, 6, 3, 1, 1, 1, 1, True, "circular"), [x(2, 4, 5, 6)]),
    ("Conv3d", (2, 4, 2), [x(2, 2, 4, 5, 3)]),
    ("ConvTranspose1d", (4, 6, 3, 2, 1, 1), [x(2, 4, 5)]),
    ("ConvTranspose2d", (4, 6, 3, 2, 1, 1, 2), [x(2, 4, 5, 4)]),
    ("ConvTranspose3d", (2, 4, 2, 2), [x(1, 2, 3, 3, 2)]),
    ("BatchNorm1d", (4,), [x(5, 4)]),
    ("BatchNorm1d", (4, 1e-3, None), [x(5, 4, 3)]),
    ("BatchNorm2d", (4,), [x(3, 4, 5, 2)]),
    ("BatchNorm2d", (4, 1e-5, 0.1, False, False), [x(3, 4, 5, 2)]),
    ("BatchNorm3d", (2,), [x(3, 2, 2, 3, 2)]),
    ("InstanceNorm1d", (4,), [x(3, 4, 5)]),
    ("InstanceNorm2d", (4, 1e-5, 0.1, True, True), [x(3, 4, 5, 2)]),
    ("InstanceNorm3d", (2,), [x(2, 2, 2, 3, 2)]),
    ("LayerNorm", (6,), [x(3, 6)]),
    ("LayerNorm", ((4, 3),), [x(2, 4, 3)]),
    ("LayerNorm", (6, 1e-5, False), [x(3, 6)]),
    ("RMSNorm", (6,), [x(3, 6)]),
    ("GroupNorm", (2, 6), [x(3, 6, 4)]),
    ("LocalResponseNorm", (3,), [x(2, 5, 4, 3)]),
    ("CrossMapLRN2d", (3,), [x(2, 5, 4, 3, grad=False)]),
    ("MaxPool1d", (2,), [x(2, 3, 8)]),
    ("MaxPool2d", (3, 2, 1), [x(2, 3, 8, 7)]),
    ("MaxPool2d", (2, 2, 0, 1, True), [x(2, 3, 8, 6)]),
    ("MaxPool3d", (2,), [x(2, 3, 4, 4, 6)]),
    ("AvgPool1d", (3, 2, 1), [x(2, 3, 8)]),
    ("AvgPool2d", ((3, 2), 2, 1, True, False), [x(2, 3, 8, 7)]),
    ("AvgPool3d", (2,), [x(2, 3, 4, 4, 6)]),
    ("LPPool1d", (2, 3), [x(2, 3, 9, positive=True)]),
    ("LPPool2d", (2, 2), [x(2, 3, 4, 4, positive=True)]),
    ("AdaptiveAvgPool1d", (3,), [x(2, 3, 8)]),
    ("AdaptiveAvgPool2d", ((3, None),), [x(2, 3, 8, 7)]),
    ("AdaptiveAvgPool3d", (2,), [x(2, 3, 4, 5, 3)]),
    ("AdaptiveMaxPool1d", (3,), [x(2, 3, 8)]),
    ("AdaptiveMaxPool2d", ((3, 2), True), [x(2, 3, 8, 7)]),
    ("AdaptiveMaxPool3d", (2,), [x(2, 3, 4, 5, 3)]),
    ("MaxUnpool2d", (2,), [x(1, 1, 2, 2), torch.tensor([[[[0, 3], [8, 15]]]])]),
    ("ConstantPad1d", (2, 3.5), [x(2, 3, 4)]),
    ("ZeroPad2d", ((1, 2, 0, -1),), [x(2, 3, 4, 5)]),
    ("ReflectionPad1d", ((2, 1),), [x(2, 3, 4)]),
    ("ReflectionPad2d", (2,), [x(2, 3, 4, 5)]),
    ("ReplicationPad2d", ((1, 2, 3, 0),), [x(2, 3, 4, 5)]),
    ("ReplicationPad3d", (1,), [x(2, 3, 2, 3, 2)]),
    ("CircularPad2d", ((1, 2, 1, 0),), [x(2, 3, 4, 5)]),
    ("Flatten", (), [x(2, 3, 4)]),
    ("Unflatten", (1, (2, 3)), [x(4, 6)]),
    ("Unfold", ((2, 3), 1, 1, 2), [x(2, 3, 6, 7)]),
    ("Fold", ((4, 5), 2), [x(2, 8, 12)]),
    ("PixelShuffle", (2,), [x(2, 8, 3, 4)]),
    ("PixelUnshuffle", (2,), [x(2, 2, 4, 6)]),
    ("ChannelShuffle", (2,), [x(2, 4, 3)]),
    ("Upsample", (None, 2.0), [x(2, 3, 4, 5)]),
    ("Upsample", (None, 1.7, "bilinear", True), [x(2, 3, 4, 5)]),
    ("Upsample", ((7, 3), None, "bicubic"), [x(2, 3, 4, 5)]),
    ("Upsample", (7, None, "linear"), [x(2, 3, 4)]),
    ("Upsample", (5, None, "trilinear"), [x(1, 2, 3, 4, 2)]),
    ("Upsample", (3, None, "area"), [x(2, 3, 5, 7)]),
    ("UpsamplingBilinear2d", (None, 2), [x(2, 3, 4, 5)]),
    ("Embedding", (10, 4), [index(10, 3, 5)]),
    ("Embedding", (10, 4, 2), [index(10, 7)]),
    ("Embedding", (10, 4, None, 1.0), [index(10, 7)]),
    ("EmbeddingBag", (10, 4), [index(10, 3, 5)]),
    ("EmbeddingBag", (10, 4, None, 2.0, False, "sum"), [index(10, 7), torch.tensor([0, 3, 3])]),
    ("EmbeddingBag", (10, 4, None, 2.0, False, "max"), [index(10, 3, 5)]),
    ("AdaptiveLogSoftmaxWithLoss", (8, 12, [3, 7], 2.0), [x(5, 8), index(12, 5)]),
    ("LinearCrossEntropyLoss", (6, 4), [x(5, 6), index(4, 5)]),
    ("CosineSimilarity", (1,), [x(3, 5), x(3, 5)]),
    ("PairwiseDistance", (3.0,), [x(3, 5), x(3, 5)]),
]  # fmt: skip

SIGNS = torch.tensor([1.0, -1.0, 1.0, -1.0], dtype=torch.double)
LOSSES = [
    ("L1Loss", {}, [x(4, 5), x(4, 5, grad=False) + 1]),
    ("MSELoss", {}, [x(4, 5), x(4, 5, grad=False) + 1]),
    ("SmoothL1Loss", {"beta": 0.5}, [x(4, 5), x(4, 5, grad=False) * 2]),
    ("HuberLoss", {"delta": 0.5}, [x(4, 5), x(4, 5, grad=False) * 2]),
    ("KLDivLoss", {}, [x(4, 5), x(4, 5, grad=False, positive=True)]),
    ("KLDivLoss", {"log_target": True}, [x(4, 5), x(4, 5, grad=False)]),
    ("PoissonNLLLoss", {"full": True}, [x(4, 5), x(4, 5, grad=False, positive=True) * 3]),
    ("GaussianNLLLoss", {"full": True}, [x(4, 5), x(4, 5, grad=False), x(4, 5, positive=True)]),
    ("NLLLoss", {"weight": torch.rand(5).double(), "ignore_index": 2}, [x(4, 5), index(5, 4)]),
    ("NLLLoss", {}, [x(4, 5, 3), index(5, 4, 3)]),
    ("CrossEntropyLoss", {}, [x(4, 5), index(5, 4)]),
    ("CrossEntropyLoss", {"label_smoothing": 0.1, "weight": torch.rand(5).double()},
     [x(4, 5, 3), index(5, 4, 3)]),
    ("CrossEntropyLoss", {"label_smoothing": 0.1}, [x(4, 5), x(4, 5, grad=False).softmax(1)]),
    ("BCELoss", {}, [x(4, 5).detach().sigmoid().requires_grad_(), index(2, 4, 5).double()]),
    ("BCEWithLogitsLoss", {"pos_weight": torch.rand(5).double()},
     [x(4, 5), index(2, 4, 5).double()]),
    ("HingeEmbeddingLoss", {}, [x(4), SIGNS]),
    ("MultiLabelMarginLoss", {}, [x(2, 4), torch.tensor([[3, 0, -1, 1], [1, -1, 0, 2]])]),
    ("SoftMarginLoss", {}, [x(4), SIGNS]),
    ("MultiLabelSoftMarginLoss", {}, [x(4, 5), index(2, 4, 5).double()]),
    ("CosineEmbeddingLoss", {"margin": 0.1}, [x(4, 5), x(4, 5), SIGNS]),
    ("MarginRankingLoss", {"margin": 0.2}, [x(4), x(4), SIGNS]),
    ("MultiMarginLoss", {"p": 2}, [x(4, 5), index(5, 4)]),
    ("TripletMarginLoss", {"swap": True}, [x(4, 5), x(4, 5) + 1, x(4, 5) - 2]),
    ("CTCLoss", {}, [x(9, 2, 5).detach().log_softmax(2).requires_grad_(),
                     torch.tensor([[1, 2, 2], [3, 4, 0]]), (9, 8), (3, 2)]),
]  # fmt: skip


def fresh(inputs: list) -> list:
    """Leaves of their own, so that one test's gradients are not another's."""
    return [
        t.detach().clone().requires_grad_(t.requires_grad) if isinstance(t, torch.Tensor) else t
        for t in inputs
    ]


@pytest.mark.parametrize(("name", "args"), ACTIVATIONS)
def test_activation(name, args):
    compare(*twins(name, *args), *fresh([x(3, 4, 2, 2)]))


@pytest.mark.parametrize("name", INPLACE)
def test_activation_in_place_writes_and_differentiates(name):
    ours, theirs = twins(name, inplace=True)
    for library, module in ((kagari, ours), (torch, theirs)):
        leaf = library.linspace(-3, 3, 13, dtype=library.float64).requires_grad_()
        given = leaf * 1
        result = module(given)
        assert result is given
        (result * result).sum().backward()
        module.seen = leaf.grad.numpy()
    assert abs(ours.seen - theirs.seen).max() < 1e-7  # PyTorch rounds 1/6 to float


@pytest.mark.parametrize(("name", "args", "inputs"), CASES)
def test_module(name, args, inputs):
    ours, theirs = twins(name, *args)
    compare(ours, theirs, *fresh(inputs))
    compare(ours.eval(), theirs.eval(), *fresh(inputs))
    assert repr(ours) == repr(theirs)


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize(("name", "kwargs", "inputs"), LOSSES)
@pytest.mark.filterwarnings("ignore:reduction")
def test_loss(name, kwargs, inputs, reduction):
    compare(*twins(name, reduction=reduction, **kwargs), *fresh(inputs))


@pytest.mark.parametrize(("name", "args"), [(n, a) for n, a, _ in CASES] + ACTIVATIONS)
def test_state_has_the_same_names_and_shapes(name, args):
    ours, theirs = twins(name, *args)
    assert {k: tuple(v.shape) for k, v in ours.state_dict().items()} == {
        k: tuple(v.shape) for k, v in theirs.state_dict().items()
    }


@pytest.mark.parametrize(
    ("name", "args", "shape"),
    [("Dropout", (0.3,), (40,)), ("Dropout", (0.5,), (7, 5)), ("Dropout1d", (0.5,), (4, 6, 3)),
     ("Dropout2d", (0.5,), (2, 8, 3, 3)), ("Dropout3d", (0.5,), (2, 8, 2, 2, 2)),
     ("AlphaDropout", (0.4,), (30,)), ("FeatureAlphaDropout", (0.4,), (2, 8, 3))],
)  # fmt: skip
def test_dropout_in_evaluation_is_the_identity_and_in_training_drops(name, args, shape):
    module = getattr(kagari.nn, name)(*args)
    given = kagari.ones(*shape)
    assert (module.eval()(given) == given).all()
    kagari.random.manual_seed(5)
    first = module.train()(given)
    kagari.random.manual_seed(5)
    assert (module(given) == first).all()
    assert not bool((first == given).all())
    with pytest.raises(ValueError, match="between 0 and 1"):
        getattr(kagari.nn, name)(1.5)


def test_adaptive_softmax_predicts():
    ours, theirs = twins("AdaptiveLogSoftmaxWithLoss", 8, 12, [3, 7], 1.5)
    given = x(20, 8)
    mine = kagari.from_numpy(given.detach().numpy())
    assert_same(ours.log_prob(mine), theirs.log_prob(given))
    assert_same(ours.predict(mine), theirs.predict(given))
    with pytest.raises(RuntimeError, match="range"):
        ours(mine, kagari.full((20,), 12))


def test_sparse_gradients_are_refused():
    module = kagari.nn.Embedding(3, 2, sparse=True)
    with pytest.raises(NotImplementedError, match="sparse=False"):
        module(kagari.tensor([0]))
    with kagari.no_grad():
        assert module(kagari.tensor([0])).shape == (1, 2)


@pytest.mark.parametrize(
    ("make", "given"),
    [
        (lambda: kagari.nn.LazyLinear(3), (2, 5)),
        (lambda: kagari.nn.LazyConv2d(3, 2, padding=1), (2, 5, 4, 4)),
        (lambda: kagari.nn.LazyConvTranspose1d(3, 2, 2), (2, 5, 4)),
        (lambda: kagari.nn.LazyBatchNorm1d(), (2, 5, 4)),
    ],
)
@pytest.mark.filterwarnings("ignore:Lazy modules")
def test_lazy_modules_take_their_shapes_from_the_first_input(make, given):
    module = make()
    kind = type(module)
    with pytest.raises(RuntimeError, match="not known yet"):
        next(module.parameters()).shape  # noqa: B018
    module(kagari.randn(*given))
    assert type(module) is not kind
    assert all(p.numel() for p in module.parameters())
