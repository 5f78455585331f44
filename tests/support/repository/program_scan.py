"""Every program that Python sources start, read from the sources themselves.

A start is a call of `subprocess`, of `os.exec*` or of `shutil.which`; its first argument is followed to a program's
name through lists, names of the function or the module, conditions, and functions of the same file. A function that
hands a parameter of its own to a start is a starter itself, and what it is called with is a start too. A program
that runs another (`nsenter ... ip`) counts with that one. What cannot be followed to a name is reported as the
source's own words, never left out.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

Function = ast.FunctionDef | ast.AsyncFunctionDef
STARTERS = {
    "subprocess": {"run", "Popen", "call", "check_call", "check_output"},
    "os": {"execv", "execve", "execvp", "execvpe", "system", "popen"},
    "asyncio": {"create_subprocess_exec", "create_subprocess_shell"},
    "shutil": {"which"},
}
COMPOSERS = {"inside", "limited"}
"""What returns the command line it is given, behind the way into a namespace or the limits it runs under."""
RUNNERS = {"env", "nsenter", "setpriv", "setsid", "unshare"}
VALUED = {"-t", "--propagation", "--target", "--pdeathsig"}
"""Options of runners whose next word belongs to them."""
TRANSPARENT = {"str", "Path", "list", "tuple", "map"}
"""Calls whose last argument is the program, in another form."""


@dataclass(frozen=True)
class Start:
    """One program: its name, or the words of the source that stand for it."""

    program: str
    file: str
    line: int


@dataclass(frozen=True)
class Wrapper:
    """A function that starts what it is given as its argument number `position`; `owner` is its class or module."""

    name: str
    position: int
    owner: str


class Module:
    """One source: its functions and where its names get their values."""

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.name = file.rsplit("/", 1)[-1].removesuffix(".py")
        self.tree = ast.parse(text)
        self.parents = {child: node for node in ast.walk(self.tree) for child in ast.iter_child_nodes(node)}
        self.functions = {node.name: node for node in ast.walk(self.tree) if isinstance(node, Function)}
        self.calls = [node for node in ast.walk(self.tree) if isinstance(node, ast.Call)]

    def scopes(self, node: ast.AST) -> Iterator[ast.AST]:
        """The functions around a node from the innermost outwards, then the module."""
        while node in self.parents:
            node = self.parents[node]
            if isinstance(node, Function | ast.Module):
                yield node

    def owner(self, function: Function) -> str:
        """The class a function is a method of, else the module's name."""
        parent = self.parents[function]
        return parent.name if isinstance(parent, ast.ClassDef) else self.name

    def class_of(self, node: ast.AST) -> str:
        """The class around a node, "" outside of any."""
        while node in self.parents:
            node = self.parents[node]
            if isinstance(node, ast.ClassDef):
                return node.name
        return ""

    @cached_property
    def _bound(self) -> dict[tuple[ast.AST, str], list[ast.expr]]:
        """What each scope itself binds to each name, by assignment or loop."""
        bound: dict[tuple[ast.AST, str], list[ast.expr]] = defaultdict(list)
        for node in ast.walk(self.tree):
            for name, value in _bindings(node):
                bound[next(self.scopes(node)), name].append(value)
        return bound

    def values(self, name: str, scope: ast.AST) -> list[ast.expr]:
        """What a scope binds to a name; a loop's name stands for everything that the loop goes through."""
        return [each for value in self._bound.get((scope, name), ()) for each in self._elements(value)]

    def _elements(self, value: ast.expr) -> list[ast.expr]:
        """One value, or those of a loop where they are written out here or under a name of the module."""
        if not isinstance(value, Loop):
            return [value]
        values = value.values
        if isinstance(values, ast.Name):
            values = next(iter(self._bound.get((self.tree, values.id), ())), values)
        return values.elts if isinstance(values, ast.Tuple | ast.List) else [values]

    @cached_property
    def _types(self) -> dict[str, set[str]]:
        types: dict[str, set[str]] = defaultdict(set)
        for node in ast.walk(self.tree):
            match node:
                case ast.arg(arg=name, annotation=ast.expr() as words):
                    pass
                case ast.AnnAssign(target=ast.Name(id=name), annotation=words):
                    pass
                case ast.Assign(targets=[ast.Name(id=name) | ast.Attribute(attr=name)], value=ast.Call(func=words)):
                    pass
                case _:
                    continue
            types[name] |= set(re.findall(r"\w+", ast.unparse(words)))
        return types

    def types_of(self, name: str) -> set[str]:
        """Words of every annotation that a name or attribute bears in this source, and classes it is made of."""
        return {name} | self._types.get(name, set())

    @cached_property
    def imported(self) -> set[tuple[str, str]]:
        """Module (its last part) and name of everything imported by name."""
        imports = [node for node in ast.walk(self.tree) if isinstance(node, ast.ImportFrom)]
        return {((node.module or "").rsplit(".", 1)[-1], each.name) for node in imports for each in node.names}


