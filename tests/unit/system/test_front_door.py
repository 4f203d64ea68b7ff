"""The names that `cr` hands on, and what they bring along."""

import subprocess
import sys

import pytest

import cr
from cr.image.types import ARCH_X86_32
from cr.tools.image_bytes import Image
from tests.unit.image.specimen import Specimen

LIST_HEAVY = """
import sys
import cr, cr.image.walk, cr.image.schema, cr.tools.info, cr.tools.image_bytes
cr.Image, cr.ImageError
print([name for name in sys.modules if name.split('.')[0] in ('unicorn', 'kernel_model', 'lief')])
"""


@pytest.mark.slow
def test_images_need_no_cpu_and_no_kernel() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LIST_HEAVY], stdout=subprocess.PIPE, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_every_name_is_there() -> None:
    for name in cr._HOMES:
        assert getattr(cr, name) is not None
        assert name in dir(cr)
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = cr.nonsense


def test_image_is_its_bytes() -> None:
    raw = Specimen(ARCH_X86_32).build()
    image = Image(raw)
    assert image == raw and bytes(image) == raw and memoryview(image).nbytes == len(raw)
    assert image.tasks == image.summary.tasks and image.tasks
    assert image.records[0].name == "HEADER" and image.records[-1].name == "TAIL"
    with pytest.raises(cr.ImageError):
        _ = Image(raw[:-1]).tasks
