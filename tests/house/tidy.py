"""Tidiness: small rules, each a function from one file to complaints."""

import ast
import re
from collections.abc import Callable, Iterator

from tests.house.source import Source

MOST_LINES_OF_A_FILE = 600
MOST_LINES_OF_A_FUNCTION = 60
NAMES_WITHOUT_A_NOUN = {"util", "utils", "helper", "helpers", "misc", "common", "manager"}
ARCH_WORD = re.compile(r"x86|x64|i[3-6]86|amd64|ppc|powerpc", re.IGNORECASE)

Rule = Callable[[Source], Iterator[str]]


def file_is_short(source: Source) -> Iterator[str]:
    lines = source.text.count("\n")
    if lines > MOST_LINES_OF_A_FILE:
        yield f"{source.path} has {lines} lines; {MOST_LINES_OF_A_FILE} are allowed"


def functions_are_short(source: Source) -> Iterator[str]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > MOST_LINES_OF_A_FUNCTION:
                yield (
                    f"{source.path}:{node.lineno} {node.name} has {lines} lines; "
                    f"{MOST_LINES_OF_A_FUNCTION} are allowed"
                )


def no_relative_imports(source: Source) -> Iterator[str]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            yield f"{source.path}:{node.lineno} a relative import"


def names_have_a_noun(source: Source) -> Iterator[str]:
    for part in source.path.with_suffix("").parts:
        for word in part.split("_"):
            if word in NAMES_WITHOUT_A_NOUN:
                yield f"{source.path}: {word!r} is no noun of this house"


def no_print_below_the_commands(source: Source) -> Iterator[str]:
    if not source.is_product or source.path.is_relative_to("cr/cli"):
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Name) and node.id == "print":
            yield f"{source.path}:{node.lineno} print below cr/cli: use the trace"
    for line in _lines_that_import("logging", source.tree):
        yield f"{source.path}:{line} logging below cr/cli: use the trace"


def no_arch_in_conditions(source: Source) -> Iterator[str]:
    if not source.is_product or "arch" in source.path.parts[:-1]:
        return
    for condition in _conditions(source.tree):
        for node, word in _words(condition):
            if ARCH_WORD.search(word):
                where = f"{source.path}:{node.lineno}"
                yield f"{where} a condition on {word!r} outside an arch folder"


def unicorn_has_one_door(source: Source) -> Iterator[str]:
    if not source.is_product or source.module == "emu.unicorn_cpu":
        return
    for line in _lines_that_import("unicorn", source.tree):
        yield f"{source.path}:{line} imports unicorn; only emu/unicorn_cpu.py may"


def identity_has_one_door(source: Source) -> Iterator[str]:
    if not source.is_product or source.module == "cr.objhash":
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Name) and node.id == "id" and isinstance(node.ctx, ast.Load):
            yield f"{source.path}:{node.lineno} id() outside cr/objhash.py"


RULES: tuple[Rule, ...] = (
    file_is_short,
    functions_are_short,
    no_relative_imports,
    names_have_a_noun,
    no_print_below_the_commands,
    no_arch_in_conditions,
    unicorn_has_one_door,
    identity_has_one_door,
)


def _lines_that_import(package: str, tree: ast.Module) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = [node.module or ""]
        else:
            continue
        if any(name.split(".")[0] == package for name in names):
            yield node.lineno


def _conditions(tree: ast.Module) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        if isinstance(node, ast.If | ast.IfExp | ast.While):
            yield node.test
        elif isinstance(node, ast.comprehension):
            yield from node.ifs
        elif isinstance(node, ast.match_case):
            yield node.pattern
            if node.guard is not None:
                yield node.guard


def _words(condition: ast.AST) -> Iterator[tuple[ast.expr, str]]:
    for node in ast.walk(condition):
        if isinstance(node, ast.Name):
            yield node, node.id
        elif isinstance(node, ast.Attribute):
            yield node, node.attr
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node, node.value
