"""The one door: every request passes it before BentoML, the API or a page sees anything of it.

Each layer has one concern, the outermost first: what is noted of a request, what every answer wears, how errors are
told, is there such an address, who asks, do they ask too often, may they, did another site send them, are the
parameters known, does the answer begin in time, does anybody still wait for it, and does the body fit.
"""

from __future__ import annotations

from collections.abc import Sequence

from starlette.types import ASGIApp

from service.door.admission import Admission, Directory
from service.door.answer import Deadline, Dress, Errors, Tell
from service.door.attention import Attention
from service.door.endpoint import Endpoint
from service.door.forgery import ForgeryGuard
from service.door.identity import Identity
from service.door.inspection import BodyInspection, QueryInspection
from service.door.limits import RateLimit
from service.door.noted import Noted
from service.work.place import Workplace


def door(app: ASGIApp, *, work: Workplace, endpoints: Sequence[Endpoint], tell: Tell, tell_plainly: Tell) -> ASGIApp:
    """Return `app` behind the door.

    Parameters
    ----------
    work : Workplace
        What visitors work with; opened by whoever runs the app.
    endpoints : sequence of Endpoint
        Every address there is; nothing else is reached at all.
    tell, tell_plainly : callable
        How a refusal is told, and how where telling it so fails.
    """
    inside = app
    for layer in (
        BodyInspection,
        Attention,
        Deadline,
        QueryInspection,
        ForgeryGuard,
        Admission,
        RateLimit,
        Identity,
        Directory,
    ):
        app = layer(app)
    return Noted(Dress(Errors(app, tell, tell_plainly)), inside=inside, work=work, endpoints=endpoints)
