"""Builds the accelerator, emu/accel/_accel.so, with whatever C compiler there is.

It needs no header of Python and links to nothing, so any compiler will do: cc, gcc, clang, or
zig's from PyPI. Without one, or if it fails, the install goes on and the pure-Python twin is used.
Everything else is in pyproject.toml.
"""

import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

FLAGS = ("-O2", "-std=gnu11", "-shared", "-fPIC", "-nostdlib")


def compilers():
    """Commands that may be C compilers, the likeliest first."""
    for name in ("cc", "gcc", "clang"):
        if path := shutil.which(name):
            yield [path]
    if find_spec("ziglang"):
        yield [sys.executable, "-m", "ziglang", "cc"]


class build_accelerator(build_ext):
    """One C file to one shared object, by the first compiler that can."""

    def get_ext_filename(self, fullname):
        return fullname.replace(".", "/") + ".so"

    def build_extension(self, extension):
        target = Path(self.get_ext_fullpath(extension.name))
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)  # what is left of an older source is of no use
        fresh = target.with_name(target.name + ".new")
        for compiler in compilers():
            command = [*compiler, *FLAGS, *extension.sources, "-o", str(fresh)]
            try:
                subprocess.run(command, check=True)
            except (OSError, subprocess.CalledProcessError) as problem:
                self.announce(f"{' '.join(compiler)}: {problem}", level=3)
                fresh.unlink(missing_ok=True)
                continue
            fresh.replace(target)
            return
        self.announce("no C compiler: the pure-Python twin of the accelerator is used", level=3)

    def copy_extensions_to_source(self):
        """As always, but without an accelerator there is nothing to copy."""
        source = Path("emu/accel/_accel.so")
        built = Path(self.build_lib, source)
        source.unlink(missing_ok=True)
        if built.exists():
            shutil.copyfile(built, source)


setup(
    ext_modules=[Extension("emu.accel._accel", ["emu/accel/_accel.c"], optional=True)],
    cmdclass={"build_ext": build_accelerator},
)
