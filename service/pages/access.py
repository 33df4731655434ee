"""The page of who may come in: keys made and revoked, sessions ended, names forgotten."""

from __future__ import annotations

from starlette.responses import Response

from kpfootprint.retold import retold
from service.clock import now
from service.door.bodies import text_of
from service.door.endpoint import FORM, Endpoint, Visit
from service.errors import Refused
from service.pages.render import again, moved_to, page
from service.register import keys, people
from service.register.keys import BadKey, expiry_in, is_good, make_key


@Endpoint("GET", "/access", "admin", page=True)
def show(visit: Visit, *, made: str = "") -> Response:
    """Show every key, session and name, with a new key that is shown this once, or with what was wrong."""
    engine, moment = visit.work.engine, now()
    return page(
        visit,
        "access.html",
        status=201 if made else 200,
        made=made,
        keys=[(key, is_good(key, moment)) for key in reversed(keys.all_keys(engine))],
        sessions=keys.open_sessions(engine),
        today=moment.date().isoformat(),
    )


@Endpoint("POST", "/access", "admin", body=FORM, page=True)
def create(visit: Visit) -> Response:
    """Make a key and show it, this once."""
    role, name, expires = (text_of(visit.form, field) for field in ("role", "name", "expires_at"))
    try:
        _, secret = make_key(visit.work.engine, role, name, expiry_in(expires or None))
    except BadKey as error:
        return again(visit, retold(error, visit.lang), show)
    return show(visit, made=secret)


@Endpoint("POST", "/access/{kind}/{id}", "admin", body=FORM, page=True)
def end(visit: Visit) -> Response:
    """Revoke a key, end a session, or forget a name."""
    kind, subject = visit.path["kind"], visit.path["id"]
    act = {"revoke": keys.revoke, "end": keys.end_session, "forget": people.forget}.get(kind)
    if act is None or not act(visit.work.engine, subject):
        raise Refused("not_found", "There is nothing of this id to end here.")
    return moved_to(visit, "/access")
