"""One error root. Each message says where, what, and what to do; each class has the exit code of the command."""


class SegsparkError(Exception):
    """The work failed; the message says what to do next."""

    exit_code = 1


class ConfigError(SegsparkError):
    """A wrong key, value or option: begins with the path of the key."""

    exit_code = 2


class InputError(SegsparkError):
    """A source that cannot be used: a missing file, a column that is not there, no rows."""

    exit_code = 2


class ContractError(SegsparkError):
    """A frame that does not fit the table it is meant for: a defect of the program, not of the input."""


class LakeError(SegsparkError):
    """The lake cannot be read or written as asked: an unknown run, a published run written again, a lost race."""


class GateError(SegsparkError):
    """A quality gate refused to publish; the published tables stay as they were."""

    exit_code = 3
