"""The database session of a request: committed before the answer leaves, or undone as one."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.orm import Session

import api.tables  # noqa: F401 - a row is written only when every table it refers to is known
from grid.database import transaction


def _session(request: Request) -> Iterator[Session]:
    with transaction(request.app.state.engine) as session:
        yield session


# scope="function": the commit happens before the response is sent, so what a person is told is
# done is stored.
Db = Annotated[Session, Depends(_session, scope="function")]
