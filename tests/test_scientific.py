"""Functions of NumPy, SciPy and scikit-learn fed with tensors, and tensors in NumPy's ufuncs."""

import operator

import numpy
import pytest
import scipy
import scipy.fft
import scipy.integrate
import scipy.interpolate
import scipy.linalg
import scipy.ndimage
import scipy.optimize
import scipy.signal
import scipy.sparse
import scipy.spatial
import scipy.special
import scipy.stats
import torch
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import accuracy_score, confusion_matrix, r2_score, roc_auc_score
from sklearn.model_selection import KFold, cross_val_score, train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeRegressor

import kagari

RANDOM = numpy.random.default_rng(0)
SIGNAL = RANDOM.random(64)
MATRIX = RANDOM.random((5, 5)) + 5 * numpy.eye(5)
VECTOR = RANDOM.random(5)


def t(array):
    return kagari.tensor(array)


def close(found, wanted, rtol=1e-6):
    if isinstance(wanted, tuple):
        for part, other in zip(found, wanted, strict=True):
            close(part, other)
        return
    numpy.testing.assert_allclose(numpy.asarray(found), numpy.asarray(wanted), rtol, 1e-9)


# --- NumPy ---------------------------------------------------------------------------------------

UFUNCS = "add subtract multiply divide power maximum minimum arctan2 hypot logaddexp fmod".split()


@pytest.mark.parametrize("name", UFUNCS)
def test_binary_ufuncs_with_tensors_on_either_side(name):
    function = getattr(numpy, name)
    a, b = RANDOM.random((2, 3)) + 1, RANDOM.random(3) + 1
    for found in (function(t(a), t(b)), function(t(a), b), function(a, t(b)), function(t(a), 2.0)):
        assert type(found) is kagari.Tensor and found.dtype is kagari.float64
    close(function(t(a), b), function(a, b))
    close(function(a, t(b)), function(a, b))


@pytest.mark.parametrize("name", "sin exp log1p sqrt floor negative isnan sign rint".split())
def test_unary_ufuncs(name):
    function, a = getattr(numpy, name), RANDOM.random((2, 3)).astype("float32")
    found, theirs = function(t(a)), function(torch.tensor(a))
    assert type(found) is kagari.Tensor and str(found.dtype) == str(theirs.dtype)
    close(found, function(a))


OPERATORS = "add sub mul truediv floordiv mod pow matmul lt le gt ge eq ne".split()


@pytest.mark.parametrize("name", OPERATORS)
def test_operators_between_arrays_and_tensors(name):
    function = getattr(operator, name)
    a, b = RANDOM.random((3, 3)) + 1, RANDOM.random(3) + 1
    b[0] = a[0, 0]
    cases = [(a, b), (b[::-1], a), (a.astype("float32"), b)]
    for array, other in cases[:2] if name == "matmul" else cases:  # which does not promote
        x = kagari.tensor(other)
        for found, wanted in (
            (function(array, x), function(array, other)),
            (function(x, array), function(other, array)),
        ):
            assert type(found) is kagari.Tensor
            close(found, wanted)


def test_gradients_pass_operators_with_arrays():
    x = kagari.tensor([1.0, 2.0], requires_grad=True)
    (numpy.array([3.0, 4.0], "float32") * x).sum().backward()
    assert x.grad.tolist() == [3, 4]


def test_operators_with_arrays_that_cannot_be_tensors():
    with pytest.raises(TypeError):
        kagari.ones(1) + numpy.array(["a"])


def test_ufunc_methods():
    a = RANDOM.random((3, 4))
    close(numpy.add.reduce(t(a)), numpy.add.reduce(a))
    close(numpy.add.accumulate(t(a)), numpy.add.accumulate(a))
    close(numpy.multiply.outer(t(a[0]), t(a[1])), numpy.multiply.outer(a[0], a[1]))
    out = numpy.empty_like(a)
    assert numpy.exp(t(a), out=out) is not None
    close(out, numpy.exp(a))