class Loop(ast.expr):
    """What a loop goes through, as a binding of the loop's name."""

    def __init__(self, values: ast.expr) -> None:
        super().__init__()
        self.values = values


def _bindings(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """Names and values of an assignment or a loop, through tuples where both sides are written out."""
    match node:
        case ast.Assign(targets=targets, value=value):
            for target in targets:
                yield from _paired(target, value)
        case ast.AnnAssign(target=target, value=ast.expr() as value) | ast.NamedExpr(target=target, value=value):
            yield from _paired(target, value)
        case ast.For(target=ast.Name(id=name), iter=values) | ast.comprehension(target=ast.Name(id=name), iter=values):
            yield name, Loop(values)


def _paired(target: ast.AST, value: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(target, ast.Name):
        yield target.id, value
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        for each, part in zip(target.elts, value.elts, strict=False):
            yield from _paired(each, part)


@dataclass(frozen=True)
class Parameter:
    """The program is what the function is called with."""

    function: Function
    name: str


class Scan:
    """Follows first arguments; `wrappers` grows until no further function is found to hand its parameter on."""

    def __init__(self, sources: Iterable[tuple[str, str]]) -> None:
        self.modules = [Module(file, text) for file, text in sources]
        self.wrappers: set[Wrapper] = set()

    def starts(self) -> list[Start]:
        """All starts of all sources, each once."""
        before = -1
        results: dict[Start, None] = {}
        while before != len(self.wrappers):
            before, results = len(self.wrappers), {}
            for module in self.modules:
                for call in module.calls:
                    results.update(dict.fromkeys(self._started_by(module, call)))
        return list(results)

    def _started_by(self, module: Module, call: ast.Call) -> Iterator[Start]:
        for position in list(self._positions(module, call)):
            if position >= len(call.args):
                continue
            words = call.args[position:] if self._takes_words(module, call) else [call.args[position]]
            for program in self._first_words(module, words, frozenset()):
                if isinstance(program, Parameter):
                    self._wrap(module, program)
                else:
                    yield Start(program, module.file, call.lineno)

    def _takes_words(self, module: Module, call: ast.Call) -> bool:
        """Whether a command is given word by word and not as a list: everywhere but to `subprocess` and `os`."""
        return not isinstance(call.func, ast.Attribute) or getattr(call.func.value, "id", "") not in STARTERS

    def _positions(self, module: Module, call: ast.Call) -> Iterator[int]:
        """Which argument of a call is a program, or begins with one."""
        match call.func:
            case ast.Attribute(value=ast.Name(id=receiver), attr=name) if name in STARTERS.get(receiver, ()):
                yield 0
            case ast.Subscript(value=ast.Attribute(value=ast.Name(id="subprocess"))):
                yield 0
            case ast.Attribute(attr=name) | ast.Name(id=name) if name in COMPOSERS:
                yield 0
            case ast.Attribute(value=receiver, attr=name):
                last = receiver.attr if isinstance(receiver, ast.Attribute) else getattr(receiver, "id", "")
                types = {module.class_of(call)} if last == "self" else module.types_of(last)
                yield from (each.position for each in self.wrappers if each.name == name and each.owner in types)
            case ast.Name(id=name):
                for wrapper in self.wrappers:
                    here = wrapper.owner == module.name and name in module.functions
                    if wrapper.name == name and (here or (wrapper.owner, name) in module.imported):
                        yield wrapper.position

    def _wrap(self, module: Module, parameter: Parameter) -> None:
        function, arguments = parameter.function, parameter.function.args
        names = [each.arg for each in (*arguments.posonlyargs, *arguments.args)]
        if isinstance(module.parents[function], ast.ClassDef):
            names = names[1:]
        if arguments.vararg:
            names.append(arguments.vararg.arg)
        if parameter.name in names:
            self.wrappers.add(Wrapper(function.name, names.index(parameter.name), module.owner(function)))

    def _first_words(self, module: Module, words: list[ast.expr], seen: frozenset[ast.AST]) -> list[str | Parameter]:
        """The program that a command line begins with, and the one that a runner runs."""
        programs = self._followed(module, words[0], seen)
        rest = words[1:]
        while rest and programs[-1:] and programs[-1] in RUNNERS:
            word = rest[0].value if isinstance(rest[0], ast.Constant) else ""
            if not isinstance(word, str) or not word.startswith("-"):
                return programs + self._first_words(module, rest, seen)
            rest = rest[2:] if word in VALUED else rest[1:]
        return programs

    def _followed(self, module: Module, node: ast.expr, seen: frozenset[ast.AST]) -> list[str | Parameter]:
        """Names of programs; the source's words for what has no plain name; parameters of functions."""
        if node in seen:
            return []
        seen = seen | {node}
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return [node.value]
        if isinstance(node, ast.List | ast.Tuple) and node.elts:
            return self._first_words(module, node.elts, seen)
        behind = self._behind(module, node)
        if behind is None:
            return self._named(module, node, seen)
        return [program for each in behind for program in self._followed(module, each, seen)]

    def _behind(self, module: Module, node: ast.expr) -> list[ast.expr] | None:
        """The expressions that a composed one takes its program from; None where it is no such thing."""
        match node:
            case ast.Starred(value=inner) | ast.BinOp(left=inner, op=ast.Add()) | ast.BinOp(op=ast.Div(), right=inner):
                return [inner]
            case ast.IfExp(body=first, orelse=second):
                return [first, second]
            case ast.BoolOp(values=values):
                return list(values)
            case ast.ListComp(generators=[first, *_]) | ast.GeneratorExp(generators=[first, *_]):
                return [first.iter]
            case ast.Call(func=ast.Name(id=name), args=[*_, last]) if name in TRANSPARENT:
                return [last]
            case ast.Call(func=ast.Attribute(attr="with_name" | "which"), args=[first, *_]):
                return [first]
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(value=ast.Name(id="self"), attr=name)):
                return self._returned(module, name)
        return None

    def _returned(self, module: Module, name: str) -> list[ast.expr] | None:
        """What a function of the same file returns; None where another file's is called."""
        function = module.functions.get(name)
        if function is None:
            return None
        return [node.value for node in ast.walk(function) if isinstance(node, ast.Return) and node.value]

    def _named(self, module: Module, node: ast.expr, seen: frozenset[ast.AST]) -> list[str | Parameter]:
        if isinstance(node, ast.Name):
            for scope in module.scopes(node):
                values = module.values(node.id, scope)
                if values:
                    return [program for value in values for program in self._followed(module, value, seen)]
                if isinstance(scope, Function) and node.id in _parameters(scope):
                    return [Parameter(scope, node.id)]
        return [ast.unparse(node.func if isinstance(node, ast.Call) else node)]


def _parameters(function: Function) -> set[str]:
    arguments = function.args
    every = (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg)
    return {each.arg for each in every if each}
