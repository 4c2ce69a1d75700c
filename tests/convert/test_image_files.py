"""Images from every kind of file, and every fault of them in words."""

import builtins
import gzip
import struct
import sys
from pathlib import Path

import numpy as np
import pytest

from archsim.convert.float_network import FloatDense, FloatFlatten, FloatNetwork, FloatRelu
from archsim.convert.image_files import ImageSet, check_fits, read_images, training_part
from archsim.errors import ConfigError, WorkloadError
from tests.convert.float_models import mnist_folder

PIXELS = np.arange(5 * 2 * 3, dtype=np.uint8).reshape(5, 2, 3)


def idx(array: np.ndarray) -> bytes:
    return bytes((0, 0, 8, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def write_idx(folder: Path, prefix: str = "t10k", mark: str = "-", *, zipped: bool = False) -> None:
    for what, array in ((f"images{mark}idx3", PIXELS), (f"labels{mark}idx1", np.arange(5, dtype=np.uint8))):
        content = idx(array)
        path = folder / f"{prefix}-{what}-ubyte{'.gz' if zipped else ''}"
        path.write_bytes(gzip.compress(content) if zipped else content)


def fault(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        read_images(text)
    return str(caught.value)


@pytest.mark.parametrize(("mark", "zipped"), [("-", True), ("-", False), (".", False)])
def test_a_folder_of_idx_files_is_read_in_file_order(tmp_path: Path, mark: str, zipped: bool) -> None:
    write_idx(tmp_path, mark=mark, zipped=zipped)
    found = read_images(f"{tmp_path}:test:3")
    assert (len(found), found.images.shape, found.name) == (3, (3, 1, 2, 3), f"{tmp_path}:test")
    assert (found.values == PIXELS[:3, None] / 255).all()
    assert found.values.dtype == np.float64
    assert found.labels is not None
    assert found.labels.tolist() == [0, 1, 2]


def test_the_default_part_and_limit_hold_where_the_text_says_nothing(tmp_path: Path) -> None:
    write_idx(tmp_path, "train")
    assert len(read_images(str(tmp_path), default_part="train", at_most=2)) == 2
    assert len(read_images(str(tmp_path), default_part="train", at_most=1000)) == 5
    assert len(read_images(f"{tmp_path}:train:4", at_most=2)) == 4


def test_mnist_is_found_by_its_variable_and_by_its_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "here/mnist").mkdir()
    write_idx(tmp_path / "here/mnist")
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.delenv("ARCHSIM_MNIST", raising=False)
    assert len(read_images("mnist")) == 5
    monkeypatch.chdir(tmp_path)
    assert fault("mnist") == (
        "images 'mnist': no folder mnist or ../shared/data/mnist here. Set ARCHSIM_MNIST to the folder that holds "
        "t10k-images-idx3-ubyte.gz and its fellows, or give the folder in place of 'mnist'."
    )
    monkeypatch.setenv("ARCHSIM_MNIST", str(tmp_path / "here/mnist"))
    assert read_images("mnist:test:2").name == "mnist:test"
    monkeypatch.setenv("ARCHSIM_MNIST", "gone")
    assert fault("mnist") == "images 'mnist': ARCHSIM_MNIST is 'gone', which is no folder. Set it to MNIST's."


def test_the_real_mnist_is_read() -> None:
    folder = mnist_folder()
    found = read_images(f"{folder}:test")
    assert found.images.shape == (10_000, 1, 28, 28)
    assert found.labels is not None
    assert np.bincount(found.labels)[0] == 980  # zeros among the test images, as published
    assert read_images(f"{folder}:train:1000").images.shape == (1000, 1, 28, 28)


def test_digits_are_split_once_and_for_all() -> None:
    pytest.importorskip("sklearn")
    train, test = read_images("digits:train"), read_images("digits")
    assert (train.images.shape, test.images.shape) == ((1297, 1, 8, 8), (500, 1, 8, 8))
    assert (test.values.min(), test.values.max()) == (0.0, 1.0)
    assert len({image.tobytes() for image in (*train.images, *test.images)}) == 1797


def test_digits_without_scikit_learn_name_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def refuse(name: str, *rest: object, **options: object) -> object:
        if name.startswith("sklearn"):
            raise ImportError(name)
        return real(name, *rest, **options)  # type: ignore[arg-type]

    monkeypatch.delitem(sys.modules, "sklearn.datasets", raising=False)
    monkeypatch.setattr(builtins, "__import__", refuse)
    assert fault("digits") == (
        "images 'digits': scikit-learn is not installed. Install it with: pip install 'archsim[compress]'"
    )


@pytest.mark.parametrize(
    ("images", "shape", "largest"),
    [
        (PIXELS, (5, 1, 2, 3), 29 / 255),
        (PIXELS[:, None].astype(np.float32), (5, 1, 2, 3), 29.0),
        (PIXELS.reshape(5, 6), (5, 6), 29 / 255),
    ],
)
def test_an_npz_of_bytes_stands_for_shares_and_one_of_floats_for_itself(
    tmp_path: Path, images: np.ndarray, shape: tuple[int, ...], largest: float
) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, images=images, labels=np.arange(5))
    found = read_images(str(path))
    assert (found.images.shape, found.values.max()) == (shape, largest)
    assert found.labels is not None
    assert found.labels.tolist() == [0, 1, 2, 3, 4]
    np.save(tmp_path / "b.npy", images)
    bare = read_images(f"{tmp_path / 'b.npy'}:2")
    assert (len(bare), bare.labels) == (2, None)


def test_every_fault_of_a_text_or_an_array_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    grammar = (
        "mnist, digits, a folder of IDX files, an .npz or an .npy; behind it :train or :test, and :N for the first N"
    )
    assert fault("cifar") == f"images 'cifar': no such folder, and no .npz or .npy. Give {grammar}."
    assert fault("mnist:0") == "images 'mnist:0': 0 images are none. Ask for 1 or more."
    assert fault(str(path)) == f"{path}: no such file. Give {grammar}."
    assert fault(f"{path}:test") == f"images '{path}:test': a .npz has no parts. Leave out ':test'."
    cases = [
        ({"x": PIXELS}, f"{path}: holds the arrays ['x'], but none 'images'. Save it with images=..."),
        ({"images": PIXELS.astype(np.int64)},
         f"images '{path}' are int64. Give uint8 (0..255 stands for 0..1) or floats as the network takes."),
        ({"images": PIXELS[0, 0]},
         f"images '{path}' have the shape (3,). Give (N, C, H, W), (N, H, W) or (N, C), N at least 1."),
        ({"images": PIXELS[:0]},
         f"images '{path}' have the shape (0, 1, 2, 3). Give (N, C, H, W), (N, H, W) or (N, C), N at least 1."),
        ({"images": np.array([[1.0], [np.nan], [np.inf]])},
         f"images '{path}': image 1 holds NaN or infinity, 2 of 3 images do. Leave them out."),
        ({"images": PIXELS, "labels": np.arange(4)}, f"{path}: 4 labels for 5 images. Save one label per image."),
        ({"images": PIXELS, "labels": np.ones(5)},
         f"{path}: labels are float64 of shape (5,). Save one whole number per image."),
    ]  # fmt: skip
    for arrays, words in cases:
        np.savez(path, **arrays)
        assert fault(str(path)) == words
    np.savez(path, images=PIXELS)
    assert fault(f"{path}:6") == f"images '{path}:6': there are only 5. Ask for no more."
    path.write_bytes(b"")
    assert fault(str(path)) == (
        f"{path}: cannot be read: No data left in file. Save it with numpy.savez or numpy.save."
    )
    np.save(tmp_path / "b.npy", PIXELS)
    (tmp_path / "b.npy").rename(path)
    assert fault(str(path)).startswith(f"{path}: cannot be read: ")
    np.savez(path, images=PIXELS)
    path.write_bytes(path.read_bytes()[:-40])
    assert fault(str(path)).startswith(f"{path}: cannot be read: ")
    assert fault(str(path)).endswith(". Save it with numpy.savez or numpy.save.")


def test_every_fault_of_an_idx_folder_is_told(tmp_path: Path) -> None:
    assert fault(str(tmp_path)) == (
        f"{tmp_path}: no file t10k-images-idx3-ubyte.gz or t10k-images-idx3-ubyte. "
        "Name a folder that holds MNIST's files."
    )
    write_idx(tmp_path)
    images, labels = tmp_path / "t10k-images-idx3-ubyte", tmp_path / "t10k-labels-idx1-ubyte"
    assert fault(f"{tmp_path}:6") == f"images '{tmp_path}:6': there are only 5. Ask for no more."
    labels.write_bytes(idx(np.arange(4, dtype=np.uint8)))
    assert fault(str(tmp_path)) == (
        f"{labels}: 4 labels for the 5 images of t10k-images-idx3-ubyte. Fetch both files of one data set."
    )
    labels.write_bytes(idx(PIXELS))
    assert fault(str(tmp_path)) == (
        f"{labels}: not an IDX file of unsigned bytes with 1 axis: it begins with 00 00 08 03. Fetch the file again."
    )
    images.write_bytes(idx(PIXELS)[:-1])
    assert fault(str(tmp_path)) == f"{images}: cut short: 29 of 30 bytes. Fetch the file again."
    images.write_bytes(bytes((0, 0, 8, 3)) + b"\xff" * 12 + b"abc")
    assert fault(str(tmp_path)) == f"{images}: cut short: 3 of {0xFFFFFFFF**3} bytes. Fetch the file again."
    images.unlink()
    zipped = tmp_path / "t10k-images-idx3-ubyte.gz"
    zipped.write_bytes(gzip.compress(idx(PIXELS))[:-12])
    assert fault(str(tmp_path)) == (
        f"{zipped}: cannot be read: Compressed file ended before the end-of-stream marker was reached. "
        "Fetch the file again."
    )
    zipped.write_bytes(b"no gzip")
    assert fault(str(tmp_path)) == f"{zipped}: cannot be read: Not a gzipped file (b'no'). Fetch the file again."


def test_the_training_part_of_test_images_is_named() -> None:
    assert training_part("mnist") == "mnist:train"
    assert training_part("mnist:test:2000") == "mnist:train"
    assert training_part("digits:500") == "digits:train"
    assert training_part("a/b.npz:500") == "a/b.npz"


DENSE = FloatNetwork(
    name="net",
    ifmap_shape=(1, 2, 3),
    nodes=(
        FloatFlatten(name="f", sources=("",)),
        FloatDense(name="d", sources=("f",), weight=np.zeros((4, 6)), bias=None),
    ),
)


def misfit(images: ImageSet, network: FloatNetwork = DENSE) -> str:
    with pytest.raises(WorkloadError) as caught:
        check_fits(images, network, needs_labels=True)
    return str(caught.value)


def test_images_that_do_not_fit_the_network_are_refused() -> None:
    fits = ImageSet(images=PIXELS[:, None], labels=np.array([0, 1, 2, 3, 3]), name="set", scale=255.0)
    check_fits(fits, DENSE, needs_labels=True)
    check_fits(ImageSet(images=fits.images, labels=None, name="set"), DENSE)
    assert misfit(ImageSet(images=PIXELS.reshape(5, 6), labels=None, name="set")) == (
        "images 'set' are 6, the network 'net' takes 1x2x3. Give images of that shape, channels first."
    )
    assert misfit(ImageSet(images=fits.images, labels=None, name="set")) == (
        "images 'set' have no labels, which accuracy, fine-tuning and the search for bits need. Add an array 'labels' to the .npz."
    )
    assert misfit(ImageSet(images=fits.images, labels=np.array([0, 1, 4, -1, 0]), name="set")) == (
        "images 'set': the label of image 2 is 4, the network 'net' has the classes 0 to 3. "
        "Give the labels of this network."
    )
    relu = FloatNetwork(name="net", ifmap_shape=(1, 2, 3), nodes=(FloatRelu(name="r", sources=("",)),))
    assert misfit(fits, relu) == (
        "network 'net' gives 1x2x3 values, not one per class, so no accuracy can be measured. End it in a Flatten, or "
        "convert it without labelled images."
    )
