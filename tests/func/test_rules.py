"""Every batching rule against a loop: values, gradients per sample, batched gradients."""

import pytest
import torch

import kagari
from kagari.func import batching, grad, vmap
from kagari.kernels.define import load
from tests.func import op_samples

# names of the database whose ops are not tried here, with the reason
RANDOM = "draws random numbers: see test_vmap.py"
DATA = "the shape of the result depends on values"
UNLIKE = {
    "bernoulli": RANDOM, "multinomial": RANDOM, "normal": RANDOM, "rand_like": RANDOM,
    "randn_like": RANDOM, "nn.functional.feature_alpha_dropout": RANDOM,
    "nn.functional.fractional_max_pool2d": RANDOM, "nn.functional.rrelu": RANDOM,
    "nn.functional.fractional_max_pool3d": RANDOM, "randint_like": RANDOM,
    "nn.functional.scaled_dot_product_attention": RANDOM,
    "argwhere": DATA, "masked_select": DATA, "nonzero": DATA, "nonzero_static": DATA,
    "unique": DATA, "unique_consecutive": DATA, "index_put": DATA, "bincount": DATA,
    "tensor_split": DATA, "narrow": DATA, "repeat_interleave": DATA,
    "linspace": "its ends are numbers", "logspace": "its ends are numbers",
    "empty_like": "its values are undefined", "new_empty_strided": "its values are undefined",
    "new_empty": "its values are undefined",
    "as_strided": "sees the memory around a sample", "as_strided_copy": "as as_strided",
    "as_strided_scatter": "as as_strided",
    "cov": "reads weights", "histogram": "reads edges", "histogramdd": "reads edges",
    "resize_": "a sample has no memory of its own", "resize_as_": "as resize_",
    "native_batch_norm": "writes to statistics that samples share",
    "nn.functional.batch_norm": "as native_batch_norm",
    "nn.functional.instance_norm": "as native_batch_norm",
    "nn.functional.ctc_loss": "reads lengths", "histc": "has no rule",
}  # fmt: skip

# one or several for each rule; --full tries every name of the database
CHOSEN = """
    add where clamp lerp atan2 polar pow nan_to_num isclose masked_fill
    sum mean prod amax argmax std_mean norm logsumexp cumsum cummax softmax sort topk kthvalue
    median all any count_nonzero nansum var max min linalg.vector_norm aminmax logcumsumexp
    view reshape expand permute transpose squeeze unsqueeze movedim flip roll repeat tile unfold
    cat stack hstack split chunk unbind diagonal diag_embed diag tril triu block_diag select_scatter
    slice_scatter diagonal_scatter nn.functional.pad view_as_complex atleast_2d rot90 kron
    gather scatter scatter_add scatter_reduce index_select index_add index_copy index_fill index_put
    take put masked_scatter __getitem__ take_along_dim searchsorted
    matmul mm bmm mv dot vdot inner outer addmm addmv addbmm baddbmm addr linalg.multi_dot einsum
    tensordot nn.functional.linear linalg.det linalg.inv linalg.solve linalg.cholesky linalg.qr
    linalg.svd linalg.eigh linalg.lu linalg.lu_solve linalg.solve_triangular linalg.pinv
    linalg.lstsq linalg.matrix_power matrix_exp cholesky_solve
    nn.functional.conv1d nn.functional.conv2d nn.functional.conv3d nn.functional.conv_transpose2d
    nn.functional.avg_pool2d nn.functional.max_pool2d nn.functional.adaptive_avg_pool1d
    nn.functional.adaptive_max_pool2d nn.functional.max_unpool2d nn.functional.layer_norm
    nn.functional.group_norm nn.functional.rms_norm nn.functional.nll_loss nn.functional.mse_loss
    nn.functional.cross_entropy nn.functional.binary_cross_entropy nn.functional.interpolate
    nn.functional.multi_margin_loss cdist linalg.ldl_factor linalg.ldl_solve ormqr
    nn.functional.local_response_norm nn.functional.prelu
    fft.fft fft.rfft2 fft.irfftn
""".split()


def names(full):
    wanted = op_samples.database() if full else CHOSEN
    return [name for name in wanted if name not in UNLIKE or not full]


def pytest_generate_tests(metafunc):
    if "name" in metafunc.fixturenames:
        full = metafunc.config.getoption("--full", default=False)
        metafunc.parametrize("name", [n for n in names(full) if n not in UNLIKE])


def close(found, expected):
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        assert a.shape == b.shape, (a.shape, b.shape)
        assert a.dtype == b.dtype, (a.dtype, b.dtype)
        a, b = (t if t.is_complex() else t.double() for t in (a, b))
        assert kagari.allclose(a, b, rtol=1e-7, atol=1e-9, equal_nan=True), (a, b)


