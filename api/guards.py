"""What every response and every request body passes: safe headers, and a limit on size."""

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from grid.errors import DomainError

PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "font-src 'self'; connect-src 'self'; frame-src 'self'; form-action 'self'; "
    "frame-ancestors 'self'; base-uri 'none'; manifest-src 'self'; worker-src 'self'"
)


class TooLarge(DomainError):
    """A request body over the limit."""

    zh = "上传内容超过 {limit_mb} MB 上限，未保存任何内容。请拆分文件，或请管理员调整 XUNGE_UPLOAD_LIMIT_MB。"
    en = "The upload is over the limit of {limit_mb} MB; nothing was stored. Split the file, or ask the administrator to raise XUNGE_UPLOAD_LIMIT_MB."
    status = 413


class SafeHeaders:
    """Add the headers every page needs; a response that sets its own policy keeps it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and complete the response's headers."""

        async def complete(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("content-security-policy", PAGE_POLICY)
                headers.setdefault("x-content-type-options", "nosniff")
                headers.setdefault("referrer-policy", "same-origin")
                headers.setdefault("cross-origin-opener-policy", "same-origin")
                if not scope["path"].startswith(("/static/", "/vendor/")):
                    # Pages hold what others at the same machine must not see after sign-out.
                    headers.setdefault("cache-control", "no-store")
            await send(message)

        await self.app(scope, receive, complete if scope["type"] == "http" else send)


class SizeLimit:
    """Refuse a body over the limit before it is read, or as soon as it turns out to be longer."""

    def __init__(self, app: ASGIApp, limit_mb: int) -> None:
        self.app = app
        self.limit_mb = limit_mb
        self.limit = limit_mb * 1024 * 1024

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with its body counted."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        declared = Headers(scope=scope).get("content-length", "0")
        if not declared.isdigit() or int(declared) > self.limit:
            await self._refuse(scope, receive, send)
            return
        received = 0
        started = over = False

        async def count() -> Message:
            nonlocal received, over
            message = await receive()
            received += len(message.get("body", b""))
            if received > self.limit:
                over = True
                # To the reader the sender has gone: whatever it makes of that is not sent on.
                return {"type": "http.disconnect"}
            return message

        async def pass_on(message: Message) -> None:
            nonlocal started
            if not over:
                started = True
                await send(message)

        try:
            await self.app(scope, count, pass_on)
        except ClientDisconnect:
            if not over:
                raise
        if over and not started:
            await self._refuse(scope, receive, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = TooLarge(limit_mb=self.limit_mb)
        if "text/html" in Headers(scope=scope).get("accept", ""):
            response: Response = HTMLResponse(
                '<!doctype html><html lang="zh-CN"><meta charset="utf-8">'
                '<meta name="viewport" content="width=device-width">'
                f"<title>413</title><body><h1>文件太大</h1><p>{refusal.sentence('zh')}</p>"
                f'<p lang="en">{refusal.sentence("en")}</p></body></html>',
                status_code=413,
                headers={"connection": "close"},
            )
        else:
            response = JSONResponse(
                {
                    "type": "urn:xunge:problem:TooLarge",
                    "title": "Content Too Large",
                    "status": 413,
                    "detail": f"{refusal.sentence('zh')} {refusal.sentence('en')}",
                },
                status_code=413,
                media_type="application/problem+json",
                headers={"connection": "close"},
            )
        await response(scope, receive, send)
