"""Schedulers beside PyTorch's: rates and momenta of every epoch, resumed runs, errors."""

import pytest
import torch

import kagari

CASES = [
    ("LambdaLR", {"lr_lambda": lambda e: 0.9**e}),
    ("MultiplicativeLR", {"lr_lambda": lambda e: 1 / (e + 1)}),
    ("StepLR", {"step_size": 3, "gamma": 0.5}),
    ("MultiStepLR", {"milestones": [2, 5, 5, 9], "gamma": 0.5}),
    ("ConstantLR", {"factor": 0.25, "total_iters": 4}),
    ("LinearLR", {"start_factor": 0.2, "end_factor": 0.9, "total_iters": 6}),
    ("ExponentialLR", {"gamma": 0.8}),
    ("PolynomialLR", {"total_iters": 7, "power": 2.0}),
    ("CosineAnnealingLR", {"T_max": 5, "eta_min": 0.01}),
    ("CosineAnnealingWarmRestarts", {"T_0": 3, "T_mult": 2, "eta_min": 0.01}),
    ("OneCycleLR", {"max_lr": 1.0, "total_steps": 16}),
    ("OneCycleLR", {"max_lr": [1.0, 2.0], "epochs": 4, "steps_per_epoch": 4, "three_phase": True,
                    "anneal_strategy": "linear"}),
    ("CyclicLR", {"base_lr": 0.1, "max_lr": 1.0, "step_size_up": 3, "step_size_down": 2}),
    ("CyclicLR", {"base_lr": 0.1, "max_lr": 1.0, "step_size_up": 2, "mode": "triangular2"}),
    ("CyclicLR", {"base_lr": 0.1, "max_lr": 1.0, "step_size_up": 2, "mode": "exp_range",
                  "gamma": 0.9}),
]  # fmt: skip


def optimizer(library, name="SGD"):
    first, second = (library.nn.Parameter(library.ones(1)) for _ in range(2))
    options = {"momentum": 0.9} if name == "SGD" else {}
    groups = [{"params": [first]}, {"params": [second], "lr": 0.3}]
    return getattr(library.optim, name)(groups, lr=0.5, **options)


def rates(opt):
    momentum = "momentum" if "momentum" in opt.defaults else "betas"
    return [(group["lr"], group[momentum]) for group in opt.param_groups]


def path(opt, scheduler, epochs=14):
    seen = [rates(opt)]
    for _ in range(epochs):
        opt.step()
        scheduler.step()
        seen.append(rates(opt))
        assert scheduler.get_last_lr() == [group["lr"] for group in opt.param_groups]
    return seen


def flat(value):
    if isinstance(value, (list, tuple)):
        return [x for part in value for x in flat(part)]
    return [float(value)]


def assert_equal(ours, theirs):
    assert flat(ours) == pytest.approx(flat(theirs), rel=1e-12)


@pytest.mark.parametrize("name", ["SGD", "Adam"])
@pytest.mark.parametrize(("kind", "options"), CASES)
def test_the_path_is_pytorchs(kind, options, name):
    paths = []
    for library in (kagari, torch):
        opt = optimizer(library, name)
        paths.append(path(opt, getattr(library.optim.lr_scheduler, kind)(opt, **options)))
    assert_equal(*paths)


@pytest.mark.parametrize(("kind", "options"), CASES)
def test_resuming_continues_the_path(kind, options):
    whole_opt = optimizer(kagari)
    whole = path(whole_opt, getattr(kagari.optim.lr_scheduler, kind)(whole_opt, **options), 10)
    first = optimizer(kagari)
    scheduler = getattr(kagari.optim.lr_scheduler, kind)(first, **options)
    path(first, scheduler, 4)
    second = optimizer(kagari)
    resumed = getattr(kagari.optim.lr_scheduler, kind)(second, **options)
    second.load_state_dict(first.state_dict())
    resumed.load_state_dict(scheduler.state_dict())
    assert_equal(path(second, resumed, 6), whole[4:])


@pytest.mark.parametrize(("kind", "options"), CASES)
def test_state_has_pytorchs_names(kind, options):
    names = []
    for library in (kagari, torch):
        opt = optimizer(library)
        names.append(set(getattr(library.optim.lr_scheduler, kind)(opt, **options).state_dict()))
    ours, theirs = names
    assert theirs - ours <= {"_scale_fn_custom", "_scale_fn_ref"}, theirs - ours


