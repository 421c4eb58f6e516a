"""``./xunge user``: accounts and programs' keys from the command line."""

import getpass
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy import select

from api.accounts import Account, Role
from api.ground import open_ground
from api.settings import settings
from api.users import service
from grid.communities import Community
from grid.database import transaction
from grid.errors import NotFound

commands = typer.Typer(help="账号与服务令牌 / accounts and service tokens", no_args_is_help=True)
NAME = "user"
ACTOR = "cli"


def _community_id(session: object, code: str | None) -> int | None:
    if code is None:
        return None
    found = session.scalar(select(Community.id).where(Community.code == code))  # type: ignore[attr-defined]
    if found is None:
        raise NotFound(thing="社区", name=code)
    return int(found)


def _ask_password() -> str:
    return getpass.getpass("密码 / password: ")


@commands.command("list")
def list_users() -> None:
    """列出账号 / list accounts."""
    table = Table("用户名", "姓名", "角色", "状态")
    with transaction(open_ground(settings())) as session:
        for row in session.scalars(select(Account).order_by(Account.username)):
            state = "停用" if not row.active else "锁定" if row.locked_until else "正常"
            table.add_row(row.username, row.display_name, row.role, state)
    Console().print(table)


@commands.command("add")
def add(
    username: str,
    role: Annotated[Role, typer.Option(help="角色 / role")],
    community: Annotated[str | None, typer.Option(help="12 位社区代码 / community code")] = None,
    staff_number: Annotated[str | None, typer.Option(help="队员编号 / staff number")] = None,
    name: Annotated[str, typer.Option(help="显示姓名 / display name")] = "",
    password: Annotated[
        str | None, typer.Option(help="省略则提示输入 / asked for if absent")
    ] = None,
) -> None:
    """新建账号 / make an account."""
    with transaction(open_ground(settings())) as session:
        service.create_account(
            session,
            username=username,
            display_name=name,
            password=password or _ask_password(),
            role=role,
            community_id=_community_id(session, community),
            staff_number=staff_number,
            actor=ACTOR,
        )
    typer.echo(f"已新建账号 {username}。")


@commands.command("password")
def password(username: str, new: Annotated[str | None, typer.Option("--new")] = None) -> None:
    """重设密码 / set a new password."""
    with transaction(open_ground(settings())) as session:
        service.set_password(session, username, new or _ask_password(), actor=ACTOR)
    typer.echo(f"已重设 {username} 的密码，其已登录的浏览器全部退出。")


@commands.command("unlock")
def unlock(username: str) -> None:
    """解除锁定 / lift a lockout."""
    with transaction(open_ground(settings())) as session:
        service.unlock(session, username, actor=ACTOR)
    typer.echo(f"已解除 {username} 的锁定。")


@commands.command("token")
def token(name: str, community: Annotated[str, typer.Option(help="12 位社区代码")]) -> None:
    """新建服务令牌，只显示一次 / make a program's key, shown once."""
    with transaction(open_ground(settings())) as session:
        community_id = _community_id(session, community)
        assert community_id is not None
        made = service.create_token(session, name, community_id, actor=ACTOR)
    typer.echo(made)


@commands.command("revoke")
def revoke(name: str) -> None:
    """吊销服务令牌 / revoke a program's key."""
    with transaction(open_ground(settings())) as session:
        service.revoke_token(session, name, actor=ACTOR)
    typer.echo(f"已吊销令牌 {name}。")