@pytest.mark.parametrize(
    "function",
    [
        numpy.sum,
        numpy.mean,
        numpy.sort,
        numpy.cumsum,
        numpy.transpose,
        numpy.diff,
        numpy.median,
        lambda x: numpy.concatenate([x, x]),
        numpy.vstack,
        numpy.linalg.norm,
        numpy.fft.fft,
        lambda x: numpy.dot(x, x.T),
        lambda x: numpy.einsum("ij,kj->ik", x, x),
        lambda x: numpy.interp(x, numpy.arange(3), numpy.arange(3) ** 2),
        lambda x: numpy.where(x > 0.5, x, 0),
        lambda x: numpy.histogram(x, 4)[0],
        lambda x: numpy.percentile(x, 30),
        lambda x: numpy.stack([x, x]),
    ],
)
def test_numpy_functions(function):
    a = RANDOM.random((3, 4))
    close(function(t(a)), function(a))


def test_arrays_index_tensors_and_tensors_arrays():
    a = RANDOM.random((4, 3))
    index = numpy.array([2, 0])
    close(t(a)[index], a[index])
    close(a[t(index)], a[index])
    close(t(a)[a > 0.5], a[a > 0.5])
    x = t(a)
    x[numpy.array([True, False, False, True])] = 0
    assert x.sum().item() == pytest.approx(a[1:3].sum())


# --- DLPack --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", "uint8 int64 float16 float32 complex128 bool".split())
def test_dlpack_in_all_directions(name):
    array = (RANDOM.random((3, 4)) * 5).astype(name)
    for module in (numpy, torch, kagari):
        for other in (numpy, torch, kagari):
            given = array.copy() if module is numpy else module.from_numpy(array.copy())
            if module is kagari or other is kagari:
                found = other.from_dlpack(given)
                numpy.testing.assert_array_equal(numpy.asarray(found), array)
                if other is not numpy:  # a read-only view there
                    found[0, 0] = 1
                    assert numpy.asarray(given)[0, 0] == 1


# --- SciPy ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "function",
    [
        lambda x: scipy.signal.convolve(x, x),
        lambda x: scipy.signal.fftconvolve(x, x),
        lambda x: scipy.signal.correlate(x, x),
        lambda x: scipy.signal.hilbert(x),
        lambda x: scipy.signal.welch(x, nperseg=16),
        lambda x: scipy.signal.savgol_filter(x, 5, 2),
        lambda x: scipy.signal.lfilter([1.0, 0.5], [1.0, -0.2], x),
        lambda x: scipy.signal.sosfilt(scipy.signal.butter(3, 0.2, output="sos"), x),
        lambda x: scipy.signal.find_peaks(x)[0],
        lambda x: scipy.signal.resample(x, 20),
        lambda x: scipy.signal.medfilt(x, 3),
        lambda x: scipy.fft.fft(x),
        lambda x: scipy.fft.dct(x),
        lambda x: scipy.ndimage.gaussian_filter(x, 2.0),
        lambda x: scipy.stats.zscore(x),
        lambda x: scipy.stats.ttest_1samp(x, 0.5).pvalue,
        lambda x: scipy.stats.norm.pdf(x),
        lambda x: scipy.special.gammaln(x + 1),
        lambda x: scipy.special.expit(x),
        lambda x: scipy.integrate.trapezoid(x),
        lambda x: scipy.interpolate.CubicSpline(numpy.arange(64), x)(3.3),
        lambda x: scipy.spatial.distance.pdist(x.reshape(8, 8)),
        lambda x: scipy.spatial.KDTree(x.reshape(16, 4)).query([0.5] * 4)[0],
        lambda x: scipy.sparse.csr_array(x.reshape(8, 8)).sum(),
    ],
)
def test_scipy_functions(function):
    close(function(t(SIGNAL)), function(SIGNAL))


