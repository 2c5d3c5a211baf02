"""The names of a piece of Python: given a value, read, and stood for."""

import ast

IMPORT = ast.Import | ast.ImportFrom
FUNCTION = ast.FunctionDef | ast.AsyncFunctionDef
COMPREHENSION = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
HOLDER = ast.Attribute | ast.Subscript | ast.Starred
DISPLAY = ast.List | ast.Tuple | ast.Set | ast.Dict | ast.IfExp | ast.BoolOp


def bound_by(one: ast.stmt) -> set[str]:
    """Return the names to which a statement surely gives a value."""
    if isinstance(one, IMPORT):
        return {
            item.asname or item.name.partition(".")[0] for item in one.names
        }
    if isinstance(one, FUNCTION | ast.ClassDef):
        return {one.name}
    return stored_by(one) if isinstance(one, ast.Assign) else set()


def stored_by(node: ast.AST) -> set[str]:
    """Return the names that a node may give a value, outside functions."""
    if isinstance(node, ast.Name):
        return set() if isinstance(node.ctx, ast.Load) else {node.id}
    if isinstance(node, FUNCTION | ast.Lambda | ast.ClassDef | COMPREHENSION):
        return {getattr(node, "name", "lambda")} - {"lambda"}
    return set().union(*map(stored_by, ast.iter_child_nodes(node)))


def read_by(node: ast.AST) -> set[str]:
    """Return the names that a node reads from outside of it."""
    if isinstance(node, ast.Name):
        return {node.id} if isinstance(node.ctx, ast.Load) else set()
    if isinstance(node, ast.For):
        found = _exposed(node.body) - roots(node.target)
        return found | read_by(node.iter) | _exposed(node.orelse)
    found = set()
    for _, value in ast.iter_fields(node):
        if isinstance(value, list):
            found |= _exposed(value)
        elif isinstance(value, ast.AST):
            found |= read_by(value)
    if isinstance(node, ast.AugAssign):
        return found | roots(node.target)
    if isinstance(node, COMPREHENSION):  # its first rows come from outside
        return found - own_names(node) | read_by(node.generators[0].iter)
    return found - own_names(node)


def _exposed(parts: list) -> set[str]:
    """Return the names that parts, one after the other, read from outside."""
    found, bound = set(), set()
    for part in parts:
        if isinstance(part, ast.AST):
            found |= read_by(part) - bound
            bound |= bound_by(part)
    return found


def own_names(node: ast.AST) -> set[str]:
    """Return the names that are a function's or a comprehension's own."""
    if not isinstance(node, FUNCTION | ast.Lambda | COMPREHENSION):
        return set()
    found, shared = {getattr(node, "name", "")}, set()
    for one in ast.walk(node):
        if isinstance(one, ast.arg):
            found.add(one.arg)
        elif isinstance(one, ast.Global):
            shared |= set(one.names)
        elif isinstance(one, ast.Name) and not isinstance(one.ctx, ast.Load):
            found.add(one.id)
    return found - shared


def roots(node: ast.AST) -> set[str]:
    """Return the names whose objects, or parts of them, an expression is."""
    if isinstance(node, ast.Name):
        return {node.id}
    if isinstance(node, HOLDER):
        return roots(node.value)
    if isinstance(node, DISPLAY):
        return set().union(*map(roots, ast.iter_child_nodes(node)))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return roots(node.func)  # run.slots().append(1) changes run
    return set()
