"""The build backend: setuptools, which also gets zig's C compiler where the host has none."""

import shutil

from setuptools import build_meta
from setuptools.build_meta import *  # noqa: F403


def _compiler():
    return [] if any(map(shutil.which, ("cc", "gcc", "clang"))) else ["ziglang>=0.13"]


def get_requires_for_build_wheel(config_settings=None):
    return build_meta.get_requires_for_build_wheel(config_settings) + _compiler()


def get_requires_for_build_editable(config_settings=None):
    return build_meta.get_requires_for_build_editable(config_settings) + _compiler()