def test_combined():
    paths = []
    for library in (kagari, torch):
        s = library.optim.lr_scheduler
        opt = optimizer(library)
        parts = [s.LinearLR(opt, 0.1, total_iters=3), s.CosineAnnealingLR(opt, 5),
                 s.ExponentialLR(opt, 0.5)]  # fmt: skip
        one = path(opt, s.SequentialLR(opt, parts, [3, 8]))
        opt = optimizer(library)
        both = s.ChainedScheduler([s.StepLR(opt, 2, 0.5), s.ExponentialLR(opt, 0.9)])
        paths.append(one + path(opt, both))
    assert_equal(*paths)


@pytest.mark.parametrize(
    "options",
    [{}, {"mode": "max", "threshold_mode": "abs", "threshold": 0.2},
     {"patience": 1, "cooldown": 2, "min_lr": [0.2, 0.1]}, {"patience": 0, "factor": 0.5}],
)  # fmt: skip
def test_plateau(options):
    metrics = [5, 4, 4, 4.1, 3, 3, 3.1, 3, 2.9, 2.95, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3]
    paths = []
    for library in (kagari, torch):
        opt = optimizer(library)
        scheduler = library.optim.lr_scheduler.ReduceLROnPlateau(opt, **options)
        seen = []
        for metric in metrics:
            scheduler.step(library.tensor(metric))
            seen.append(rates(opt))
        paths.append(seen)
    assert_equal(*paths)


def test_an_epoch_may_be_given():
    paths = []
    for library in (kagari, torch):
        opt = optimizer(library)
        scheduler = library.optim.lr_scheduler.StepLR(opt, 3)
        opt.step()
        with pytest.warns(UserWarning, match="epoch parameter"):
            scheduler.step(7)
        restarts = library.optim.lr_scheduler.CosineAnnealingWarmRestarts(opt, 4, 2)
        seen = [rates(opt)]
        for epoch in (0.5, 3.9, 5.25, 30.0):
            restarts.step(epoch)
            seen.append(rates(opt))
        paths.append(seen)
    assert_equal(*paths)


def test_a_rate_that_is_a_tensor_keeps_its_identity():
    rate = kagari.tensor(0.5)
    opt = kagari.optim.Adam([kagari.nn.Parameter(kagari.ones(1))], lr=rate)
    scheduler = kagari.optim.lr_scheduler.ExponentialLR(opt, 0.5)
    opt.step()
    scheduler.step()
    assert opt.param_groups[0]["lr"] is rate and float(rate) == 0.25
    assert scheduler.get_last_lr()[0] is not rate


def test_wrong_use():
    s = kagari.optim.lr_scheduler
    opt = optimizer(kagari)
    with pytest.warns(UserWarning, match="before `optimizer.step"):
        s.StepLR(opt, 3).step()
    with pytest.warns(UserWarning, match="get_last_lr"):
        s.StepLR(opt, 3).get_lr()
    with pytest.raises(TypeError, match="is not an Optimizer"):
        s.StepLR(3, 3)
    with pytest.raises(KeyError, match="initial_lr"):
        s.StepLR(optimizer(kagari), 3, last_epoch=4)
    with pytest.raises(ValueError, match="total_steps OR"):
        s.OneCycleLR(opt, 1.0)
    with pytest.raises(ValueError, match="pct_start"):
        s.OneCycleLR(opt, 1.0, 10, pct_start=2.0)
    with pytest.raises(ValueError, match="same length"):
        s.OneCycleLR(opt, [1.0], 10)
    with pytest.raises(ValueError, match="Expected 2 lr_lambdas"):
        s.LambdaLR(opt, [lambda e: e])
    with pytest.raises(ValueError, match="one more"):
        s.SequentialLR(opt, [s.StepLR(opt, 1)], [3])
    with pytest.raises(ValueError, match="T_0"):
        s.CosineAnnealingWarmRestarts(opt, 0)
    with pytest.raises(ValueError, match="Factor"):
        s.ReduceLROnPlateau(opt, factor=1.0)
    last = s.OneCycleLR(opt, 1.0, 2)
    opt.step()
    last.step()
    last.step()
    with pytest.raises(ValueError, match="Tried to step 3 times"):
        last.step()
