"""The one exception of everything that reads an image."""


class ImageError(Exception):
    """This image cannot be accepted: where, in what, and why, in one sentence."""

    def __init__(
        self,
        offset: int,
        record: str,
        sentence: str,
        *,
        objref: int | None = None,
        task: int | None = None,
    ) -> None:
        super().__init__(offset, record, sentence, objref, task)
        self.errno = 22
        """What sys_restart answers; EINVAL unless whoever raises it says otherwise."""
        self.offset = offset
        self.record = record
        self.sentence = sentence
        self.objref = objref
        self.task = task

    def __str__(self) -> str:
        where = [f"at byte {self.offset}", self.record]
        if self.objref is not None:
            where.append(f"object {self.objref}")
        if self.task is not None:
            where.append(f"task {self.task}")
        return f"{', '.join(where)}: {self.sentence}"