def trials(name, most):
    """(function, leaves) of samples that a loop over variants of them can run."""
    for function, args, kwargs in op_samples.samples_of(name, torch.float64, most):
        leaves = op_samples.Leaves(args, kwargs)
        if not leaves.tensors:
            continue
        options = [op_samples.variants(t) for t in leaves.tensors]
        try:
            for i in range(op_samples.SAMPLES):
                found = leaves.call(function, [o[i].clone() for o in options])
        except (RuntimeError, ValueError, IndexError, TypeError, NotImplementedError):
            continue  # not an argument that this op takes, here
        if op_samples.flat(found):
            yield function, leaves


def test_values(name):
    for function, leaves in trials(name, 4):
        for dims in op_samples.patterns(len(leaves.tensors)):
            close(*op_samples.batched(function, leaves, dims))


def test_gradients_per_sample(name):
    for function, leaves in trials(name, 2):
        floating = [i for i, t in enumerate(leaves.tensors) if t.is_floating_point()]
        if not floating or not op_samples.database()[name][0].supports_autograd:
            continue

        def loss(chosen, *tensors, function=function, leaves=leaves, floating=floating):
            tensors = list(tensors)
            for i, t in zip(floating, chosen, strict=True):
                tensors[i] = t
            total = kagari.zeros((), dtype=kagari.float64)
            for out in op_samples.flat(leaves.call(function, tensors)):
                if out.requires_grad:
                    out = out.abs() if out.is_complex() else out
                    total = total + (out * out.detach().cos()).sum()
            return total

        options = [op_samples.variants(t) for t in leaves.tensors]
        by_sample = []
        try:
            for i in range(op_samples.SAMPLES):
                given = [o[i] for o in options]
                by_sample.append(grad(loss)([given[j] for j in floating], *given))
        except RuntimeError as error:
            assert "not differentiable" in str(error)
            continue
        stacked = [kagari.stack(o) for o in options]
        found = vmap(grad(loss))([stacked[j] for j in floating], *stacked)
        close(found, [kagari.stack(parts) for parts in zip(*by_sample, strict=True)])


def test_batched_gradients(name):
    for function, leaves in trials(name, 2):
        tensors = [
            t.clone().requires_grad_() if t.is_floating_point() else t for t in leaves.tensors
        ]
        inputs = [t for t in tensors if t.requires_grad]
        used = [t.view_as(t) if t.requires_grad else t for t in tensors]
        try:
            outs = [o for o in op_samples.flat(leaves.call(function, used)) if o.requires_grad]
        except RuntimeError as error:
            assert "not differentiable" in str(error)
            continue
        if not outs or not outs[0].numel():
            continue
        out = outs[0]
        starts = kagari.stack([kagari.ones_like(out), kagari.full_like(out, 0.5)])
        keep = {"retain_graph": True, "allow_unused": True, "materialize_grads": True}
        loop = [kagari.autograd.grad(out, inputs, s, **keep) for s in starts]
        found = kagari.autograd.grad(out, inputs, starts, is_grads_batched=True, **keep)
        close(found, [kagari.stack(parts) for parts in zip(*loop, strict=True)])


# --- the rules as a table ------------------------------------------------------------------------

# rows of docs/not_supported.md
# recurrent layers go step by step inside transforms, by other ops
WITHOUT = {
    "_become", "_rnn_layer", "_rnn_layer_backward", "fused_adam_", "fused_sgd_", "fused_update_",
    "histc",
}  # fmt: skip


def every_op():
    """Name and schema of every op that takes tensors, elementwise ones apart."""
    elementwise = {n for op in load().values() for n in (op.name, *op.aliases)}
    found = {}
    for name, function in kagari._C.places["ops"].items():
        if name in elementwise:
            continue
        for schema in function.schemas:
            if "Tensor" in schema.split("->")[0]:
                found[schema.split("(", 1)[0]] = schema
    return found


def test_every_op_has_a_rule():
    ops = every_op()
    assert set(ops) - set(batching.RULES) - set(kagari._C._made_of_ops()) == WITHOUT
    others = set(batching.RULES) - set(ops)
    assert all(name in kagari._C.places["ops"] for name in others), others


def test_a_planted_wrong_rule_is_found(monkeypatch):
    def wrong(samples, op, x, dims):
        return op.run([samples.front(x), [d % x.dim() for d in dims]])[0]

    monkeypatch.setitem(batching.RULES, "flip", wrong)
    with pytest.raises(AssertionError):
        test_values("flip")


def test_there_is_something_to_try():
    missing = [name for name in CHOSEN if name not in UNLIKE and not next(trials(name, 4), None)]
    assert len(missing) < 0.1 * len(CHOSEN), missing
