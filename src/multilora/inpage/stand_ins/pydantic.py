"""What the library uses of pydantic, in Python alone, for a browser.

The page puts this folder on sys.path, where no compiled pydantic_core is.
Verdicts and their words are pydantic's; pydantic_kinds has the kinds of
fields, pydantic_bounds what they keep to.
"""

import json
from typing import Any, ClassVar, Self, get_type_hints

from pydantic_bounds import NO_DEFAULT, Bounds, WrongError, refuse
from pydantic_kinds import check_of

ConfigDict = dict


class ValidationError(ValueError):
    """Fields that are wrong: errors() names each, and says why."""

    def __init__(self, title: str, wrong: list[dict]) -> None:
        self.title, self._wrong = title, wrong
        plural = "s" * (len(wrong) > 1)
        lines = [f"{len(wrong)} validation error{plural} for {title}"]
        for one in wrong:
            lines.append(".".join(map(str, one["loc"])))
            value = repr(one["input"])[:60]
            lines.append(f"  {one['msg']} [input_value={value}]")
        super().__init__("\n".join(lines))

    def errors(self, include_url: bool = True) -> list[dict]:
        """Return a dict for each wrong field: loc, msg, input."""
        return [dict(one) for one in self._wrong]


def Field(default: Any = NO_DEFAULT, **bounds: Any) -> Any:  # noqa: N802
    """Return a field's default and bounds, those of Bounds."""
    return Bounds(default, **bounds)


class BaseModel:
    """A model: annotated fields, each checked as the model is made."""

    model_config: ClassVar[dict] = {}
    _checks: ClassVar[dict] = {}
    _defaults: ClassVar[dict] = {}

    def __init_subclass__(cls) -> None:
        # Those of the classes above it are checked already.
        cls._checks, cls._defaults = dict(cls._checks), dict(cls._defaults)
        for name, kind in get_type_hints(cls, include_extras=True).items():
            if name not in cls.__annotations__:
                continue
            check, default = check_of(kind), vars(cls).get(name, NO_DEFAULT)
            if isinstance(default, Bounds):
                check, default = default.around(check), default.default
            cls._checks[name] = check
            if default is not NO_DEFAULT:
                cls._defaults[name] = default

    def __init__(self, /, **given: Any) -> None:
        try:
            vars(self).update(self._checked_fields(given))
        except WrongError as error:
            raise ValidationError(type(self).__name__, error.wrong) from None

    @classmethod
    def _checked_fields(cls, given: dict) -> dict:
        found, wrong = {}, []
        for name, check in cls._checks.items():
            if name not in given:
                if name not in cls._defaults:
                    wrong += refuse(given, "Field required").within(name)
                found[name] = cls._defaults.get(name)
                continue
            try:
                found[name] = check(given[name])
            except WrongError as error:
                wrong += error.within(name)
        if cls.model_config.get("extra") == "forbid":
            for name in [key for key in given if key not in cls._checks]:
                no = refuse(given[name], "Extra inputs are not permitted")
                wrong += no.within(name)
        if wrong:
            raise WrongError(wrong)
        return found

    @classmethod
    def checked(cls, value: Any) -> Self:
        """Return a model, or one made from a dict; raise WrongError."""
        if isinstance(value, cls):
            return value
        if not isinstance(value, dict):
            raise refuse(
                value,
                "Input should be a valid dictionary or instance of "
                f"{cls.__name__}",
            )
        made = cls.__new__(cls)
        vars(made).update(cls._checked_fields(value))
        return made

    @classmethod
    def model_validate(cls, value: Any) -> Self:
        """Return a model, or one made from a dict."""
        try:
            return cls.checked(value)
        except WrongError as error:
            raise ValidationError(cls.__name__, error.wrong) from None

    @classmethod
    def model_validate_json(cls, text: str | bytes) -> Self:
        """Return the model that model_dump_json wrote."""
        try:
            value = json.loads(text)
        except ValueError as error:
            wrong = refuse(text, f"Invalid JSON: {error}").wrong
            raise ValidationError(cls.__name__, wrong) from None
        return cls.model_validate(value)

    def model_dump(self, mode: str = "python") -> dict[str, Any]:
        """Return the fields as plain data; mode json makes tuples lists."""
        row = list if mode == "json" else tuple
        return {key: _dumped(value, row) for key, value in vars(self).items()}

    def model_dump_json(self, indent: int | None = None) -> str:
        """Return the fields as JSON."""
        separators = (",", ":") if indent is None else None
        return json.dumps(
            self.model_dump("json"), indent=indent, separators=separators,
            ensure_ascii=False,
        )  # fmt: skip

    def model_copy(self, *, update: dict[str, Any] | None = None) -> Self:
        """Return a copy with some fields replaced, which are not checked."""
        made = type(self).__new__(type(self))
        vars(made).update(vars(self) | (update or {}))
        return made

    def __setattr__(self, name: str, value: Any) -> None:
        if self.model_config.get("frozen"):
            wrong = refuse(value, "Instance is frozen").within(name)
            raise ValidationError(type(self).__name__, wrong)
        super().__setattr__(name, value)

    def __delattr__(self, name: str) -> None:
        self.__setattr__(name, None)  # which a frozen one refuses
        super().__delattr__(name)

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        return vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash((type(self), *vars(self).values()))

    def __repr__(self) -> str:
        fields = ", ".join(f"{k}={v!r}" for k, v in vars(self).items())
        return f"{type(self).__name__}({fields})"

    def __str__(self) -> str:
        return " ".join(f"{k}={v!r}" for k, v in vars(self).items())


def _dumped(value, row):
    if isinstance(value, BaseModel):
        return value.model_dump("json" if row is list else "python")
    if isinstance(value, tuple | list):
        return row(_dumped(one, row) for one in value)
    return value
