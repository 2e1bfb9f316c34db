"""Mutants: a program with one small thing changed, as a slip of the pen would change it; each with a name."""

import ast
import copy
from collections.abc import Callable, Iterator

COMPARISONS = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
OPERATORS = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.Pow: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.BitXor: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
}


def variants(node: ast.AST) -> Iterator[ast.AST]:
    """What may stand in the place of a node."""
    match node:
        case ast.Compare(ops=[op]) if type(op) in COMPARISONS:
            yield ast.Compare(node.left, [COMPARISONS[type(op)]()], node.comparators)
        case ast.BinOp() if type(node.op) in OPERATORS and not is_a_type(node):
            yield ast.BinOp(node.left, OPERATORS[type(node.op)](), node.right)
        case ast.BoolOp():
            yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
            yield from node.values
        case ast.UnaryOp(op=ast.Not()):
            yield node.operand
        case ast.Constant(value=bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(value=int(value)):
            yield from (ast.Constant(value + 1), ast.Constant(value - 1))
        case ast.Slice(lower=lower, upper=upper):
            yield from [ast.Slice(None, upper)] if lower else []
            yield from [ast.Slice(lower, None)] if upper else []
        case ast.IfExp():
            yield from (node.body, node.orelse)
        case ast.Continue():
            yield ast.Break()
        case ast.Return() if node.value is not None:
            yield ast.Return(None)
        case ast.If():
            yield ast.If(ast.Constant(True), node.body, node.orelse)
            yield ast.If(ast.Constant(False), node.body, node.orelse)
        case ast.Assign() | ast.AugAssign() | ast.Expr() | ast.Raise() if not is_text(node):
            yield ast.Pass()


def is_a_type(node: ast.BinOp) -> bool:
    return isinstance(node.right, ast.Constant) and node.right.value is None


def is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def places(tree: ast.AST) -> Iterator[tuple[ast.AST, Callable[[ast.AST], None]]]:
    """Each node that is run, with a way to put another one into its place; no annotations and no texts of errors."""
    waiting = [tree]
    while waiting:
        parent = waiting.pop()
        for field, value in ast.iter_fields(parent):
            if field in ("annotation", "returns", "type_params"):
                continue
            waiting += [it for it in (value if isinstance(value, list) else [value]) if isinstance(it, ast.AST)]
            if isinstance(value, ast.AST):
                yield value, lambda new, parent=parent, field=field: setattr(parent, field, new)
            elif isinstance(value, list):
                for at, item in enumerate(value):
                    if isinstance(item, ast.AST):
                        yield item, lambda new, value=value, at=at: value.__setitem__(at, new)


def mutants(source: str) -> Iterator[tuple[str, str]]:
    """The name and the source of each program that differs from this one in one place."""
    tree = ast.parse(source)
    for number, (node, _) in enumerate(places(tree)):
        for choice, variant in enumerate(variants(node)):
            changed = copy.deepcopy(tree)
            found, put = list(places(changed))[number]
            new = list(variants(found))[choice]
            put(new)
            ast.fix_missing_locations(changed)
            line = getattr(node, "lineno", 0) or getattr(getattr(node, "lower", None) or node, "lineno", 0)
            yield f"{line}: {brief(node)} -> {brief(variant)}", ast.unparse(changed)


def brief(node: ast.AST) -> str:
    try:
        return " ".join(ast.unparse(node).split("\n")[0].split())
    except AttributeError:
        return type(node).__name__.lower()