@pytest.mark.parametrize(
    "function",
    [
        scipy.linalg.inv,
        scipy.linalg.det,
        scipy.linalg.expm,
        scipy.linalg.lu,
        scipy.linalg.svdvals,
        scipy.linalg.sqrtm,
        lambda a: scipy.linalg.cholesky(a @ a.T),
        lambda a: scipy.linalg.eigvals(a),
        lambda a: scipy.linalg.solve(a, VECTOR),
        lambda a: scipy.linalg.toeplitz(a[0]),
        lambda a: scipy.linalg.block_diag(a, a),
    ],
)
def test_scipy_linear_algebra(function):
    close(function(t(MATRIX)), function(MATRIX))


def test_scipy_minimises_a_differentiable_function():
    def value_and_gradient(x):
        point = kagari.tensor(x, requires_grad=True)
        loss = ((point - kagari.arange(3)) ** 2).sum()
        loss.backward()
        return loss.item(), point.grad.numpy()

    found = scipy.optimize.minimize(value_and_gradient, numpy.zeros(3), jac=True)
    numpy.testing.assert_allclose(found.x, [0, 1, 2], atol=1e-5)
    found = scipy.optimize.minimize(value_and_gradient, kagari.zeros(3), jac=True)
    numpy.testing.assert_allclose(found.x, [0, 1, 2], atol=1e-5)


# --- scikit-learn --------------------------------------------------------------------------------

FEATURES = RANDOM.normal(size=(90, 4)).astype("float32")
CLASSES = (FEATURES[:, 0] + FEATURES[:, 1] > 0).astype("int64")
X, Y = t(FEATURES), t(CLASSES)


@pytest.mark.parametrize(
    "make",
    [
        LogisticRegression,
        lambda: SVC(random_state=0),
        lambda: KNeighborsClassifier(3),
        lambda: RandomForestClassifier(5, random_state=0),
        lambda: make_pipeline(StandardScaler(), LogisticRegression()),
    ],
)
def test_classifiers(make):
    ours, theirs = make().fit(X, Y), make().fit(FEATURES, CLASSES)
    numpy.testing.assert_array_equal(ours.predict(X), theirs.predict(FEATURES))
    assert ours.score(X, Y) == theirs.score(FEATURES, CLASSES) > 0.8


def test_regression_and_transforms():
    target = X @ kagari.tensor([1.0, -2.0, 0.5, 0.0])
    fitted = LinearRegression().fit(X, target)
    numpy.testing.assert_allclose(fitted.coef_, [1, -2, 0.5, 0], atol=1e-4)
    assert r2_score(target, t(fitted.predict(X))) > 0.999
    tree = DecisionTreeRegressor(max_depth=2).fit(X, target)
    assert tree.predict(X).shape == (90,)
    close(StandardScaler().fit_transform(X), StandardScaler().fit_transform(FEATURES), 1e-4)
    assert PCA(2).fit_transform(X).shape == (90, 2)
    assert OneHotEncoder().fit_transform(Y[:, None]).shape == (90, 2)
    assert KMeans(2, n_init=1, random_state=0).fit(X).labels_.shape == (90,)


def test_metrics_and_splits():
    predicted = (X[:, 0] > 0).long()
    theirs = (FEATURES[:, 0] > 0).astype("int64")
    assert accuracy_score(Y, predicted) == accuracy_score(CLASSES, theirs)
    assert (confusion_matrix(Y, predicted) == confusion_matrix(CLASSES, theirs)).all()
    assert roc_auc_score(Y, X[:, 0]) == roc_auc_score(CLASSES, FEATURES[:, 0])
    parts = train_test_split(X, Y, random_state=0)
    wanted = train_test_split(FEATURES, CLASSES, random_state=0)
    for part, other in zip(parts, wanted, strict=True):
        close(part, other)
    for train, test in KFold(3).split(X):
        assert X[train].shape == (60, 4) and X[test].shape == (30, 4)
    scores = cross_val_score(LogisticRegression(), X, Y, cv=3)
    close(scores, cross_val_score(LogisticRegression(), FEATURES, CLASSES, cv=3))
